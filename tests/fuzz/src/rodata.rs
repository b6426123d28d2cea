// SPDX-License-Identifier: GPL-2.0
//! A `.rodata` of the input's making, and cryptography that a fuzzer sees through.

use vgpu_unlock::capability::{
    Key, Magic,
    crypto::{Block, BoardCrypto, SIGNATURE_LEN, Signature},
    image::{Image, POINTER_LEN},
};

use crate::Input;

/// The magics that the tables are known by (DESIGN 2.1).
pub const GPU_LIST_FIRST: Magic =
    *b"\xf3\xf5\x9e\x3d\x13\x91\x75\x18\x6a\x7b\x55\xed\xce\x5d\x84\x67";
pub const SACRIFICIAL: [Magic; 2] = [
    *b"\x46\x4f\x39\x49\x74\x91\xd7\x0f\xbc\x65\xc2\x70\xdd\xdd\x11\x54",
    *b"\x9d\x72\xd9\x06\xa6\x20\xf4\x39\xe1\x11\x7d\x17\xb4\x53\x1d\x73",
];

/// A section, and where it lies.
pub struct Rodata {
    base: u64,
    pub bytes: Vec<u8>,
}

/// Magics stand at 1, 17, 33 and so on: as in the driver, not aligned.
const MAGICS: usize = 1;

impl Rodata {
    /// A section that begins with the three magics, and a fourth.
    pub fn new(base: u64, fourth: &Magic) -> Self {
        let mut bytes = vec![0x41; MAGICS];
        bytes.extend(GPU_LIST_FIRST);
        SACRIFICIAL.iter().for_each(|magic| bytes.extend(magic));
        bytes.extend(fourth);
        let mut rodata = Self { base, bytes };
        rodata.align();
        rodata
    }

    pub fn image(&self) -> Image<'_> {
        Image::new(self.base, &self.bytes)
    }

    /// The address of an offset.
    pub fn address(&self, offset: usize) -> u64 {
        self.base.wrapping_add(offset as u64)
    }

    /// The address of magic number `index`: the GPU list's, the sacrificial ones, the fourth.
    pub fn magic(&self, index: usize) -> u64 {
        self.address(MAGICS + 16 * index)
    }

    /// Puts bytes at the end, and says at which address.
    pub fn data(&mut self, bytes: &[u8]) -> u64 {
        let at = self.bytes.len();
        self.bytes.extend(bytes);
        self.address(at)
    }

    pub fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(POINTER_LEN), 0x41);
    }

    pub fn word(&mut self, word: u64) {
        self.bytes.extend(word.to_le_bytes());
    }

    /// Goes on as the input says: runs of pointers, magics at their head, and gaps.
    pub fn grow(&mut self, input: &mut Input<'_>) {
        while !input.is_empty() && self.bytes.len() < 8192 {
            match input.u8() % 8 {
                0 => self.word(input.u64()),
                1 => {
                    let len = input.u8().into();
                    self.bytes.extend(input.bytes(len));
                }
                2 => self.align(),
                // A pointer into the section, or past it.
                3 => {
                    let offset = usize::from(input.u16());
                    self.word(self.address(offset));
                }
                4 | 5 => self.word(self.magic(usize::from(input.u8() % 4))),
                6 => self.word(0),
                // Many of one.
                _ => {
                    let (count, offset) = (input.u8() % 80, usize::from(input.u8()));
                    let inside = offset % self.bytes.len();
                    (0..count).for_each(|_| self.word(self.address(inside)));
                }
            }
        }
    }
}

/// Where sections may lie: the kernel's module area, and both ends of all addresses.
pub fn base(input: &mut Input<'_>) -> u64 {
    input.choose(&[0xffff_ffff_c123_4000, 0, 8, u64::MAX - 2047, 0x7fff_ffff_ffff_fff8])
}

/// In place of AES an exclusive or, in place of HMAC a sum: right answers can be come upon.
#[derive(Default)]
pub struct ThinCrypto {
    key: Key,
}

impl BoardCrypto for ThinCrypto {
    fn set_key(&mut self, key: &Key) {
        self.key = *key;
    }

    fn encrypt(&mut self, block: &mut Block) {
        block.iter_mut().zip(self.key).for_each(|(byte, key)| *byte ^= key);
    }

    fn decrypt(&mut self, block: &mut Block) {
        self.encrypt(block);
    }

    fn sign(&mut self, message: &[u8]) -> Signature {
        let sum = |sum: u32, byte: &u8| sum.wrapping_mul(31).wrapping_add((*byte).into());
        let sum = message.iter().chain(&self.key).fold(0, sum);
        let mut signature = [0x5a; SIGNATURE_LEN];
        signature[..4].copy_from_slice(&sum.to_le_bytes());
        signature
    }
}
