// SPDX-License-Identifier: GPL-2.0
//! Finding the capability tables.
//!
//! A table is a long run of pointers into `.rodata` itself, three to an entry. So nothing has to be
//! searched for byte by byte: one pass over the aligned words finds the runs, and what the pointers
//! of the few long ones point to tells which is which.

use core::fmt;

use super::image::{Image, POINTER_LEN};
use super::Magic;

/// Bytes of a triple: pointers to magic, blocks and signature.
pub const TRIPLE: usize = 3 * POINTER_LEN;

/// A run with fewer pointers is no table. The shortest real one has several thousand.
const MIN_RUN: usize = 24;

/// The first magic of the GPU list, in every driver from 450 to 555.
const GPU_LIST_FIRST: Magic = [
    0xf3, 0xf5, 0x9e, 0x3d, 0x13, 0x91, 0x75, 0x18, 0x6a, 0x7b, 0x55, 0xed, 0xce, 0x5d, 0x84, 0x67,
];

/// Magics of boards whose entries may be written over, the preferred one first: 450 to 470 have
/// both, newer drivers have the second only.
const SACRIFICIAL: [Magic; 2] = [
    [
        0x46, 0x4f, 0x39, 0x49, 0x74, 0x91, 0xd7, 0x0f, 0xbc, 0x65, 0xc2, 0x70, 0xdd, 0xdd, 0x11,
        0x54,
    ],
    [
        0x9d, 0x72, 0xd9, 0x06, 0xa6, 0x20, 0xf4, 0x39, 0xe1, 0x11, 0x7d, 0x17, 0xb4, 0x53, 0x1d,
        0x73,
    ],
];

/// Consecutive triples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first triple in the image.
    pub first: usize,
    /// How many triples.
    pub count: usize,
}

impl Span {
    /// The triples' offsets.
    pub fn offsets(&self) -> impl Iterator<Item = usize> {
        let first = self.first;
        (0..self.count).map(move |i| first.saturating_add(i.saturating_mul(TRIPLE)))
    }

    /// Offset of triple number `index`, if there is one.
    pub fn offset(&self, index: usize) -> Option<usize> {
        (index < self.count).then(|| self.first.saturating_add(index.saturating_mul(TRIPLE)))
    }
}

/// Where the tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The list of all boards.
    pub gpu_list: Span,
    /// Triples that may be written over, up to the next table.
    pub sacrificial: Span,
    /// The arrays that hold the two above, lower address first; one and the same where they are
    /// contiguous and in step, with the second empty.
    arrays: [Span; 2],
}

/// Why the tables can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrecognised {
    /// No array begins with the GPU list's first magic.
    NoGpuList,
    /// More than one does.
    TwoGpuLists,
    /// No triple bears a magic that may be sacrificed.
    NoSacrificial,
}

impl fmt::Display for Unrecognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unrecognised::NoGpuList => "no capability table begins with the GPU list's magic",
            Unrecognised::TwoGpuLists => "more than one table begins with the GPU list's magic",
            Unrecognised::NoSacrificial => "no capability table entry that could be replaced",
        })
    }
}

/// A triple that bears an anchor, and the run of pointers that it is in.
#[derive(Clone, Copy)]
struct Anchored {
    triple: usize,
    run: Run,
}

/// Offsets of the first pointer of a run and behind its last.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

impl Anchored {
    /// The triples from the anchored one to the end of its run.
    fn onwards(&self) -> Span {
        let count = self.run.end.saturating_sub(self.triple) / TRIPLE;
        Span { first: self.triple, count }
    }

    /// All whole triples of the run that are in step with the anchored one.
    fn array(&self) -> Span {
        let before = self.triple.saturating_sub(self.run.start) / TRIPLE;
        let first = self.triple.saturating_sub(before.saturating_mul(TRIPLE));
        Span { first, count: self.run.end.saturating_sub(first) / TRIPLE }
    }
}

/// Finds the tables in `image`.
///
/// # Errors
/// An anchor is missing, or the GPU list's stands twice.
pub fn locate(image: &Image<'_>) -> Result<Tables, Unrecognised> {
    let mut gpu_list: Option<Anchored> = None;
    let mut sacrificial: [Option<Anchored>; SACRIFICIAL.len()] = [None; SACRIFICIAL.len()];
    let mut twice = false;
    runs(image, |run| {
        for triple in (run.start..run.end.saturating_sub(TRIPLE - 1)).step_by(POINTER_LEN) {
            let Some(magic) = image.follow(triple).and_then(|at| image.array(at)) else { continue };
            let here = Anchored { triple, run };
            if magic == GPU_LIST_FIRST {
                twice |= gpu_list.is_some();
                gpu_list.get_or_insert(here);
            }
            for (known, found) in SACRIFICIAL.iter().zip(&mut sacrificial) {
                if magic == *known {
                    // Runs come in order, so the first is the lowest.
                    found.get_or_insert(here);
                }
            }
        }
    });
    if twice {
        return Err(Unrecognised::TwoGpuLists);
    }
    let gpus = gpu_list.ok_or(Unrecognised::NoGpuList)?;
    let spare = sacrificial.iter().flatten().next().ok_or(Unrecognised::NoSacrificial)?;

    let gpu_list = gpus.onwards();
    let mut sacrificial = spare.onwards();
    if sacrificial.first < gpu_list.first {
        // Where both arrays are contiguous, the GPU list is not to be run into.
        let room = gpu_list.first.saturating_sub(sacrificial.first) / TRIPLE;
        sacrificial.count = sacrificial.count.min(room);
    }
    let arrays = match (gpus.array(), spare.array()) {
        (a, b) if a == b => [a, Span::default()],
        (a, b) if a.first < b.first => [a, b],
        (a, b) => [b, a],
    };
    Ok(Tables { gpu_list, sacrificial, arrays })
}

/// Calls `found` with every run of at least [`MIN_RUN`] pointers, lowest first.
///
/// Such a run covers at least one of every [`MIN_RUN`] words, so no others need be looked at
/// until one of these is a pointer.
fn runs(image: &Image<'_>, mut found: impl FnMut(Run)) {
    let pointer_at = |word: usize| {
        word.checked_mul(POINTER_LEN).is_some_and(|offset| image.follow(offset).is_some())
    };
    let words = image.bytes().len() / POINTER_LEN;
    let mut probe = MIN_RUN - 1;
    while probe < words {
        if pointer_at(probe) {
            // The word behind the run before is no pointer, so this never goes back beyond it.
            let before = (0..probe).rev().take_while(|&word| pointer_at(word)).count();
            let onwards = (probe..words).take_while(|&word| pointer_at(word)).count();
            let start = probe.saturating_sub(before);
            probe = probe.saturating_add(onwards);
            if before.saturating_add(onwards) >= MIN_RUN {
                found(Run {
                    start: start.saturating_mul(POINTER_LEN),
                    end: probe.saturating_mul(POINTER_LEN),
                });
            }
        }
        probe = probe.saturating_add(MIN_RUN);
    }
}

impl Tables {
    /// Whether a board in the GPU list bears `magic`.
    pub fn lists(&self, image: &Image<'_>, magic: &Magic) -> bool {
        self.gpu_list.offsets().any(|triple| bears(image, triple, magic))
    }

    /// Offset of the lowest triple of any table that bears `magic`.
    ///
    /// Triples that were replaced point outside of the image and are passed over.
    pub fn find(&self, image: &Image<'_>, magic: &Magic) -> Option<usize> {
        let [low, high] = &self.arrays;
        let bears = |triple: &usize| bears(image, *triple, magic);
        let first = low.offsets().find(bears);
        // Where the two share a run of pointers without being in step, one reaches into the other.
        let lower = |triple: &usize| first.map_or(true, |first| *triple < first);
        high.offsets().take_while(lower).find(bears).or(first)
    }
}

fn bears(image: &Image<'_>, triple: usize, magic: &Magic) -> bool {
    image.follow(triple).and_then(|at| image.array(at)).is_some_and(|m: Magic| m == *magic)
}
