// SPDX-License-Identifier: GPL-2.0
//! From a board's magic and key to the entries that unlock it.

use core::fmt;

use super::crypto::BoardCrypto;
use super::entry::{self, Entry, Header, Name};
use super::image::{Image, POINTER_LEN};
use super::tables::Tables;
use super::{Key, Magic};
use crate::logic::gpu::{self, Answer, Ids, Sibling, MAX_VGPU_TYPES};

/// The longest board name that is kept.
pub const BOARD_NAME_LEN: usize = 64;

/// What the board's own entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Device and subsystem ID.
    pub header: Header,
    /// Marketing name.
    pub name: Name<BOARD_NAME_LEN>,
    /// The capable board that it is answered as.
    pub sibling: Sibling,
}

/// Why a board's tables stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No triple bears the board's magic.
    NoEntry,
    /// The board's triple points outside of the section, or its blocks reach out of it.
    Damaged,
    /// The signature over the board's blocks is another: the key is wrong.
    WrongKey,
    /// NVIDIA lists the board; it has its entries already.
    Listed {
        /// PCI device ID that the board's entry names.
        device: u16,
    },
    /// No capable board is known for this one.
    NoSibling {
        /// PCI device ID that the board's entry names.
        device: u16,
    },
    /// The board is to be answered as one that has no vGPU types.
    NoTypes {
        /// PCI device ID of the other board.
        device: u16,
    },
    /// There are fewer triples left to replace than entries to write.
    NoRoom {
        /// Triples that would be written over.
        needed: usize,
        /// Triples that may be.
        left: usize,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoEntry => f.write_str("no capability table entry bears the board's magic"),
            Refusal::Damaged => f.write_str("the board's capability table entry is damaged"),
            Refusal::WrongKey => {
                f.write_str("the signature of the board's entry does not verify with its key")
            }
            Refusal::Listed { device } => write!(f, "NVIDIA lists board {device:#06x} itself"),
            Refusal::NoSibling { device } => {
                write!(f, "no vGPU-capable board is known for {device:#06x}")
            }
            Refusal::NoTypes { device } => {
                write!(f, "board {device:#06x}, which gpus names, has no vGPU types")
            }
            Refusal::NoRoom { needed, left } => {
                write!(f, "{needed} entries to write, room for {left}")
            }
        }
    }
}

/// The entries of one board, ready to be written.
///
/// Once their addresses are in the driver's tables it must neither move nor change.
#[derive(Clone, Debug)]
pub struct Entries {
    magic: Magic,
    entries: [Entry; MAX_VGPU_TYPES],
    count: usize,
}

impl Entries {
    /// No entries.
    pub const EMPTY: Self =
        Self { magic: [0; super::MAGIC_LEN], entries: [Entry::EMPTY; MAX_VGPU_TYPES], count: 0 };

    /// The magic that all of them bear.
    pub fn magic(&self) -> &Magic {
        &self.magic
    }

    /// The entries.
    pub fn as_slice(&self) -> &[Entry] {
        self.entries.get(..self.count).unwrap_or(&[])
    }
}

/// Checks `magic` and `key` against the board's own entry and makes its sibling's entries in `into`.
///
/// `chosen` is the PCI device ID that the user wants the board to be answered with, if that is not
/// left to the built-in table. `taken` triples of the sacrificial ones belong to other boards already.
/// Nothing of the driver is written here.
///
/// # Errors
/// See [`Refusal`]. `into` then has no entries.
pub fn prepare(
    image: &Image<'_>,
    tables: &Tables,
    (magic, key): (&Magic, &Key),
    chosen: Option<u16>,
    taken: usize,
    crypto: &mut dyn BoardCrypto,
    into: &mut Entries,
) -> Result<Board, Refusal> {
    into.count = 0;
    crypto.set_key(key);
    let triple = tables.find(image, magic).ok_or(Refusal::NoEntry)?;
    let (header, name) = verified(image, triple, crypto)?;
    let sibling = sibling(Ids { device: header.device, subsystem: header.subsystem }, chosen)?;

    let left = tables.sacrificial.count.saturating_sub(taken);
    let needed = gpu::vgpu_types(sibling.device).count();
    if needed == 0 {
        return Err(Refusal::NoTypes { device: sibling.device });
    }
    let no_room = Refusal::NoRoom { needed, left };
    if needed > left {
        return Err(no_room);
    }
    into.magic = *magic;
    let mut count = 0usize;
    for vgpu in gpu::vgpu_types(sibling.device) {
        let slot = into.entries.get_mut(count).ok_or(no_room)?;
        *slot = Entry::seal(vgpu, crypto).ok_or(no_room)?;
        count = count.saturating_add(1);
    }
    into.count = count;
    Ok(Board { header, name, sibling })
}

/// The board whose entries another one is to have.
fn sibling(ids: Ids, chosen: Option<u16>) -> Result<Sibling, Refusal> {
    // Branches that have dropped boards do not go by the tables any more.
    let answer = match chosen {
        None => gpu::answer(ids, None),
        Some(chosen) => gpu::answer_as(ids, None, gpu::chosen(chosen, None)),
    };
    let device = ids.device;
    match answer {
        Answer::As(_, sibling) => Ok(sibling),
        Answer::Listed | Answer::Dropped | Answer::NotYet => Err(Refusal::Listed { device }),
        Answer::NoSriov | Answer::Unknown => Err(Refusal::NoSibling { device }),
    }
}

/// Reads the entry of `triple`, if its signature verifies.
fn verified(
    image: &Image<'_>,
    triple: usize,
    crypto: &mut dyn BoardCrypto,
) -> Result<(Header, Name<BOARD_NAME_LEN>), Refusal> {
    let part = |pointer: usize| image.follow(triple.checked_add(pointer)?);
    let blocks = part(POINTER_LEN).and_then(|at| image.from(at)).ok_or(Refusal::Damaged)?;
    let signed = entry::signed_part(blocks).ok_or(Refusal::Damaged)?;
    let signature = part(2 * POINTER_LEN).and_then(|at| image.array(at)).ok_or(Refusal::Damaged)?;
    if crypto.sign(signed) != signature {
        return Err(Refusal::WrongKey);
    }
    entry::open(signed, crypto).ok_or(Refusal::Damaged)
}
