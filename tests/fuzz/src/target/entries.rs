// SPDX-License-Identifier: GPL-2.0
//! Single entries: any blocks can be opened, and what was put in comes out again.

use vgpu_unlock::{
    capability::{
        crypto::{BLOCK_LEN, BoardCrypto},
        entry::{self, Entry, MAX_BLOCKS},
    },
    gpu::vgpu_types,
};

use crate::{Input, Target, rodata::ThinCrypto};

pub static TARGET: Target = Target {
    name: "entries",
    run,
    seeds: || {
        let mut seeds = vec![vec![0; 40], (0..=255).collect()];
        seeds.push(b"\x00\x02................\x09\x0b\xb3\x1c\0\0GP107GL-AQuadro P400".to_vec());
        for form in 1..3 {
            seeds.push([&[form], b"................\x1b\x38GRID P40-1QP40".as_slice()].concat());
        }
        seeds
    },
    words: || vec!["GRID", "Quadro"],
    max_len: 300,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.u8() % 4;
    let mut crypto = ThinCrypto::default();
    crypto.set_key(&input.array());
    match kind {
        0 => any_blocks(input.rest(), &mut crypto),
        1 => vgpu_entry(&mut input, &mut crypto),
        2 => list_entry(&mut input, &mut crypto),
        _ => sealed_entry(&mut input, &mut crypto),
    }
}

/// What the driver has there need not be an entry at all.
fn any_blocks(bytes: &[u8], crypto: &mut ThinCrypto) {
    let signed = entry::signed_part(bytes);
    let len = bytes.first().map(|&count| 1 + usize::from(count) * BLOCK_LEN);
    assert_eq!(signed, len.and_then(|len| bytes.get(..len)));
    for part in [Some(bytes), signed].into_iter().flatten() {
        let opened = entry::open::<64>(part, crypto);
        assert_eq!(opened.is_some(), part.len() > BLOCK_LEN);
        let Some((header, name)) = opened else { continue };
        let mut block = part[1..=BLOCK_LEN].try_into().expect("a block");
        crypto.decrypt(&mut block);
        assert_eq!([header.name1_len, header.name2_len], block[..2]);
        assert_eq!(header.device.to_le_bytes(), block[2..4]);
        assert!(header.subsystem == 0 || header.subsystem.to_le_bytes() == block[6..8]);
        assert!(name.as_str().len() <= header.name1_len.max(header.name2_len).into());
        // A shorter buffer has the same name, cut off.
        let (again, short) = entry::open::<5>(part, crypto).expect("as before");
        assert_eq!(again, header);
        assert!(name.as_str().starts_with(short.as_str()));
    }
}

/// Letters, which names are made of.
fn letters(input: &mut Input<'_>, most: usize) -> String {
    let len = usize::from(input.u8()) % (most + 1);
    let bytes = input.bytes(len);
    bytes.iter().map(|byte| char::from(b' ' + byte % 95)).collect()
}

/// Count and blocks of a plain text.
fn packed(mut plain: Vec<u8>, crypto: &mut ThinCrypto) -> Vec<u8> {
    plain.resize(plain.len().next_multiple_of(BLOCK_LEN), 0);
    let mut signed = vec![u8::try_from(plain.len() / BLOCK_LEN).expect("names are short")];
    for block in plain.chunks_exact(BLOCK_LEN) {
        let mut block = block.try_into().expect("a block");
        crypto.encrypt(&mut block);
        signed.extend(block);
    }
    signed
}

/// The long form: one name twice, of four letters or more, by which the forms are told apart.
fn vgpu_entry(input: &mut Input<'_>, crypto: &mut ThinCrypto) {
    let (device, subsystem) = (input.u16(), input.u16());
    let name = format!("GRID{}", letters(input, 100));
    let len = u8::try_from(name.len()).expect("it is short");
    let header = [[len, len], device.to_le_bytes(), [0; 2], subsystem.to_le_bytes(), [0; 2]];
    let plain = [&header.concat(), name.as_bytes(), name.as_bytes()].concat();
    let (header, found) = entry::open::<128>(&packed(plain, crypto), crypto).expect("whole");
    assert_eq!((header.device, header.subsystem, found.as_str()), (device, subsystem, &*name));
}

/// The GPU list's form: chip and board.
fn list_entry(input: &mut Input<'_>, crypto: &mut ThinCrypto) {
    let device = input.u16();
    let (chip, board) = (letters(input, 100), letters(input, 120));
    let lens = [&chip, &board].map(|name| u8::try_from(name.len()).expect("it is short"));
    let header = [lens, device.to_le_bytes(), [0; 2]].concat();
    let plain = [&header, chip.as_bytes(), board.as_bytes()].concat();
    let (header, found) = entry::open::<128>(&packed(plain, crypto), crypto).expect("whole");
    assert_eq!((header.device, header.subsystem, found.as_str()), (device, 0, &*board));
}

/// What we write ourselves.
fn sealed_entry(input: &mut Input<'_>, crypto: &mut ThinCrypto) {
    let boards = [0x13bd, 0x13f2, 0x1bb3, 0x1b38, 0x1db6, 0x1e30, 0x1eb8, 0x2230, 0x2235];
    let types: Vec<_> = vgpu_types(input.choose(&boards)).collect();
    if types.is_empty() {
        return;
    }
    let vgpu = input.choose(&types);
    let sealed = Entry::seal(vgpu, crypto).expect("all of them fit");
    assert_eq!(entry::signed_part(sealed.blocks()), Some(sealed.blocks()));
    assert!(sealed.blocks().len() <= 1 + MAX_BLOCKS * BLOCK_LEN);
    assert_eq!(*sealed.signature(), crypto.sign(sealed.blocks()));
    let (header, name) = entry::open::<64>(sealed.blocks(), crypto).expect("whole");
    assert_eq!((header.device, header.subsystem), (vgpu.device, vgpu.subsystem));
    assert_eq!(name.as_str(), vgpu.name);
}
