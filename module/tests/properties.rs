// SPDX-License-Identifier: GPL-2.0
//! What holds for any bytes at all: nothing panics, and the fast ways find what the slow ones do.
//!
//! For a longer look: `PROPTEST_CASES=100000 cargo test --release -p vgpu_unlock --test properties`.

mod common;

use common::{driver, Rodata, BASE, GPU_LIST_FIRST, KEY, MAGIC, SACRIFICIAL, SACRIFICIAL_OLD};
use proptest::prelude::*;
use vgpu_unlock::{
    capability::{
        entry,
        image::Image,
        tables::{locate, Span, Tables, Unrecognised, TRIPLE},
        unlock::{prepare, Entries},
        Magic,
    },
    driver::{branch, version::Version},
    gpu::vgpu_types,
    host::HostCrypto,
    signature::{search, Hits, Pattern},
};

static FIRST: Pattern = Pattern::new("48 83 ec 08 ?? ?? b8 01 00 00 00 75 ?? ??");
static SECOND: Pattern = Pattern::new("?? 85 c0 74 07 c7 45 0c 00 00 00 00 44");
static SHORT: Pattern = Pattern::new("?? 85 c0 74 07 ?? 00");

/// Text made of pieces of the patterns, so that hits and near misses are everywhere.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\x48\x83\xec\x08\xaa\xbb\xb8\x01\x00\x00\x00\x75\x11\x22".to_vec()),
        4 => Just(b"\x99\x85\xc0\x74\x07\xc7\x45\x0c\x00\x00\x00\x00\x44".to_vec()),
        2 => Just(b"\x99\x85\xc0\x74\x07\x55\x00".to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(vec![0; 30]),
    ];
    let cut = (piece, 0..3usize, 0..3usize).prop_map(|(piece, front, back)| {
        let end = piece.len().saturating_sub(back);
        piece.get(front..end).unwrap_or(&[]).to_vec()
    });
    prop::collection::vec(cut, 0..12).prop_map(|pieces| pieces.concat())
}

fn naive(pattern: &Pattern, text: &[u8]) -> Hits {
    let mut hits = (0..text.len()).filter(|&at| pattern.matches_at(text, at));
    match (hits.next(), hits.next()) {
        (None, _) => Hits::None,
        (Some(at), None) => Hits::One(at),
        (Some(_), Some(_)) => Hits::Many,
    }
}

/// What a user may have named: nothing, a board with types, or any ID.
fn chosen() -> impl Strategy<Value = Option<u16>> {
    let capable = prop::sample::select(vec![0x1b38, 0x1bb3, 0x1e30, 0x2230]);
    prop_oneof![Just(None), capable.prop_map(Some), any::<u16>().prop_map(Some)]
}

/// Words that are pointers into a section of `len` bytes, nearly are, or are anything.
fn words(len: u64) -> impl Strategy<Value = Vec<u64>> {
    let inside = (0..len).prop_map(|offset| BASE + offset);
    let word = prop_oneof![
        // Runs of them, as tables are.
        150 => inside,
        1 => (len - 40..len + 8).prop_map(|offset| BASE + offset),
        1 => any::<u64>(),
        1 => Just(0),
    ];
    prop::collection::vec(word, (len / 8) as usize)
}

/// A section of anything, with the anchors' bytes somewhere in it and pointers to them likely.
fn section() -> impl Strategy<Value = Vec<u8>> {
    const LEN: usize = 2048;
    let anchors = prop::collection::vec((0..3usize, 0..(LEN - 16), 0..LEN / 8), 0..6);
    (words(LEN as u64), anchors).prop_map(|(words, anchors)| {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        for (anchor, at, pointer) in anchors {
            let magic = [GPU_LIST_FIRST, SACRIFICIAL, SACRIFICIAL_OLD][anchor];
            bytes[at..at + 16].copy_from_slice(&magic);
            let place = 8 * pointer;
            bytes[place..place + 8].copy_from_slice(&(BASE + at as u64).to_le_bytes());
        }
        bytes
    })
}

/// `locate`, looking at every word.
fn locate_slowly(image: &Image<'_>) -> Result<(Span, Span), Unrecognised> {
    let words = image.bytes().len() / 8;
    let pointer = |word: usize| word < words && image.follow(8 * word).is_some();
    let in_table = |word: usize| {
        let start = (0..=word).rev().take_while(|&w| pointer(w)).last()?;
        let end = (word..=words).find(|&w| !pointer(w))?;
        (end - start >= 24).then_some(end)
    };
    let heads = |magic: &Magic| -> Vec<Span> {
        let bears = |word: &usize| {
            image.follow(8 * word).and_then(|at| image.array::<16>(at)) == Some(*magic)
        };
        let span = |word| {
            let count = (in_table(word)? - word) * 8 / TRIPLE;
            (count > 0).then_some(Span { first: 8 * word, count })
        };
        (0..words).filter(bears).filter_map(span).collect()
    };
    let gpu_list = match *heads(&GPU_LIST_FIRST) {
        [] => return Err(Unrecognised::NoGpuList),
        [one] => one,
        _ => return Err(Unrecognised::TwoGpuLists),
    };
    let mut spare = [SACRIFICIAL_OLD, SACRIFICIAL]
        .iter()
        .find_map(|magic| heads(magic).first().copied())
        .ok_or(Unrecognised::NoSacrificial)?;
    if spare.first < gpu_list.first {
        spare.count = spare.count.min((gpu_list.first - spare.first) / TRIPLE);
    }
    Ok((gpu_list, spare))
}

fn spans(tables: Tables) -> (Span, Span) {
    (tables.gpu_list, tables.sacrificial)
}

proptest! {
    #[test]
    fn search_finds_what_a_naive_search_finds(text in text()) {
        let naive = |pattern| naive(pattern, &text);
        prop_assert_eq!(search([&FIRST], &text), [naive(&FIRST)]);
        prop_assert_eq!(search([&FIRST, &SECOND], &text), [naive(&FIRST), naive(&SECOND)]);
        prop_assert_eq!(
            search([&SHORT, &SECOND, &FIRST], &text),
            [naive(&SHORT), naive(&SECOND), naive(&FIRST)]
        );
    }

    #[test]
    fn locate_finds_what_looking_at_every_word_finds(bytes in section()) {
        let image = Image::new(BASE, &bytes);
        prop_assert_eq!(locate(&image).map(spans), locate_slowly(&image));
    }

    #[test]
    fn no_section_makes_anything_panic(
        bytes in section(),
        base in prop_oneof![Just(BASE), Just(0), Just(u64::MAX), any::<u64>()],
        cut in 0..2048usize,
        taken in any::<usize>(),
        chosen in chosen(),
    ) {
        let image = Image::new(base, &bytes[..cut]);
        if let Ok(tables) = locate(&image) {
            for magic in [GPU_LIST_FIRST, SACRIFICIAL, MAGIC] {
                tables.lists(&image, &magic);
                if let Some(at) = tables.find(&image, &magic) {
                    prop_assert!(at + TRIPLE <= bytes.len());
                }
                let (crypto, mut entries) = (&mut HostCrypto::default(), Entries::EMPTY);
                let _ = prepare(&image, &tables, (&magic, &KEY), chosen, taken, crypto, &mut entries);
            }
        }
    }

    #[test]
    fn no_damage_to_a_driver_makes_anything_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        cut in any::<prop::sample::Index>(),
        chosen in chosen(),
    ) {
        let (whole, ..) = driver(30);
        let tables = locate(&whole.image()).unwrap();
        let Rodata { mut bytes } = whole;
        for (at, byte) in damage {
            let len = bytes.len();
            bytes[at.index(len)] = byte;
        }
        let image = Image::new(BASE, &bytes[..=cut.index(bytes.len())]);
        // Tables of before, as when memory changes under us, and those of now.
        for tables in [Some(tables), locate(&image).ok()].into_iter().flatten() {
            let (crypto, mut entries) = (&mut HostCrypto::default(), Entries::EMPTY);
            let made = prepare(&image, &tables, (&MAGIC, &KEY), chosen, 0, crypto, &mut entries);
            prop_assert_eq!(made.is_ok(), !entries.as_slice().is_empty());
            if let (Ok(board), Some(chosen)) = (made, chosen) {
                prop_assert_eq!(board.sibling.device, chosen);
                prop_assert_eq!(entries.as_slice().len(), vgpu_types(chosen).count());
            }
        }
    }

    #[test]
    fn no_entry_makes_reading_it_panic(signed in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut crypto = HostCrypto::new(&KEY);
        if let Some((_, name)) = entry::open::<64>(&signed, &mut crypto) {
            prop_assert!(name.as_str().len() <= 64);
        }
        entry::open::<0>(&signed, &mut crypto);
        if let Some(part) = entry::signed_part(&signed) {
            prop_assert_eq!(part.len() % 16, 1);
        }
    }

    #[test]
    fn no_text_makes_a_branch_panic(text in prop::collection::vec(any::<u8>(), 0..400)) {
        for version in ["470.256.02", "525.147.05", "535.216.03", "550.163.01"] {
            let branch = branch::of(&Version::parse(version.as_bytes()).unwrap()).unwrap();
            let hits = branch.search(&text);
            for (site, hits) in branch.sites.iter().zip(hits) {
                prop_assert_eq!(hits, naive(&site.pattern, &text));
            }
        }
    }

    #[test]
    fn no_text_makes_a_version_panic(text in prop::collection::vec(any::<u8>(), 0..20)) {
        Version::parse(&text);
    }

    #[test]
    fn a_version_prints_as_it_was_read(
        branch in 100..1000u16, minor in 10..1000u16, patch in prop::option::of("[0-9]{1,4}"),
    ) {
        let text = match patch {
            Some(patch) => format!("{branch}.{minor}.{patch}"),
            None => format!("{branch}.{minor}"),
        };
        prop_assert_eq!(Version::parse(text.as_bytes()).unwrap().to_string(), text);
    }
}
