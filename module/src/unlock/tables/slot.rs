// SPDX-License-Identifier: GPL-2.0
//! The boards whose key is waited for, or was read.

use core::ops::Range;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::keys::Which;
use crate::logic::capability::entry::Entry;
use crate::logic::capability::unlock::{Board, Entries, Refusal};
use crate::logic::capability::watch::Watch;
use crate::logic::capability::{Key, Magic};
use crate::logic::gpu::{Address, Ids, MAX_VGPU_TYPES};
use crate::logic::params::Rule;
use crate::logic::status::MAX_GPUS;
use crate::sys::crypto::KernelCrypto;
use crate::unlock::boards;

/// The boards, and what they share.
pub struct Slots {
    pub crypto: KernelCrypto,
    /// Sacrificial triples that are used up.
    pub taken: usize,
    boards: [Option<KBox<Slot>>; MAX_GPUS],
}

/// One board that needs entries.
pub struct Slot {
    pub address: Address,
    ids: Ids,
    /// Empty once the board is gone.
    pub bar3: Range<u64>,
    /// The device ID that the user wants it to be answered with, where he says one.
    pub chosen: Option<u16>,
    pub watch: Watch,
    /// What the driver has read of the board.
    pub pair: Option<(Magic, Key)>,
    pub outcome: Outcome,
    /// Whether the outcome is in the log.
    pub told: bool,
    /// `None` only after they were leaked.
    pub entries: Option<KBox<Entries>>,
    /// Number of the first sacrificial triple that bears one of the entries.
    pub first: usize,
    pub originals: [[u64; 3]; MAX_VGPU_TYPES],
}

/// What became of a board.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// Its key was not read yet.
    Waiting,
    /// Its entries are in the tables.
    Unlocked(Board),
    /// Its magic or key was refused; nothing was written.
    Refused(Refusal),
}

impl Slot {
    fn new(board: &boards::Board) -> Option<KBox<Self>> {
        let chosen = match board.rule {
            Rule::As(device, _) => Some(device),
            Rule::Auto | Rule::Off => None,
        };
        let slot = Self {
            address: board.address,
            ids: board.ids,
            bar3: board.gpu.bar3(),
            chosen,
            watch: Watch::default(),
            pair: None,
            outcome: Outcome::Waiting,
            told: false,
            entries: Some(KBox::new(Entries::EMPTY, GFP_KERNEL).ok()?),
            first: 0,
            originals: [[0; 3]; MAX_VGPU_TYPES],
        };
        KBox::new(slot, GFP_KERNEL).ok()
    }

    /// Its entries, as they are or were in the tables.
    pub fn as_slice(&self) -> &[Entry] {
        self.entries.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    /// Which board it is for.
    pub fn which(&self) -> Which {
        (self.address, self.ids)
    }

    /// Whether its entries are in the tables.
    pub fn is_unlocked(&self) -> bool {
        matches!(self.outcome, Outcome::Unlocked(_))
    }

    fn is_of(&self, board: &boards::Board) -> bool {
        self.which() == (board.address, board.ids)
    }
}

/// A board for which there is no slot yet, which is made without the lock.
pub struct New(KBox<Slot>);

impl New {
    /// Makes a slot for a board. `None` without memory.
    pub fn of(board: &boards::Board) -> Option<Self> {
        Slot::new(board).map(Self)
    }
}

impl Slots {
    /// None.
    pub fn new(crypto: KernelCrypto) -> Self {
        Self { crypto, taken: 0, boards: [const { None }; MAX_GPUS] }
    }

    /// Those that there are.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Slot> {
        self.boards.iter().flatten().map(|slot| &**slot)
    }

    /// The same, to be changed, with what they share.
    pub fn parts(
        &mut self,
    ) -> (&mut KernelCrypto, &mut usize, impl DoubleEndedIterator<Item = &mut Slot>) {
        let slots = self.boards.iter_mut().flatten().map(|slot| &mut **slot);
        (&mut self.crypto, &mut self.taken, slots)
    }

    /// Whether there is one for a board; it is then brought up to date.
    pub fn knows(&mut self, board: &boards::Board) -> bool {
        let (_, _, mut slots) = self.parts();
        let known = slots.find(|slot| slot.is_of(board));
        known.map(|slot| slot.bar3 = board.gpu.bar3()).is_some()
    }

    /// Adds one. What is handed back there is no room for; it has to be dropped without the lock.
    pub fn add(&mut self, new: New) -> Option<New> {
        match self.boards.iter_mut().find(|slot| slot.is_none()) {
            Some(free) => {
                *free = Some(new.0);
                None
            }
            None => Some(new),
        }
    }

    /// Takes out one that is for no board of these, which has to be dropped without the lock. One whose
    /// entries are in the tables stays, and is for no board any more.
    pub fn take_gone(&mut self, there: impl Fn(Address) -> bool) -> Option<KBox<Slot>> {
        for slot in &mut self.boards {
            match slot {
                Some(gone) if !there(gone.address) => {
                    if !gone.is_unlocked() {
                        return slot.take();
                    }
                    gone.bar3 = 0..0;
                }
                _ => {}
            }
        }
        None
    }
}
