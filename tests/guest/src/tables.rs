// SPDX-License-Identifier: GPL-2.0
//! Reading the driver's capability tables back, by code that shares nothing with the module's.

use aes::{
    Aes128,
    cipher::{BlockDecrypt, KeyInit},
};
use anyhow::{Context, Result, ensure};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{expected::VgpuType, probe};

/// Magic, blocks and signature: three pointers.
const TRIPLE: usize = 24;

/// The magics that mark triples which may be replaced: that of 450 to 470, which have both, and that of 510 and
/// newer.
const SACRIFICIAL: [[u8; 16]; 2] = [
    *b"\x46\x4f\x39\x49\x74\x91\xd7\x0f\xbc\x65\xc2\x70\xdd\xdd\x11\x54",
    *b"\x9d\x72\xd9\x06\xa6\x20\xf4\x39\xe1\x11\x7d\x17\xb4\x53\x1d\x73",
];

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Offset of the lowest triple whose magic is the sacrificial one, the first of them that there is.
pub fn sacrificial(rodata: &probe::Rodata) -> Result<usize> {
    let found = SACRIFICIAL.iter().find_map(|magic| bears(rodata, magic));
    found.context("no triple bears a sacrificial magic")
}

fn bears(rodata: &probe::Rodata, magic: &[u8; 16]) -> Option<usize> {
    let magics: Vec<u64> = rodata
        .bytes
        .windows(16)
        .enumerate()
        .filter(|(_, window)| *window == magic)
        .map(|(offset, _)| rodata.base + offset as u64)
        .collect();
    (0..rodata.bytes.len())
        .step_by(8)
        .find(|at| word(&rodata.bytes, *at).is_some_and(|word| magics.contains(&word)))
}

/// Fails unless exactly the triples from `first` on that `types` need differ from before.
pub fn only_triples_changed(
    before: &probe::Rodata,
    after: &probe::Rodata,
    first: usize,
    types: usize,
) -> Result<()> {
    ensure!(before.bytes.len() == after.bytes.len(), "the size of .rodata changed");
    let allowed = first..first + types * TRIPLE;
    let differing = before.bytes.iter().zip(&after.bytes).enumerate().filter(|(_, (a, b))| a != b);
    let mut touched = vec![false; types];
    for (offset, _) in differing {
        ensure!(allowed.contains(&offset), "the byte at {offset:#x} changed, outside {allowed:x?}");
        touched[(offset - first) / TRIPLE] = true;
    }
    let untouched: Vec<usize> = (0..types).filter(|i| !touched[*i]).collect();
    ensure!(untouched.is_empty(), "triples {untouched:?} are as before");
    Ok(())
}

/// Fails unless triple number `index` from `first` on is an entry of `magic`, signed and encrypted
/// with `key`, that says what `expected` says.
pub fn entry(
    rodata: &probe::Rodata,
    (first, index): (usize, usize),
    (magic, key): (&[u8; 16], &[u8; 16]),
    expected: &VgpuType,
) -> Result<()> {
    let pointer = |n: usize| {
        word(&rodata.bytes, first + index * TRIPLE + 8 * n).context("a triple beyond .rodata")
    };
    let its_magic = probe::peek(pointer(0)?, 16).context("its magic")?;
    ensure!(its_magic == magic, "its magic is {}", hex::encode(its_magic));

    let blocks_at = pointer(1)?;
    let count = usize::from(probe::peek(blocks_at, 1).context("its block count")?[0]);
    ensure!((1..=16).contains(&count), "it has {count} blocks");
    let signed = probe::peek(blocks_at, 1 + 16 * count).context("its blocks")?;
    let signature = probe::peek(pointer(2)?, 32).context("its signature")?;
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).context("the key's length")?;
    mac.update(&signed);
    mac.verify_slice(&signature).context("its signature does not verify")?;

    let cipher = Aes128::new(key.into());
    let mut plain = signed[1..].to_vec();
    for block in plain.chunks_exact_mut(16) {
        cipher.decrypt_block(block.into());
    }
    let half = |at: usize| u16::from_le_bytes([plain[at], plain[at + 1]]);
    let name_len = expected.name.len();
    let names = [expected.name.as_bytes(), expected.name.as_bytes()].concat();
    let padding = plain.get(10 + 2 * name_len..).context("it is too short for its name")?;
    ensure!(
        [usize::from(plain[0]), usize::from(plain[1])] == [name_len; 2]
            && plain[10..10 + 2 * name_len] == names,
        "its names are {:?}",
        String::from_utf8_lossy(&plain[10..])
    );
    ensure!(half(2) == expected.device, "its device is {:#06x}", half(2));
    ensure!(half(6) == expected.subsystem, "its subsystem is {:#06x}", half(6));
    ensure!(matches!(half(4), 0 | 0x10de), "its vendor is {:#06x}", half(4));
    ensure!(matches!(half(8), 0 | 0x10de), "its subsystem's vendor is {:#06x}", half(8));
    ensure!(padding.len() < 16 && padding.iter().all(|b| *b == 0), "its padding is {padding:x?}");
    Ok(())
}
