// SPDX-License-Identifier: GPL-2.0
//! Byte patterns with holes, and the search for them in a driver's text.
//!
//! One pass finds all patterns of a branch. The search looks at one group of four bytes every `step`
//! bytes. Each pattern has its longest run of groups without a hole, and `step` is the shortest of
//! these runs, so that of the first `step` groups of every occurrence exactly one is looked at. A
//! small bit set says whether a group is one of those at all, so nearly all of the text is never
//! compared.

/// The longest pattern.
pub const MAX_LEN: usize = 64;

/// Bytes that are looked at together.
const GROUP: usize = 4;

/// Bytes to look for, some of them arbitrary.
///
/// Invariant: at `run_start` stands the first of `run_len` overlapping groups, which is at least
/// one; they end within `len`, and no group of them has a hole.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    bytes: [u8; MAX_LEN],
    mask: [u8; MAX_LEN],
    len: usize,
    run_start: usize,
    run_len: usize,
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "const: evaluated by the compiler only, where a panic is a compile error"
)]
impl Pattern {
    /// Reads a pattern such as `"48 83 ec ?? 74"`; `??` stands for any byte.
    ///
    /// Meant for constants. The text is two characters a byte, separated by single spaces.
    pub const fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let mut bytes = [0; MAX_LEN];
        let mut mask = [0; MAX_LEN];
        let mut len = 0;
        let mut i = 0;
        while i + 1 < text.len() {
            if text[i] == b'?' {
                assert!(text[i + 1] == b'?', "a hole is written ??");
            } else {
                bytes[len] = digit(text[i]) * 16 + digit(text[i + 1]);
                mask[len] = 0xff;
            }
            len += 1;
            i += 2;
            if i < text.len() {
                assert!(text[i] == b' ', "bytes are separated by one space");
                i += 1;
            }
        }
        assert!(i == text.len(), "an odd digit at the end");

        let (mut run_start, mut run_len, mut current) = (0, 0, 0);
        let mut at = 0;
        while at + GROUP <= len {
            current = if searchable(&bytes, &mask, at) { current + 1 } else { 0 };
            if current > run_len {
                run_len = current;
                run_start = at + 1 - current;
            }
            at += 1;
        }
        assert!(run_len > 0, "no group of fixed bytes to search for");
        Self { bytes, mask, len, run_start, run_len }
    }
}

/// Whether the group at `at` is worth looking for: it has no hole, and it is not all zeros, which
/// stand everywhere in code.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "const, as above")]
const fn searchable(bytes: &[u8; MAX_LEN], mask: &[u8; MAX_LEN], at: usize) -> bool {
    let mut zeros = true;
    let mut i = at;
    while i < at + GROUP {
        if mask[i] == 0 {
            return false;
        }
        zeros = zeros && bytes[i] == 0;
        i += 1;
    }
    !zeros
}

#[allow(clippy::arithmetic_side_effects, clippy::panic, reason = "const, as above")]
const fn digit(c: u8) -> u8 {
    match c {
        b'0'..=b'9' => c - b'0',
        b'a'..=b'f' => c - b'a' + 10,
        _ => panic!("not a lower-case hexadecimal digit"),
    }
}

impl Pattern {
    /// The first `step` groups of the run, with their distance from its start.
    fn groups(&self, step: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let run = self.bytes.get(self.run_start..self.len).unwrap_or(&[]);
        run.windows(GROUP).take(step).map(group).enumerate()
    }

    /// Whether the pattern stands at `start` of `text`.
    pub fn matches_at(&self, text: &[u8], start: usize) -> bool {
        let Some(text) = start.checked_add(self.len).and_then(|end| text.get(start..end)) else {
            return false;
        };
        let pattern = self.bytes.iter().zip(&self.mask);
        text.iter().zip(pattern).all(|(&t, (&byte, &mask))| t & mask == byte)
    }
}

/// How often a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hits {
    /// Nowhere.
    None,
    /// Once, at this offset into the text.
    One(usize),
    /// More than once: nobody can say which one is meant.
    Many,
}

impl Hits {
    fn add(self, offset: usize) -> Self {
        match self {
            Hits::None => Hits::One(offset),
            Hits::One(_) | Hits::Many => Hits::Many,
        }
    }
}

/// Looks for each of `patterns` in `text`.
pub fn search<const N: usize>(patterns: [&Pattern; N], text: &[u8]) -> [Hits; N] {
    let mut hits = [Hits::None; N];
    let step = patterns.iter().map(|p| p.run_len).min().unwrap_or(1).max(1);
    let mut filter = Filter::default();
    for pattern in patterns {
        pattern.groups(step).for_each(|(_, g)| filter.insert(g));
    }

    let mut rest = text;
    while let Some(bytes) = rest.first_chunk() {
        let here = u32::from_le_bytes(*bytes);
        if filter.may_contain(here) {
            let at = text.len().saturating_sub(rest.len());
            compare(&patterns, step, text, (at, here), &mut hits);
        }
        rest = rest.get(step..).unwrap_or(&[]);
    }
    hits
}

/// Looks which of `patterns` have the group `here`, which stands `at` this offset, and whether they are there.
#[cold]
fn compare<const N: usize>(
    patterns: &[&Pattern; N],
    step: usize,
    text: &[u8],
    (at, here): (usize, u32),
    hits: &mut [Hits; N],
) {
    for (pattern, hits) in patterns.iter().zip(hits) {
        for (distance, _) in pattern.groups(step).filter(|&(_, g)| g == here) {
            let before = pattern.run_start.saturating_add(distance);
            match at.checked_sub(before) {
                Some(start) if pattern.matches_at(text, start) => *hits = hits.add(start),
                _ => {}
            }
        }
    }
}

/// The four bytes as a number; fewer count as zero-extended.
fn group(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

/// A set of groups that may claim to hold one it does not hold, never the reverse.
struct Filter([u64; 64]);

impl Default for Filter {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Filter {
    /// Word and bit of a group: the top twelve bits of a multiplicative hash.
    fn place(group: u32) -> (usize, u64) {
        let hash = group.wrapping_mul(0x9e37_79b1) >> 20;
        ((hash >> 6) as usize, 1u64.wrapping_shl(hash & 63))
    }

    fn insert(&mut self, group: u32) {
        let (word, bit) = Self::place(group);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_contain(&self, group: u32) -> bool {
        let (word, bit) = Self::place(group);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    static A: Pattern = Pattern::new("48 83 ec 08 ?? ?? b8 01 00 00 00 75");
    static B: Pattern = Pattern::new("?? 85 c0 74 07 c7 45 0c");

    #[test]
    fn a_pattern_is_read_at_run_time_as_at_build_time() {
        let text = std::string::String::from("48 83 ec 08 ?? ?? b8 01 00 00 00 75");
        assert_eq!(Pattern::new(&text), A);
        assert_eq!(A.len, 12);
        assert_eq!(search([&Pattern::new(&text)], &A_BYTES), [Hits::One(0)]);
    }

    #[test]
    fn a_pattern_that_is_written_wrong_does_not_build() {
        for wrong in [
            "48 83 ec 0",
            "48 83  ec 08",
            "48-83-ec-08",
            "48 83 EC 08",
            "48 ?8 83 ec",
            "?? ??",
            "00 00 00 00",
            "",
        ] {
            let read = std::panic::catch_unwind(|| Pattern::new(wrong));
            assert!(read.is_err(), "{wrong}");
        }
    }

    #[test]
    fn four_bytes_between_holes_are_enough_to_search_for() {
        let pattern = Pattern::new("?? 48 83 ec 08 ??");
        assert_eq!((pattern.run_start, pattern.run_len), (1, 1));
        assert_eq!(search([&pattern], &[0, 0x11, 0x48, 0x83, 0xec, 8, 0x22]), [Hits::One(1)]);
    }

    fn naive(pattern: &Pattern, text: &[u8]) -> Hits {
        (0..text.len()).filter(|&i| pattern.matches_at(text, i)).fold(Hits::None, Hits::add)
    }

    const A_BYTES: [u8; 12] = [0x48, 0x83, 0xec, 8, 0xaa, 0xbb, 0xb8, 1, 0, 0, 0, 0x75];
    const B_BYTES: [u8; 8] = [0x99, 0x85, 0xc0, 0x74, 7, 0xc7, 0x45, 0xc];

    #[test]
    fn finds_each_pattern_at_every_offset() {
        for i in 0..64 {
            let mut text = vec![0u8; 128];
            text[i..i + 12].copy_from_slice(&A_BYTES);
            text[i + 20..i + 28].copy_from_slice(&B_BYTES);
            assert_eq!(search([&A, &B], &text), [Hits::One(i), Hits::One(i + 20)]);
        }
    }

    #[test]
    fn finds_a_pattern_at_both_ends() {
        assert_eq!(search([&A], &A_BYTES), [Hits::One(0)]);
        let mut text = vec![0u8; 5];
        text.extend_from_slice(&A_BYTES);
        assert_eq!(search([&A], &text), [Hits::One(5)]);
    }

    #[test]
    fn a_second_hit_is_told_from_one() {
        let text = [A_BYTES.as_slice(), &[1, 2, 3], &A_BYTES].concat();
        assert_eq!(search([&A, &B], &text), [Hits::Many, Hits::None]);
    }

    #[test]
    fn a_cut_off_pattern_is_none() {
        assert_eq!(search([&A], &A_BYTES[..11]), [Hits::None]);
        assert_eq!(search([&A], &A_BYTES[1..]), [Hits::None]);
        assert_eq!(search([&B], &B_BYTES[1..]), [Hits::None]);
        assert_eq!(search([&A], &[]), [Hits::None]);
    }

    #[test]
    fn agrees_with_a_naive_search_on_dense_text() {
        // A text made of pieces of the patterns, so that near misses are everywhere.
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize
        };
        for _ in 0..300 {
            let mut text: Vec<u8> = vec![];
            while text.len() < 300 {
                let source: &[u8] = if next() & 1 == 0 { &A_BYTES } else { &B_BYTES };
                let from = next() % 3;
                let to = source.len() - next() % 3;
                text.extend_from_slice(&source[from..to]);
            }
            assert_eq!(search([&A, &B], &text), [naive(&A, &text), naive(&B, &text)]);
        }
    }
}
