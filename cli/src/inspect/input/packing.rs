// SPDX-License-Identifier: GPL-2.0
//! What a file is by its first bytes, and how it is decompressed.

use std::io::{Cursor, Read};

use anyhow::{Context, Result};
use liblzma::{read::XzDecoder, stream::Stream};

/// As many bytes as tell what a file is: a tar archive says it at 257.
pub const HEAD: usize = 512;

/// What a file turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Empty,
    Elf,
    /// A Debian package, as far as that can be told.
    Ar,
    Zip,
    Rpm,
    Tar,
    Cpio,
    Script,
    Packed(Packing),
    Unknown,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    /// The format that xz replaced. It has no magic number, only bytes that are nearly always the same.
    Lzma,
}

impl Kind {
    /// Tells it by the file's first bytes.
    pub fn of(head: &[u8]) -> Self {
        const BY_START: [(&[u8], Kind); 11] = [
            (b"\x7fELF", Kind::Elf),
            (b"!<arch>\n", Kind::Ar),
            (b"PK\x03\x04", Kind::Zip),
            (b"\xed\xab\xee\xdb", Kind::Rpm),
            (b"07070", Kind::Cpio),
            (b"#!", Kind::Script),
            (b"\x1f\x8b", Kind::Packed(Packing::Gzip)),
            (b"\xfd7zXZ\0", Kind::Packed(Packing::Xz)),
            (b"\x28\xb5\x2f\xfd", Kind::Packed(Packing::Zstd)),
            (b"BZh", Kind::Packed(Packing::Bzip2)),
            (b"\x5d\0\0", Kind::Packed(Packing::Lzma)),
        ];
        if head.is_empty() {
            return Kind::Empty;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Kind::Tar;
        }
        let known = BY_START.iter().find(|(start, _)| head.starts_with(start));
        known.map_or(Kind::Unknown, |(_, kind)| *kind)
    }
}

impl Packing {
    /// What comes out of `from`.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn unpack<'a>(self, from: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(from)),
            Packing::Xz => Box::new(XzDecoder::new_multi_decoder(from)),
            Packing::Zstd => Box::new(zstd::Decoder::new(from)?),
            Packing::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(from)),
            Packing::Lzma => {
                let stream = Stream::new_lzma_decoder(u64::MAX).context("decompressing it")?;
                Box::new(XzDecoder::new_stream(from, stream))
            }
        })
    }
}

/// What `from` is, and the whole of it.
///
/// # Errors
/// It cannot be read.
pub fn recognise<'a>(mut from: impl Read + 'a) -> std::io::Result<(Kind, impl Read + 'a)> {
    let mut head = Vec::new();
    from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((Kind::of(&head), Cursor::new(head).chain(from)))
}
