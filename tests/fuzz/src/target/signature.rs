// SPDX-License-Identifier: GPL-2.0
//! The one-pass search, against looking everywhere: the patterns of every driver branch in text that
//! is made of pieces of them.

use vgpu_unlock::{
    driver::{branch, site::MAX_SITES, stranger, version::Version},
    signature::{Hits, Pattern, search},
};

use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "signature",
    run,
    seeds: || {
        let mut seeds = vec![vec![0, 0xf0, 0, 12, 0xf1, 0, 8, 0x90]];
        for choice in 0..6 {
            let pieces = (0xf0..0xf9).flat_map(|piece| [piece, 0, 0x7f, 0x90]);
            seeds.push([choice].into_iter().chain(pieces).collect());
        }
        seeds
    },
    words: Vec::new,
    max_len: 400,
};

static SHORT: Pattern = Pattern::new("48 83 ec 08 ?? ?? b8 01 00 00 00 75");
static SHORTER: Pattern = Pattern::new("?? 85 c0 74 07 c7 45 0c");

/// What the text is made of: the two above and the branches' own, their holes filled with 0x41.
const PIECES: [&[u8]; 9] = [
    b"\x48\x83\xec\x08\x41\x41\xb8\x01\0\0\0\x75",
    b"\x41\x85\xc0\x74\x07\xc7\x45\x0c",
    b"\x48\x83\xec\x08\x48\x83\xed\x10\x80\xbf\x41\x41\0\0\0\xb8\x01\0\0\0\x75\x41\x80\xbf\x41\x41\
        \0\0\0\x75\x41\x0f\xb7\x8f\x41\x41\0\0\x81\xf9\x30\x1e\0\0",
    b"\x41\x56\x41\x55\x53\x48\x83\xed\x20\x80\xbf\x41\x41\0\0\0\xc7\x45\x1c\0\0\0\0\x8b\x9f\x41\
        \x41\0\0\x44\x8b\xb7\x41\x41\0\0\x75\x41",
    b"\x48\x83\xec\x08\x48\x83\xed\x10\x48\x8b\xb7\x41\x41\0\0\xba\x1a\0\0\xff\xc7\x45\x0c\0\0\0\0\
        \x48\x8d\x4d\x0c\x48\x8b\x86\x41\x41\0\0\xe8\x41\x41\x41\x41\x8b\x45\x0c\x85\xc0\x0f\x95\
        \xc0",
    b"\x85\xc0\x74\x07\xc7\x45\x0c\0\0\0\0\x44\x0f\xb6\xb3\x41\x41\0\0\x45\x84\xf6\x0f\x84",
    b"\x85\xc0\x74\x07\xc7\x45\x0c\0\0\0\0\x44\x0f\xb6\xb3\x41\x41\0\0\x45\x84\xf6\x74\x7d",
    b"\x85\xc0\x0f\x85\x9d\0\0\0\x80\xbb\x41\x41\0\0\0\x75\x41\x44\x0f\xb6\xb3\x41\x41\0\0",
    // What it jumps to, and back.
    b"\xc7\x45\x0c\0\0\0\0\xe9\x57\xff\xff\xff",
];

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let version: &[u8] =
        input.choose(&[b"", b"525.1", b"535.1", b"550.1", b"555.1", b"570.1", b"470.1"]);
    let text = text(&mut input);
    assert_eq!(search([&SHORT, &SHORTER], &text), [&SHORT, &SHORTER].map(|p| naive(p, &text)));
    assert_eq!(search([&SHORTER], &text), [naive(&SHORTER, &text)]);

    let Some(branch) = Version::parse(version).as_ref().and_then(branch::of) else { return };
    let mut expected = [Hits::None; MAX_SITES];
    for (site, hits) in branch.sites.iter().zip(&mut expected) {
        *hits = naive(&site.pattern, &text);
        if let Hits::One(found) = *hits {
            assert!(site.start(found) <= found && found < text.len());
            let _ = site.is_whole(&text, found);
        }
    }
    assert_eq!(branch.search(&text), expected);
    let _ = stranger::is_patched(branch, &text);
}

/// 0xf0 and more put in a piece, from here to there; everything else stands for itself.
fn text(input: &mut Input<'_>) -> Vec<u8> {
    let mut text = vec![];
    while !input.is_empty() && text.len() < 4096 {
        let byte = input.u8();
        let Some(piece) = PIECES.get(usize::from(byte.wrapping_sub(0xf0))) else {
            text.push(byte);
            continue;
        };
        let from = usize::from(input.u8()).min(piece.len());
        let to = usize::from(input.u8()).clamp(from, piece.len());
        text.extend(&piece[from..to]);
    }
    text
}

fn naive(pattern: &Pattern, text: &[u8]) -> Hits {
    let mut found = (0..text.len()).filter(|&at| pattern.matches_at(text, at));
    match (found.next(), found.next()) {
        (None, _) => Hits::None,
        (Some(at), None) => Hits::One(at),
        (Some(_), Some(_)) => Hits::Many,
    }
}
