// SPDX-License-Identifier: GPL-2.0
//! The driver's capability tables: watching for a board's magic and key, writing its entries, and
//! putting back what was there.
//!
//! Everything that takes memory or time is done when we attach. What is left when the driver has
//! read a key needs neither, because it happens inside the driver's own copy of that key: a little
//! cryptography and three words an entry.

use core::ffi::CStr;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::{KBox, KVec};

use crate::logic::capability::entry::Entry;
use crate::logic::capability::image::POINTER_LEN;
use crate::logic::capability::tables::{Tables, TRIPLE};
use crate::logic::capability::unlock::{self, Board, Entries, Refusal};
use crate::logic::capability::watch::Watch;
use crate::logic::capability::MAGIC_LEN;
use crate::logic::gpu::Address;
use crate::logic::gpu::MAX_VGPU_TYPES;
use crate::logic::params::Rule;
use crate::logic::status::{Reason, MAX_GPUS};
use crate::sys::crypto::KernelCrypto;
use crate::sys::hook::{Copies, CopyHook};
use crate::sys::lock::Spin;
use crate::sys::memory::{self, Alias, Section};
use crate::sys::{pci, work};
use crate::unlock::settings;

/// Copies memory; magic and key are read with it.
const COPY: &CStr = c"nvidia:os_mem_copy";

/// The tables of one load of the driver.
///
/// Invariants: `tables.sacrificial` is covered by `alias`. The entries of a slot that is
/// [`Outcome::Unlocked`] neither move nor change until [`Unlocker::restore`] has taken their
/// addresses out of the driver.
pub struct Unlocker {
    rodata: Section,
    tables: Tables,
    alias: Alias,
    /// See [`Unlocker::is_wanted`].
    wanted: bool,
    slots: Spin<Slots>,
}

/// The boards, and what they share.
struct Slots {
    crypto: KernelCrypto,
    /// Sacrificial triples that are used up.
    taken: usize,
    boards: KVec<Slot>,
}

/// One board that needs an unlock.
struct Slot {
    address: Address,
    bar3: core::ops::Range<u64>,
    /// The device ID that the user wants it to be answered with, where he says one.
    chosen: Option<u16>,
    watch: Watch,
    outcome: Outcome,
    /// Whether the outcome is in the log.
    told: bool,
    /// `None` only after they were leaked by `restore`.
    entries: Option<KBox<Entries>>,
    /// Number of the first sacrificial triple that bears one of the entries.
    first: usize,
    originals: [[u64; 3]; MAX_VGPU_TYPES],
}

impl Slot {
    fn as_slice(&self) -> &[Entry] {
        self.entries.as_ref().map_or(&[], |entries| entries.as_slice())
    }
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

impl Unlocker {
    /// Gets everything ready. Nothing of the driver is changed. May sleep.
    ///
    /// # Errors
    /// No memory.
    pub fn new(rodata: Section, mut tables: Tables) -> Result<KBox<Self>, Reason> {
        let mut boards = KVec::new();
        // Without any GPU there is none to be wrong about.
        let mut wanted = pci::gpus().next().is_none();
        for gpu in pci::gpus().take(MAX_GPUS) {
            let address = Address::from(&gpu);
            let (rule, answer) = settings::with(|p| {
                let ids = (gpu.device, gpu.subsystem, Some(address));
                (p.gpus.rule(ids.0, ids.1, ids.2), p.gpus.board(ids.0, ids.1, ids.2))
            });
            if answer.sibling().is_none() {
                continue;
            }
            let chosen = match rule {
                Rule::As(device, _) => Some(device),
                Rule::Auto | Rule::Off => None,
            };
            wanted = true;
            if gpu.bar3_len == 0 {
                // Its key can't be seen; the driver's checks can be overridden all the same.
                continue;
            }
            let entries = KBox::new(Entries::EMPTY, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
            let slot = Slot {
                address,
                bar3: gpu.bar3_start..gpu.bar3_start.saturating_add(gpu.bar3_len),
                chosen,
                watch: Watch::default(),
                outcome: Outcome::Waiting,
                told: false,
                entries: Some(entries),
                first: 0,
                originals: [[0; 3]; MAX_VGPU_TYPES],
            };
            boards.push(slot, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
        }
        let most = boards.len().max(1).saturating_mul(MAX_VGPU_TYPES);
        tables.sacrificial.count = tables.sacrificial.count.min(most);
        let len = tables.sacrificial.count.saturating_mul(TRIPLE);
        let alias = Alias::new(&rodata, tables.sacrificial.first, len).ok_or(Reason::NoMemory)?;
        let crypto = KernelCrypto::new().ok_or(Reason::NoMemory)?;
        let unlocker = Self {
            rodata,
            tables,
            alias,
            wanted,
            slots: Spin::new(Slots { crypto, taken: 0, boards }).ok_or(Reason::NoMemory)?,
        };
        KBox::new(unlocker, GFP_KERNEL).map_err(|_| Reason::NoMemory)
    }

    /// How many boards the driver lists.
    pub fn gpu_list_count(&self) -> usize {
        self.tables.gpu_list.count
    }

    /// Whether a board's entries are still missing.
    pub fn is_needed(&self) -> bool {
        self.slots.with(|slots| {
            slots.boards.iter().any(|slot| !matches!(slot.outcome, Outcome::Unlocked(_)))
        })
    }

    /// What became of the board at `address`; `None` where it needs nothing.
    pub fn outcome(&self, address: Address) -> Option<Outcome> {
        self.slots.with(|slots| {
            slots.boards.iter().find(|slot| slot.address == address).map(|slot| slot.outcome)
        })
    }

    /// How many entries were written.
    pub fn entries(&self) -> usize {
        self.slots.with(|slots| slots.taken)
    }

    /// The next board whose outcome is not in the log yet.
    pub fn untold(&self) -> Option<(Address, Outcome)> {
        self.slots.with(|slots| {
            let slot = slots
                .boards
                .iter_mut()
                .find(|slot| !slot.told && !matches!(slot.outcome, Outcome::Waiting))?;
            slot.told = true;
            Some((slot.address, slot.outcome))
        })
    }

    /// Puts back every word of the driver that still holds what we wrote, the last one first.
    ///
    /// With `driver_lives`, entries that were in its tables are never freed: whether it has kept a
    /// pointer to one, nobody outside of NVIDIA can tell. They are about 3 KiB a board.
    pub fn restore(&self, driver_lives: bool) {
        self.slots.with(|slots| {
            for slot in slots.boards.iter_mut().rev() {
                if !matches!(slot.outcome, Outcome::Unlocked(_)) {
                    continue;
                }
                self.take_out(slot);
                slot.outcome = Outcome::Waiting;
                if !driver_lives {
                    // They go with us, and not here: nothing is freed under a spin lock.
                    continue;
                }
                if let Some(entries) = slot.entries.take() {
                    let _ = KBox::leak(entries);
                }
            }
            slots.taken = 0;
        });
    }

    /// Whether a GPU on the bus can profit from changing what the driver thinks of boards: one is
    /// answered as another, or there is none.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The board whose BAR3 holds what is mapped at `address`.
    ///
    /// The page tables say so, whenever the driver made the mapping. (Watching the driver map would
    /// miss what it mapped before we came, and take an address that is used again for the old one.)
    fn board_at(&self, address: usize) -> Option<usize> {
        let physical = memory::physical(address)?;
        self.slots.with(|slots| slots.boards.iter().position(|s| s.bar3.contains(&physical)))
    }

    /// The driver copies these bytes from the BAR3 of board number `board`.
    fn see(&self, board: usize, bytes: [u8; MAGIC_LEN]) {
        let image = self.rodata.image();
        let done = self.slots.with(|Slots { crypto, taken, boards }| {
            let Some(slot) = boards.get_mut(board) else { return false };
            if matches!(slot.outcome, Outcome::Unlocked(_)) {
                return false;
            }
            let seen = slot.watch.see(bytes, |magic| self.tables.lists(&image, magic));
            let Some((magic, key)) = seen else { return false };
            let Some(entries) = &mut slot.entries else { return false };
            let pair = (&magic, &key);
            let chosen = slot.chosen;
            let result =
                unlock::prepare(&image, &self.tables, pair, chosen, *taken, crypto, entries);
            slot.told = false;
            slot.outcome = match result {
                Ok(board) => {
                    slot.first = *taken;
                    *taken = taken.saturating_add(slot.as_slice().len());
                    self.put_in(slot);
                    Outcome::Unlocked(board)
                }
                Err(refusal) => Outcome::Refused(refusal),
            };
            true
        });
        if done {
            work::schedule();
        }
    }

    /// Replaces triples by the slot's entries.
    fn put_in(&self, slot: &mut Slot) {
        for i in 0..slot.as_slice().len() {
            let Some((words, ours)) = self.triple(slot, i) else { continue };
            let Some(originals) = slot.originals.get_mut(i) else { continue };
            *originals = words.map(|at| self.alias.read(at).unwrap_or(0));
            // The magic last: an entry must be whole before anybody finds it.
            let ([magic, blocks, signature], [our_magic, our_blocks, our_signature]) =
                (words, ours);
            self.alias.write(blocks, our_blocks);
            self.alias.write(signature, our_signature);
            self.alias.write(magic, our_magic);
        }
    }

    /// Puts the triples back that `put_in` replaced, where they still hold what it wrote.
    fn take_out(&self, slot: &Slot) {
        for i in (0..slot.as_slice().len()).rev() {
            let Some((words, ours)) = self.triple(slot, i) else { continue };
            let Some(originals) = slot.originals.get(i) else { continue };
            // The magic first: nobody is to find an entry that is being taken apart.
            for ((at, our), original) in words.into_iter().zip(ours).zip(originals) {
                if self.alias.read(at) == Some(our) {
                    self.alias.write(at, *original);
                }
            }
        }
    }

    /// Offsets of the three words that entry number `i` of the slot takes, and the addresses that
    /// they are to hold: of magic, blocks and signature.
    fn triple(&self, slot: &Slot, i: usize) -> Option<([usize; 3], [u64; 3])> {
        let first = self.tables.sacrificial.offset(slot.first.checked_add(i)?)?;
        let entry = slot.as_slice().get(i)?;
        let words = [0, POINTER_LEN, 2 * POINTER_LEN].map(|word| first.wrapping_add(word));
        let ours = [
            slot.entries.as_ref()?.magic().as_ptr() as u64,
            entry.blocks().as_ptr() as u64,
            entry.signature().as_ptr() as u64,
        ];
        Some((words, ours))
    }
}

impl Copies for Unlocker {
    fn copying(&self, from: usize) {
        if let Some(board) = self.board_at(from) {
            // SAFETY: Mapped BAR3, which the driver reads itself right after.
            let bytes = unsafe { memory::read_16(from) };
            self.see(board, bytes);
        }
    }
}

/// The hook that waits for a key. Dropping it takes it away.
pub struct KeyHook(CopyHook);

impl KeyHook {
    /// Has `unlocker` told of copies.
    ///
    /// # Safety
    /// `unlocker` outlives the value that is returned.
    ///
    /// # Errors
    /// The kernel refused the hook.
    pub unsafe fn place(unlocker: &Unlocker) -> Result<Self, Reason> {
        // SAFETY: As the caller promises.
        unsafe { CopyHook::place(COPY, unlocker) }
            .map(Self)
            .map_err(|errno| Reason::Hook("os_mem_copy", errno))
    }

    /// Copies seen.
    pub fn hits(&self) -> u64 {
        self.0.hits()
    }
}
