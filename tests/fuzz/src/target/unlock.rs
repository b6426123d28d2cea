// SPDX-License-Identifier: GPL-2.0
//! From magic and key to entries: sections with tables that the input damages, and boards of any
//! device ID.

use vgpu_unlock::{
    capability::{
        Key, MAGIC_LEN, Magic,
        crypto::BoardCrypto,
        entry,
        tables::locate,
        unlock::{Entries, Refusal, prepare},
        watch::Watch,
    },
    gpu::{self, Answer, Ids, answer, vgpu_types},
};

use crate::{
    Input, Target,
    rodata::{Rodata, ThinCrypto, base},
};

pub static TARGET: Target = Target {
    name: "unlock",
    run,
    seeds: || {
        let board = |device: u16, spares: u8| {
            let mut seed = vec![0, 3, spares, 0, 0, 0];
            seed.extend(device.to_le_bytes());
            seed.push(0);
            seed
        };
        vec![
            board(0x1cb3, 79),
            board(0x1e04, 60),
            board(0x2204, 24),
            board(0x1b38, 40),
            board(0x06c0, 40),
            vec![0, 3, 40, 0, 0, 0, 0x06, 0x1b, 1, 0x30, 0x1e],
            vec![0, 3, 40, 0, 0, 0, 0x84, 0x26, 1, 0xb3, 0x1b],
            vec![0, 3, 40, 0, 0, 0, 0x38, 0x1b, 1, 0x38, 0x1b],
            [board(0x1b06, 79), vec![8, 1, 0x70, 0, 0xff]].concat(),
        ]
    },
    words: Vec::new,
    max_len: 200,
};

const MAGIC: Magic = *b"a Quadro P400's ";
const KEY: Key = *b"well-kept secret";

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut rodata = Rodata::new(base(&mut input), &MAGIC);
    // Where in the list the board stands, and how many may be written over.
    let (place, spares) = (usize::from(input.u8() % 30), input.u8() % 80);
    let taken = usize::from(input.u16());
    let wrong_key = input.u8() % 4 == 3;
    let device = input.u16();
    let chosen = (input.u8() % 2 == 1).then(|| input.u16());
    section(&mut rodata, place, spares, device);
    let length = rodata.bytes.len();
    while !input.is_empty() {
        let (at, byte) = (usize::from(input.u16()) % length, input.u8());
        rodata.bytes[at] = byte;
    }

    let image = rodata.image();
    let Ok(tables) = locate(&image) else { return };
    let key = if wrong_key { [7; MAGIC_LEN] } else { KEY };
    let mut watch = Watch::default();
    if tables.lists(&image, &MAGIC) {
        assert_eq!(watch.see(MAGIC, |magic| tables.lists(&image, magic)), None);
        assert_eq!(watch.see(key, |_| panic!("the key is no magic")), Some((MAGIC, key)));
    }

    let mut crypto = ThinCrypto::default();
    let mut entries = Entries::EMPTY;
    let pair = (&MAGIC, &key);
    let result = prepare(&image, &tables, pair, chosen, taken, &mut crypto, &mut entries);
    let left = tables.sacrificial.count.saturating_sub(taken);
    match result {
        Ok(board) => {
            let own = board.header.device;
            let ids = Ids { device: own, subsystem: board.header.subsystem };
            let sibling = match chosen {
                Some(chosen) => gpu::chosen(chosen, None),
                None => {
                    answer(ids, None).sibling().unwrap_or_else(|| panic!("{own:#06x} has none"))
                }
            };
            assert!(answer(ids, None) != Answer::Listed || sibling.device != own);
            assert_eq!(board.sibling, sibling);
            crypto.set_key(&key);
            let types: Vec<_> = vgpu_types(sibling.device).collect();
            assert_eq!((entries.magic(), entries.as_slice().len()), (&MAGIC, types.len()));
            assert!((1..=left).contains(&types.len()));
            for (sealed, vgpu) in entries.as_slice().iter().zip(types) {
                assert_eq!(*sealed.signature(), crypto.sign(sealed.blocks()));
                let opened = entry::open::<64>(sealed.blocks(), &mut crypto).expect("whole");
                assert_eq!((opened.0.device, opened.1.as_str()), (vgpu.device, vgpu.name));
            }
        }
        Err(refusal) => {
            assert!(entries.as_slice().is_empty(), "nothing is written after {refusal}");
            match refusal {
                Refusal::Listed { device } => {
                    // Of one ID, the subsystem's tells.
                    let listed =
                        |subsystem| answer(Ids { device, subsystem }, None) == Answer::Listed;
                    assert!(listed(0) || listed(0x1160));
                    assert!(chosen.is_none_or(|id| id == device));
                }
                Refusal::NoSibling { device } => {
                    let built_in = answer(Ids { device, subsystem: 0 }, None);
                    assert!(matches!(built_in, Answer::Unknown | Answer::NoSriov));
                    assert!(chosen.is_none());
                }
                Refusal::NoTypes { device } => {
                    assert_eq!((Some(device), vgpu_types(device).count()), (chosen, 0));
                }
                Refusal::NoRoom { needed, left: said } => assert!(said == left && needed > left),
                Refusal::NoEntry => assert!(!tables.lists(&image, &MAGIC)),
                Refusal::Damaged | Refusal::WrongKey => {}
            }
        }
    }
}

/// A GPU list of thirty, the board among them, and triples that may be written over.
fn section(rodata: &mut Rodata, place: usize, spares: u8, device: u16) {
    let mut crypto = ThinCrypto::default();
    crypto.set_key(&KEY);
    let [d0, d1] = device.to_le_bytes();
    let mut plain = *b"\x01\x08\x00\x00\x00\x00GQuadro 1\x00";
    plain[2..4].copy_from_slice(&[d0, d1]);
    crypto.encrypt(&mut plain);
    let signed = [&[1], plain.as_slice()].concat();
    let signature = crypto.sign(&signed);
    let (blocks, signature) = (rodata.data(&signed), rodata.data(&signature));
    let filler = rodata.data(&[0x77; 64]);
    rodata.align();
    rodata.word(0);
    for i in 0..30 {
        let magic = match i {
            0 => rodata.magic(0),
            _ if i == place => rodata.magic(3),
            _ => filler,
        };
        [magic, blocks, signature].into_iter().for_each(|word| rodata.word(word));
    }
    rodata.word(0);
    for i in 0..spares {
        let magic = if i == 0 { rodata.magic(2) } else { filler };
        [magic, blocks, signature].into_iter().for_each(|word| rodata.word(word));
    }
    rodata.word(0);
}
