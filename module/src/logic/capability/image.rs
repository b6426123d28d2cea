// SPDX-License-Identifier: GPL-2.0
//! The driver's `.rodata` as bytes with an address, and following pointers within it.

/// Bytes of a pointer; the driver's pointers lie at multiples of it.
pub const POINTER_LEN: usize = 8;

/// A read-only section, with its relocations applied.
///
/// In a running kernel `base` is where the section lies; for a file it is any address for which the
/// relocations were computed.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    pub(crate) base: u64,
    bytes: &'a [u8],
}

impl<'a> Image<'a> {
    /// An image of `bytes` that lie at `base`.
    pub fn new(base: u64, bytes: &'a [u8]) -> Self {
        Self { base, bytes }
    }

    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The offset that `pointer` points to, if that is inside.
    pub fn offset_of(&self, pointer: u64) -> Option<usize> {
        // A pointer below the base wraps to something no section is large enough for.
        usize::try_from(pointer.wrapping_sub(self.base)).ok().filter(|o| *o < self.bytes.len())
    }

    /// The offset that the pointer at `offset` points to, if both are inside.
    pub fn follow(&self, offset: usize) -> Option<usize> {
        self.offset_of(self.word(offset)?)
    }

    /// The eight bytes at `offset`, as a little-endian number.
    pub fn word(&self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }

    /// `N` bytes at `offset`.
    pub fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.from(offset)?.get(..N)?.try_into().ok()
    }

    /// Everything from `offset` on.
    pub fn from(&self, offset: usize) -> Option<&'a [u8]> {
        self.bytes.get(offset..)
    }
}
