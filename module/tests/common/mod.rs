// SPDX-License-Identifier: GPL-2.0
//! A made-up `.rodata`, built piece by piece.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part")]

use hex_literal::hex;
use vgpu_unlock::{
    capability::{
        crypto::{BoardCrypto, Signature},
        image::Image,
        tables::TRIPLE,
        Key, Magic,
    },
    host::HostCrypto,
};

pub const GPU_LIST_FIRST: Magic = hex!("f3f59e3d139175186a7b55edce5d8467");
pub const SACRIFICIAL: Magic = hex!("9d72d906a620f439e1117d17b4531d73");
pub const SACRIFICIAL_OLD: Magic = hex!("464f39497491d70fbc65c270dddd1154");

pub const MAGIC: Magic = *b"a Quadro P400's ";
pub const KEY: Key = *b"well-kept secret";
pub const OTHER_MAGIC: Magic = *b"a GTX 1080 Ti's.";
pub const OTHER_KEY: Key = *b"that is a secret";

/// Where the section is said to lie.
pub const BASE: u64 = 0xffff_ffff_c123_4000;

pub struct Rodata {
    pub bytes: Vec<u8>,
}

impl Rodata {
    /// A section that begins with bytes which are no pointers.
    pub fn new() -> Self {
        Self { bytes: vec![0x41; 64] }
    }

    pub fn image(&self) -> Image<'_> {
        Image::new(BASE, &self.bytes)
    }

    /// Puts `bytes` at the end and says where. Nothing is aligned, as magics are not.
    pub fn data(&mut self, bytes: &[u8]) -> u64 {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        BASE + at as u64
    }

    pub fn align(&mut self) {
        while self.bytes.len() % 8 != 0 {
            self.bytes.push(0);
        }
    }

    /// Something between two arrays.
    pub fn gap(&mut self) {
        self.align();
        self.bytes.extend([0; 8]);
    }

    /// Aligned triples directly behind whatever is there; says at which offset.
    pub fn array(&mut self, triples: &[[u64; 3]]) -> usize {
        self.align();
        let at = self.bytes.len();
        self.bytes.extend(triples.iter().flatten().flat_map(|p| p.to_le_bytes()));
        at
    }

    /// An entry's blocks and signature under `key`, as pointers.
    pub fn entry(&mut self, plain: &[u8], key: &Key) -> (u64, u64) {
        let (signed, signature) = sealed(plain, key);
        (self.data(&signed), self.data(&signature))
    }

    /// A triple of `magic` with the entry `plain` under `key`.
    pub fn triple(&mut self, magic: &Magic, plain: &[u8], key: &Key) -> [u64; 3] {
        let magic = self.data(magic);
        let (blocks, signature) = self.entry(plain, key);
        [magic, blocks, signature]
    }

    /// `count` triples of which the first bears `magic` and the others something else.
    pub fn headed_by(&mut self, magic: &Magic, count: usize) -> Vec<[u64; 3]> {
        let first = self.triple(magic, &capability(0x1eb8, 0, "x"), &[1; 16]);
        let other = self.triple(&[0x77; 16], &capability(0x1eb8, 0, "y"), &[2; 16]);
        let mut triples = vec![other; count];
        triples[0] = first;
        triples
    }

    /// The offset of the triple at index `index` of the array at `array`.
    pub fn at(array: usize, index: usize) -> usize {
        array + index * TRIPLE
    }

    /// Overwrites the pointer at `offset`.
    pub fn set_pointer(&mut self, offset: usize, pointer: u64) {
        self.bytes[offset..offset + 8].copy_from_slice(&pointer.to_le_bytes());
    }
}

/// The plain text of a capability entry.
pub fn capability(device: u16, subsystem: u16, name: &str) -> Vec<u8> {
    let len = name.len() as u8;
    let [d0, d1] = device.to_le_bytes();
    let [s0, s1] = subsystem.to_le_bytes();
    let header = [len, len, d0, d1, 0, 0, s0, s1, 0, 0];
    padded([&header, name.as_bytes(), name.as_bytes()].concat())
}

/// The plain text of an entry in the GPU list.
pub fn gpu(device: u16, chip: &str, name: &str) -> Vec<u8> {
    let [d0, d1] = device.to_le_bytes();
    let header = [chip.len() as u8, name.len() as u8, d0, d1, 0, 0];
    padded([&header, chip.as_bytes(), name.as_bytes()].concat())
}

fn padded(mut plain: Vec<u8>) -> Vec<u8> {
    while plain.len() % 16 != 0 {
        plain.push(0);
    }
    plain
}

/// Count byte and encrypted blocks, and the signature over them.
pub fn sealed(plain: &[u8], key: &Key) -> (Vec<u8>, Signature) {
    let mut crypto = HostCrypto::new(key);
    let mut signed = vec![(plain.len() / 16) as u8];
    for block in plain.chunks_exact(16) {
        let mut block = block.try_into().unwrap();
        crypto.encrypt(&mut block);
        signed.extend(block);
    }
    let signature = crypto.sign(&signed);
    (signed, signature)
}

/// A section with both tables: a GPU list with [`MAGIC`] and [`OTHER_MAGIC`], and `spare` triples.
pub fn driver(spare: usize) -> (Rodata, usize, usize) {
    let mut rodata = Rodata::new();
    let mut list = rodata.headed_by(&GPU_LIST_FIRST, 12);
    list[3] = rodata.triple(&MAGIC, &gpu(0x1cb3, "GP107GL-A", "Quadro P400"), &KEY);
    list[7] = rodata.triple(&OTHER_MAGIC, &gpu(0x1b06, "GP102-350", "GTX 1080 Ti"), &OTHER_KEY);
    let spares = rodata.headed_by(&SACRIFICIAL, spare);
    rodata.gap();
    let list = rodata.array(&list);
    rodata.gap();
    let spares = rodata.array(&spares);
    (rodata, list, spares)
}
