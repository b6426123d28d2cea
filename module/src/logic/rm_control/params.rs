// SPDX-License-Identifier: GPL-2.0
//! A call's parameters, and what of them has been changed.

use core::ops::Range;

use super::layout::Layout;
use crate::logic::profile::{Content, Editor, Field, Skipped};

/// A call's parameters while they are edited.
pub struct Params<'a> {
    bytes: &'a mut [u8],
    /// Covers every byte that has another value than before; empty if there is none.
    changed: Range<usize>,
}

impl<'a> Params<'a> {
    /// Parameters that have not been changed.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, changed: 0..0 }
    }

    /// The range outside of which nothing has changed.
    pub fn changed(&self) -> Range<usize> {
        self.changed.clone()
    }

    /// `N` bytes at `offset`; `None` where the parameters are shorter.
    pub fn get<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        read(self.bytes, offset)
    }

    /// `len` bytes at `offset`; `None` where the parameters are shorter.
    pub fn slice(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.bytes.get(offset..)?.get(..len)
    }

    /// Writes one byte. `None` where the parameters are shorter.
    fn put_byte(&mut self, at: usize, byte: u8) -> Option<()> {
        let slot = self.bytes.get_mut(at)?;
        if *slot != byte {
            *slot = byte;
            let end = at.saturating_add(1);
            self.changed = match self.changed.is_empty() {
                true => at..end,
                false => self.changed.start.min(at)..self.changed.end.max(end),
            };
        }
        Some(())
    }

    /// Writes `bytes` at `offset`. Does nothing where the parameters are shorter, which the choice of
    /// the layout by size rules out.
    pub fn put(&mut self, offset: usize, bytes: &[u8]) {
        for (at, &byte) in (offset..self.bytes.len()).zip(bytes) {
            self.put_byte(at, byte);
        }
    }

    /// Writes `bytes` at `offset`, and zeroes up to `len` bytes.
    fn put_padded(&mut self, offset: usize, len: usize, bytes: impl Iterator<Item = u8>) {
        let end = offset.saturating_add(len);
        for (at, byte) in (offset..end).zip(bytes.chain(core::iter::repeat(0))) {
            self.put_byte(at, byte);
        }
    }
}

/// A vGPU type within a call's parameters.
pub struct TypeInfo<'a, 'b> {
    /// The call's parameters.
    pub params: &'b mut Params<'a>,
    /// Where its fields lie.
    pub layout: &'static Layout,
}

impl TypeInfo<'_, '_> {
    /// The type's number.
    pub fn vgpu_type(&self) -> Option<u32> {
        let (offset, _) = self.layout.place(Field::VgpuType)?;
        self.params.get(offset).map(u32::from_le_bytes)
    }
}

impl Editor for TypeInfo<'_, '_> {
    /// Text is followed by zeros to the end of its field, as mbilker/vgpu_unlock-rs does it: what the
    /// driver had there must not show behind a shorter text.
    fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped> {
        let (offset, len) = self.layout.place(field).ok_or(Skipped::Absent)?;
        // The last byte, or UTF-16 unit, stays zero.
        match content {
            Content::Number(number) => {
                self.params.put_padded(offset, len, number.to_le_bytes().into_iter());
            }
            Content::Bytes(bytes) if bytes.len() < len => {
                self.params.put_padded(offset, len, bytes.iter().copied());
            }
            Content::Utf16(text) if text.encode_utf16().count() < len / 2 => {
                let units = text.encode_utf16().flat_map(u16::to_le_bytes);
                self.params.put_padded(offset, len, units);
            }
            Content::Bytes(_) | Content::Utf16(_) => return Err(Skipped::TooLong),
        }
        Ok(())
    }
}

/// `N` bytes of `bytes` at `offset`.
pub fn read<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}
