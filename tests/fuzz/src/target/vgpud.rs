// SPDX-License-Identifier: GPL-2.0
//! The refusing loop of `nvidia-vgpud` in text that is made of pieces of it.

use vgpu_unlock::driver::vgpud::{NotOne, Refusal, find, search};

use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "vgpud",
    run,
    seeds: || {
        let whole = (0..5u8).flat_map(|piece| [0xf0 + piece, 0, 0x7f]);
        let relative = [6, 1, 2, 5].into_iter().flat_map(|piece| [0xf0 + piece, 0, 0x7f]);
        let once: Vec<u8> = whole.collect();
        vec![once.repeat(2), once, relative.collect(), vec![0xf1, 0, 7, 0x90]]
    },
    words: Vec::new,
    max_len: 400,
};

/// What the loop is made of: with the table at a fixed address or at one relative to the code.
const PIECES: [&[u8]; 7] = [
    b"\xb8\xa4\x70\x41\0",
    b"\xba\xf2\x13\0\0\x0f\xb7\x4b\x0a\xeb\x0e\x0f\x1f\x80\0\0\0\0",
    b"\x0f\xb7\x10\x48\x83\xc0\x04\x66\x39\xd1\x0f\x84\x3f\x01\0\0",
    b"\x48\x3d\xc0\x70\x41\0",
    b"\x75\xe8",
    b"\x4c\x39\xf0\x75\xeb",
    b"\x4c\x8d\x35\x40\0\0\0\x48\x8d\x05\x21\0\0\0",
];

/// An instruction that means nothing to the search.
const NOP: u8 = 0x90;

fn run(data: &[u8]) {
    let mut input = Input::new(data);
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

    const ADDRESS: u64 = 0x40_0000;
    let found: Vec<_> = search(&text, ADDRESS).collect();
    for Refusal { jump, table, register } in &found {
        let at = |address: u64| usize::try_from(address - ADDRESS).expect("small");
        let jump = &text[at(jump.start)..at(jump.end)];
        assert!(matches!(jump, [0x74, _] | [0x0f, 0x84, _, _, _, _]), "{jump:x?}");
        let bytes = table.end - table.start;
        assert!(bytes % 4 == 0 && (8..=256).contains(&bytes) && *register < 16);
    }
    match (find(&text, ADDRESS), found.as_slice()) {
        (Ok(one), [expected]) => assert_eq!(one, *expected),
        (Err(NotOne::None), []) => {}
        (Err(NotOne::Many), [_, _, ..]) => {}
        other => panic!("{other:?}"),
    }

    // What stands around the text makes no difference.
    let front = 600;
    let mut longer = vec![NOP; front];
    longer.extend(&text);
    longer.extend([NOP; 8]);
    assert_eq!(search(&longer, ADDRESS - front as u64).collect::<Vec<_>>(), found);
    // Nor do addresses that no program has.
    assert!(search(&text, u64::MAX - 7).all(|refusal| refusal.jump.start < refusal.jump.end));
}
