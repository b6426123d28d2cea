// SPDX-License-Identifier: GPL-2.0
//! From magic and key to the entries, on made-up sections.

mod common;

use common::{
    capability, driver, gpu, Rodata, BASE, GPU_LIST_FIRST, KEY, MAGIC, OTHER_KEY, OTHER_MAGIC,
    SACRIFICIAL,
};
use vgpu_unlock::{
    capability::{
        crypto::BoardCrypto,
        entry::{self, Entry},
        tables::locate,
        unlock::{prepare, Board, Entries, Refusal},
        Key, Magic,
    },
    gpu::vgpu_types,
    host::HostCrypto,
};

fn try_unlock(
    rodata: &Rodata,
    pair: (&Magic, &Key),
    taken: usize,
) -> (Result<Board, Refusal>, Entries) {
    try_unlock_as(rodata, pair, None, taken)
}

fn try_unlock_as(
    rodata: &Rodata,
    pair: (&Magic, &Key),
    chosen: Option<u16>,
    taken: usize,
) -> (Result<Board, Refusal>, Entries) {
    let image = rodata.image();
    let tables = locate(&image).unwrap();
    let mut entries = Entries::EMPTY;
    let crypto = &mut HostCrypto::default();
    let board = prepare(&image, &tables, pair, chosen, taken, crypto, &mut entries);
    (board, entries)
}

fn refusal(rodata: &Rodata, pair: (&Magic, &Key)) -> Refusal {
    try_unlock(rodata, pair, 0).0.unwrap_err()
}

#[test]
fn a_p400_gets_the_p40s_entries() {
    let (rodata, ..) = driver(30);
    let (board, entries) = try_unlock(&rodata, (&MAGIC, &KEY), 0);
    let board = board.unwrap();
    assert_eq!((board.header.device, board.sibling.device), (0x1cb3, 0x1b38));
    assert_eq!((board.header.subsystem, board.name.as_str()), (0, "Quadro P400"));
    assert_eq!(entries.magic(), &MAGIC);
    assert_eq!(entries.as_slice().len(), 25);

    let mut crypto = HostCrypto::new(&KEY);
    for (sealed, vgpu) in entries.as_slice().iter().zip(vgpu_types(0x1b38)) {
        assert_eq!(*sealed.signature(), crypto.sign(sealed.blocks()));
        let (header, name) = entry::open::<64>(sealed.blocks(), &mut crypto).unwrap();
        assert_eq!((header.device, header.subsystem), (0x1b38, vgpu.subsystem));
        assert_eq!(name.as_str(), vgpu.name);
    }
}

#[test]
fn of_several_triples_the_lowest_is_the_boards() {
    // The one at the higher address is another board's, and not even signed with the key.
    let (mut rodata, _, spares) = driver(30);
    let stray = rodata.triple(&MAGIC, &capability(0x13c2, 1, "GTX 970"), &[5; 16]);
    for (i, pointer) in stray.into_iter().enumerate() {
        rodata.set_pointer(Rodata::at(spares, 29) + 8 * i, pointer);
    }
    let board = try_unlock(&rodata, (&MAGIC, &KEY), 0).0.unwrap();
    assert_eq!(board.header.device, 0x1cb3);
}

#[test]
fn an_entry_of_the_longer_form_names_its_subsystem() {
    let (mut rodata, list, _) = driver(30);
    let triple = rodata.triple(&MAGIC, &capability(0x1cb3, 0x11be, "EIZO MED-XN31LP"), &KEY);
    for (i, pointer) in triple.into_iter().enumerate() {
        rodata.set_pointer(Rodata::at(list, 3) + 8 * i, pointer);
    }
    let board = try_unlock(&rodata, (&MAGIC, &KEY), 0).0.unwrap();
    assert_eq!((board.header.device, board.header.subsystem), (0x1cb3, 0x11be));
    assert_eq!(board.name.as_str(), "EIZO MED-XN31LP");
}

#[test]
fn a_wrong_key_makes_nothing() {
    let (rodata, ..) = driver(30);
    for bit in 0..128 {
        let mut key = KEY;
        key[bit / 8] ^= 1 << (bit % 8);
        let (board, entries) = try_unlock(&rodata, (&MAGIC, &key), 0);
        assert_eq!(board, Err(Refusal::WrongKey));
        assert!(entries.as_slice().is_empty());
    }
    assert_eq!(refusal(&rodata, (&MAGIC, &OTHER_KEY)), Refusal::WrongKey);
    assert_eq!(refusal(&rodata, (&OTHER_MAGIC, &KEY)), Refusal::WrongKey);
    assert_eq!(refusal(&rodata, (&[9; 16], &KEY)), Refusal::NoEntry);
}

#[test]
fn damage_is_refused() {
    let (whole, list, _) = driver(30);
    let (magic, blocks, signature) =
        (Rodata::at(list, 3), Rodata::at(list, 3) + 8, Rodata::at(list, 3) + 16);
    let end = BASE + whole.bytes.len() as u64;
    // Found on the whole section: a damaged pointer is no pointer and would end the table.
    let tables = locate(&whole.image()).unwrap();
    for (place, pointer, expected) in [
        (magic, 0, Refusal::NoEntry),
        (magic, end, Refusal::NoEntry),
        (magic, end - 15, Refusal::NoEntry),
        (blocks, 0, Refusal::Damaged),
        (blocks, BASE - 1, Refusal::Damaged),
        (blocks, end, Refusal::Damaged),
        (blocks, u64::MAX, Refusal::Damaged),
        (signature, 0, Refusal::Damaged),
        (signature, end, Refusal::Damaged),
        (signature, end - 31, Refusal::Damaged),
        (signature, end - 32, Refusal::WrongKey),
    ] {
        let (mut rodata, ..) = driver(30);
        rodata.set_pointer(place, pointer);
        let mut entries = Entries::EMPTY;
        let crypto = &mut HostCrypto::default();
        let result =
            prepare(&rodata.image(), &tables, (&MAGIC, &KEY), None, 0, crypto, &mut entries);
        assert_eq!(result, Err(expected), "{pointer:#x} at {place:#x}");
        assert!(entries.as_slice().is_empty());
    }
}

#[test]
fn a_count_that_reaches_beyond_the_end_is_refused() {
    for (count, expected) in
        [(255, Refusal::Damaged), (3, Refusal::WrongKey), (0, Refusal::WrongKey)]
    {
        let (mut rodata, list, _) = driver(30);
        let at = rodata.image().follow(Rodata::at(list, 3) + 8).unwrap();
        rodata.bytes[at] = count;
        assert_eq!(refusal(&rodata, (&MAGIC, &KEY)), expected);
    }
}

#[test]
fn an_entry_without_blocks_is_damaged_even_if_signed() {
    let (mut rodata, list, _) = driver(30);
    let triple = rodata.triple(&MAGIC, &[], &KEY);
    for (i, pointer) in triple.into_iter().enumerate() {
        rodata.set_pointer(Rodata::at(list, 3) + 8 * i, pointer);
    }
    assert_eq!(refusal(&rodata, (&MAGIC, &KEY)), Refusal::Damaged);
}

#[test]
fn boards_that_need_nothing_or_have_no_sibling_are_left_alone() {
    for (device, expected) in [
        (0x1b38, Refusal::Listed { device: 0x1b38 }),
        (0x06c0, Refusal::NoSibling { device: 0x06c0 }),
    ] {
        let (mut rodata, list, _) = driver(30);
        let triple = rodata.triple(&MAGIC, &gpu(device, "chip", "board"), &KEY);
        for (i, pointer) in triple.into_iter().enumerate() {
            rodata.set_pointer(Rodata::at(list, 3) + 8 * i, pointer);
        }
        let (board, entries) = try_unlock(&rodata, (&MAGIC, &KEY), 0);
        assert_eq!(board, Err(expected));
        assert!(entries.as_slice().is_empty());
    }
}

#[test]
fn a_board_gets_the_types_of_the_one_that_the_user_names() {
    // A board with a sibling, one that NVIDIA lists, and one that nobody knows.
    for device in [0x1cb3, 0x1b38, 0x2684] {
        let (mut rodata, list, _) = driver(30);
        let triple = rodata.triple(&MAGIC, &gpu(device, "chip", "board"), &KEY);
        for (i, pointer) in triple.into_iter().enumerate() {
            rodata.set_pointer(Rodata::at(list, 3) + 8 * i, pointer);
        }
        for (chosen, count, name) in [(0x1e30, 23, "Quadro RTX 6000"), (0x1bb3, 14, "Tesla P4")] {
            let (board, entries) = try_unlock_as(&rodata, (&MAGIC, &KEY), Some(chosen), 0);
            let sibling = board.unwrap().sibling;
            assert_eq!((sibling.device, sibling.name), (chosen, name));
            assert_eq!(entries.as_slice().len(), count);
            let mut crypto = HostCrypto::new(&KEY);
            for (sealed, vgpu) in entries.as_slice().iter().zip(vgpu_types(chosen)) {
                let (header, name) = entry::open::<64>(sealed.blocks(), &mut crypto).unwrap();
                assert_eq!((header.device, header.subsystem), (chosen, vgpu.subsystem));
                assert_eq!(name.as_str(), vgpu.name);
            }
        }
        // One without types. Its own ID is the same to an unlisted board.
        for chosen in [0x1234, 0x1b06] {
            let (board, entries) = try_unlock_as(&rodata, (&MAGIC, &KEY), Some(chosen), 0);
            assert_eq!(board, Err(Refusal::NoTypes { device: chosen }));
            assert!(entries.as_slice().is_empty());
        }
        let (board, entries) = try_unlock_as(&rodata, (&MAGIC, &KEY), Some(device), 0);
        assert_eq!(
            board,
            match device {
                0x1b38 => Err(Refusal::Listed { device }),
                _ => Err(Refusal::NoTypes { device }),
            }
        );
        assert!(entries.as_slice().is_empty());
    }
}

#[test]
fn whatever_the_user_names_the_key_must_be_right() {
    let (rodata, ..) = driver(13);
    for chosen in [Some(0x1bb3), Some(0x1234), None] {
        let (board, _) = try_unlock_as(&rodata, (&MAGIC, &OTHER_KEY), chosen, 0);
        assert_eq!(board, Err(Refusal::WrongKey));
    }
    let (board, entries) = try_unlock_as(&rodata, (&MAGIC, &KEY), Some(0x1bb3), 0);
    assert_eq!(board, Err(Refusal::NoRoom { needed: 14, left: 13 }));
    assert!(entries.as_slice().is_empty());
}

#[test]
fn a_second_board_takes_what_the_first_has_left() {
    let (rodata, ..) = driver(50);
    for (pair, taken) in [((&MAGIC, &KEY), 0), ((&OTHER_MAGIC, &OTHER_KEY), 25)] {
        let (board, entries) = try_unlock(&rodata, pair, taken);
        assert_eq!(board.unwrap().sibling.device, 0x1b38);
        assert_eq!((entries.as_slice().len(), entries.magic()), (25, pair.0));
    }
}

#[test]
fn without_room_nothing_is_made() {
    let (rodata, ..) = driver(49);
    for (taken, left) in [(25, 24), (49, 0), (usize::MAX, 0)] {
        let (board, entries) = try_unlock(&rodata, (&OTHER_MAGIC, &OTHER_KEY), taken);
        assert_eq!(board, Err(Refusal::NoRoom { needed: 25, left }));
        assert!(entries.as_slice().is_empty());
    }
}

#[test]
fn a_refusal_leaves_no_earlier_entries_behind() {
    let (rodata, ..) = driver(30);
    let image = rodata.image();
    let tables = locate(&image).unwrap();
    let mut entries = Entries::EMPTY;
    let (crypto, entries) = (&mut HostCrypto::default(), &mut entries);
    prepare(&image, &tables, (&MAGIC, &KEY), None, 0, crypto, entries).unwrap();
    prepare(&image, &tables, (&MAGIC, &OTHER_KEY), None, 0, crypto, entries).unwrap_err();
    assert!(entries.as_slice().is_empty());
}

#[test]
fn every_type_fits_and_comes_back() {
    let mut crypto = HostCrypto::new(&KEY);
    let boards = (0..=u16::MAX).filter(|device| vgpu_types(*device).next().is_some());
    for vgpu in boards.flat_map(vgpu_types) {
        let sealed = Entry::seal(vgpu, &mut crypto).unwrap();
        assert_eq!(sealed.blocks().len() % 16, 1);
        let (header, name) = entry::open::<64>(sealed.blocks(), &mut crypto).unwrap();
        assert_eq!((header.device, header.subsystem), (vgpu.device, vgpu.subsystem));
        assert_eq!((name.as_str(), usize::from(header.name2_len)), (vgpu.name, vgpu.name.len()));
        // Not only what our own reading of the format gives back, but these very bytes.
        let plain = capability(vgpu.device, vgpu.subsystem, vgpu.name);
        let (signed, signature) = common::sealed(&plain, &KEY);
        assert_eq!((sealed.blocks(), *sealed.signature()), (signed.as_slice(), signature));
    }
}

#[test]
fn the_magics_of_the_lists_themselves_are_boards_like_others() {
    let (rodata, ..) = driver(30);
    for magic in [GPU_LIST_FIRST, SACRIFICIAL] {
        assert_eq!(refusal(&rodata, (&magic, &[1; 16])), Refusal::Listed { device: 0x1eb8 });
    }
}
