// SPDX-License-Identifier: GPL-2.0
//! One entry: what its blocks say in plain text.
//!
//! Layout, little endian: `u8 name1_len, u8 name2_len, u16 device, u16 vendor (0 = any),
//! u16 subsystem, u16 subsystem_vendor (0 = any), name1, name2`, zero-padded to whole blocks.
//! A vGPU type's entry carries its name twice.
//!
//! The GPU list's entries have a shorter form, without the subsystem and its vendor: their first
//! name is the chip's, the second the board's. Nothing but the padding tells the two apart.

use super::crypto::{Block, BoardCrypto, Signature, BLOCK_LEN, SIGNATURE_LEN};
use crate::logic::gpu::VgpuType;

/// Bytes in front of the names.
const HEADER_LEN: usize = 10;

/// The same in the GPU list's form.
const SHORT_HEADER_LEN: usize = 6;

/// The most blocks an entry that we write can have. The longest name of a vGPU type has 19
/// characters, which makes three.
pub const MAX_BLOCKS: usize = 4;

/// The fixed part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the first name.
    pub name1_len: u8,
    /// Length of the second name.
    pub name2_len: u8,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID; 0 where the entry has none.
    pub subsystem: u16,
}

/// An entry as the driver wants it: encrypted and signed.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The count byte and the blocks. What follows the last block is zero and not part of it.
    blocks: [u8; 1 + MAX_BLOCKS * BLOCK_LEN],
    signature: Signature,
}

impl Entry {
    /// An entry with no blocks, to be written over.
    pub const EMPTY: Self =
        Self { blocks: [0; 1 + MAX_BLOCKS * BLOCK_LEN], signature: [0; SIGNATURE_LEN] };

    /// Encodes, encrypts and signs the entry of `vgpu`. `None` where its name is too long.
    pub fn seal(vgpu: &VgpuType, crypto: &mut dyn BoardCrypto) -> Option<Self> {
        let mut entry = Self::EMPTY;
        let name = vgpu.name.as_bytes();
        let name_len = u8::try_from(name.len()).ok()?;
        let [d0, d1] = vgpu.device.to_le_bytes();
        let [s0, s1] = vgpu.subsystem.to_le_bytes();
        let header = [name_len, name_len, d0, d1, 0, 0, s0, s1, 0, 0];
        let len = HEADER_LEN.checked_add(name.len().checked_mul(2)?)?;
        let count = len.div_ceil(BLOCK_LEN);
        let (count_byte, plain) = entry.blocks.split_first_mut()?;
        *count_byte = u8::try_from(count).ok()?;
        let text = header.iter().chain(name).chain(name);
        let plain = plain.get_mut(..count.checked_mul(BLOCK_LEN)?)?;
        plain.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        for block in plain.chunks_exact_mut(BLOCK_LEN) {
            crypto.encrypt(block.try_into().ok()?);
        }
        entry.signature = crypto.sign(entry.blocks());
        Some(entry)
    }

    /// The count byte and the encrypted blocks.
    pub fn blocks(&self) -> &[u8] {
        signed_part(&self.blocks).unwrap_or(&[])
    }

    /// The signature over [`Entry::blocks`].
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// The count byte at the start of `bytes` and the blocks it counts; `None` where they are cut off.
pub fn signed_part(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*bytes.first()?);
    bytes.get(..count.checked_mul(BLOCK_LEN)?.checked_add(1)?)
}

/// Reads an entry's header, and up to `N` bytes of its board's or type's name, cut where the blocks
/// end.
///
/// `signed` is the count byte and the blocks. `None` where there is no block.
pub fn open<const N: usize>(
    signed: &[u8],
    crypto: &mut dyn BoardCrypto,
) -> Option<(Header, Name<N>)> {
    let blocks = signed.get(1..)?;
    let mut block = decrypted(blocks, 0, crypto)?;
    let [name1_len, name2_len, d0, d1, _, _, s0, s1, ..] = block;
    let device = u16::from_le_bytes([d0, d1]);
    let (name1, name2) = (usize::from(name1_len), usize::from(name2_len));

    // Behind the short form's names there is padding, or nothing. In the long form this byte is one
    // of the second name's last four.
    let end = SHORT_HEADER_LEN.saturating_add(name1).saturating_add(name2);
    let short = decrypted(blocks, end / BLOCK_LEN, crypto)
        .and_then(|block| block.get(end % BLOCK_LEN).copied())
        .unwrap_or(0)
        == 0;
    let (subsystem, mut skipped, mut wanted) = match short {
        true => (0, SHORT_HEADER_LEN.saturating_add(name1), name2),
        false => (u16::from_le_bytes([s0, s1]), HEADER_LEN, name1),
    };

    let mut name = Name { bytes: [0; N], len: 0 };
    for next in 1..usize::from(u8::MAX) {
        for &byte in block.iter().skip(skipped).take(wanted) {
            name.push(byte);
            wanted = wanted.saturating_sub(1);
        }
        skipped = skipped.saturating_sub(BLOCK_LEN);
        match decrypted(blocks, next, crypto) {
            Some(next) if wanted > 0 => block = next,
            _ => break,
        }
    }
    Some((Header { name1_len, name2_len, device, subsystem }, name))
}

/// Block number `index`, decrypted.
fn decrypted(blocks: &[u8], index: usize, crypto: &mut dyn BoardCrypto) -> Option<Block> {
    let mut block: Block = *blocks.get(index.checked_mul(BLOCK_LEN)?..)?.first_chunk()?;
    crypto.decrypt(&mut block);
    Some(block)
}

/// A name of at most `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Name<N> {
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The name, or what of it is valid UTF-8.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or(&[]);
        match core::str::from_utf8(bytes) {
            Ok(name) => name,
            Err(e) => bytes
                .get(..e.valid_up_to())
                .and_then(|valid| core::str::from_utf8(valid).ok())
                .unwrap_or(""),
        }
    }
}
