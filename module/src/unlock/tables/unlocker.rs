// SPDX-License-Identifier: GPL-2.0
//! Writing boards' entries into the tables, and putting back what was there.

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::keys::Keys;
use super::slot::{New, Outcome, Slot, Slots};
use crate::logic::capability::image::POINTER_LEN;
use crate::logic::capability::tables::{Tables, TRIPLE};
use crate::logic::capability::unlock::{self, Refusal};
use crate::logic::capability::{Key, Magic, MAGIC_LEN};
use crate::logic::gpu::{Address, MAX_VGPU_TYPES};
use crate::logic::status::{Reason, MAX_GPUS};
use crate::sys::crypto::KernelCrypto;
use crate::sys::hook::Copies;
use crate::sys::lock::Spin;
use crate::sys::memory::{self, Alias, Section};
use crate::sys::work;
use crate::unlock::boards;

/// The tables of one load of the driver.
///
/// Invariants: `tables.sacrificial` is covered by `alias`. The entries of a slot that is
/// [`Outcome::Unlocked`] neither move nor change until [`Unlocker::restore`] has taken their
/// addresses out of the driver.
pub struct Unlocker {
    rodata: Section,
    tables: Tables,
    alias: Alias,
    slots: Spin<Slots>,
}

impl Unlocker {
    /// Gets everything ready, for no board yet. Nothing of the driver is changed. May sleep.
    ///
    /// # Errors
    /// No memory.
    pub fn new(rodata: Section, mut tables: Tables) -> Result<KBox<Self>, Reason> {
        let most = MAX_GPUS.saturating_mul(MAX_VGPU_TYPES);
        tables.sacrificial.count = tables.sacrificial.count.min(most);
        let len = tables.sacrificial.count.saturating_mul(TRIPLE);
        let alias = Alias::new(&rodata, tables.sacrificial.first, len).ok_or(Reason::NoMemory)?;
        let slots = Slots::new(KernelCrypto::new().ok_or(Reason::NoMemory)?);
        let slots = Spin::new(slots).ok_or(Reason::NoMemory)?;
        KBox::new(Self { rodata, tables, alias, slots }, GFP_KERNEL).map_err(|_| Reason::NoMemory)
    }

    /// Takes the boards as they are on the bus now. May sleep.
    ///
    /// # Errors
    /// No memory; boards that were known stay so.
    pub fn take_boards(&self) -> Result<(), Reason> {
        let mut there = [None; MAX_GPUS];
        let wanted = |board: &boards::Board| {
            // Without its BAR3, the board's key can't be seen.
            board.needs_unlock() && !board.gpu.bar3().is_empty()
        };
        for (place, board) in there.iter_mut().zip(boards::all(None).filter(wanted)) {
            *place = Some(board.address);
            if self.slots.with(|slots| slots.knows(&board)) {
                continue;
            }
            let new = New::of(&board).ok_or(Reason::NoMemory)?;
            // What there is no room for is dropped here, without the lock.
            let _too_much = self.slots.with(|slots| slots.add(new));
        }
        let there = |address| there.contains(&Some(address));
        while let Some(gone) = self.slots.with(|slots| slots.take_gone(there)) {
            drop(gone);
        }
        Ok(())
    }

    /// How many boards the driver lists.
    pub fn gpu_list_count(&self) -> usize {
        self.tables.gpu_list.count
    }

    /// Whether a board's entries are still missing.
    pub fn is_needed(&self) -> bool {
        self.slots.with(|slots| slots.iter().any(|slot| !slot.is_unlocked()))
    }

    /// What became of the board at `address`; `None` where it needs nothing.
    pub fn outcome(&self, address: Address) -> Option<Outcome> {
        self.slots.with(|slots| {
            slots.iter().find(|slot| slot.address == address).map(|slot| slot.outcome)
        })
    }

    /// How many entries were written.
    pub fn entries(&self) -> usize {
        self.slots.with(|slots| slots.taken)
    }

    /// The next board whose outcome is not in the log yet.
    pub fn untold(&self) -> Option<(Address, Outcome)> {
        self.slots.with(|slots| {
            let (_, _, mut all) = slots.parts();
            let slot = all.find(|s| !s.told && !matches!(s.outcome, Outcome::Waiting))?;
            slot.told = true;
            Some((slot.address, slot.outcome))
        })
    }

    /// Remembers what the driver has read of boards, where it has proved to be right.
    pub fn learn(&self, keys: &mut Keys) {
        self.slots.with(|slots| {
            for slot in slots.iter() {
                let wrong = matches!(
                    slot.outcome,
                    Outcome::Refused(Refusal::NoEntry | Refusal::Damaged | Refusal::WrongKey)
                );
                if let (Some(pair), false) = (slot.pair, wrong) {
                    keys.remember(slot.which(), pair);
                }
            }
        });
    }

    /// Unlocks boards that wait for what the driver has read before.
    pub fn recall(&self, keys: &Keys) {
        self.slots.with(|slots| {
            let (crypto, taken, all) = slots.parts();
            for slot in all.filter(|slot| matches!(slot.outcome, Outcome::Waiting)) {
                if let Some(pair) = keys.of(slot.which()) {
                    self.unlock(slot, pair, crypto, taken);
                }
            }
        });
    }

    /// Puts back every word of the driver that still holds what we wrote, the last one first.
    ///
    /// With `driver_lives`, entries that were in its tables are never freed: whether it has kept a
    /// pointer to one, nobody outside of NVIDIA can tell. They are about 3 KiB a board.
    pub fn restore(&self, driver_lives: bool) {
        self.slots.with(|slots| {
            let (_, taken, all) = slots.parts();
            for slot in all.rev() {
                if !slot.is_unlocked() {
                    continue;
                }
                self.take_out(slot);
                slot.outcome = Outcome::Waiting;
                if !driver_lives {
                    // They go with us, and not here: nothing is freed under a spin lock.
                    continue;
                }
                if let Some(entries) = slot.entries.take() {
                    memory::leave(entries);
                }
            }
            *taken = 0;
        });
    }

    /// The board whose BAR3 holds what is mapped at `address`.
    ///
    /// The page tables say so, whenever the driver made the mapping. (Watching the driver map would
    /// miss what it mapped before we came, and take an address that is used again for the old one.)
    fn board_at(&self, address: usize) -> Option<Address> {
        let physical = memory::physical(address)?;
        self.slots.with(|slots| {
            slots.iter().find(|slot| slot.bar3.contains(&physical)).map(|slot| slot.address)
        })
    }

    /// The driver copies these bytes from the BAR3 of the board at `address`.
    fn see(&self, address: Address, bytes: [u8; MAGIC_LEN]) {
        let image = self.rodata.image();
        let done = self.slots.with(|slots| {
            let (crypto, taken, mut all) = slots.parts();
            let its = |slot: &&mut Slot| slot.address == address && !slot.bar3.is_empty();
            let Some(slot) = all.find(its) else { return false };
            if slot.is_unlocked() {
                return false;
            }
            let seen = slot.watch.see(bytes, |magic| self.tables.lists(&image, magic));
            seen.map(|pair| self.unlock(slot, pair, crypto, taken)).is_some()
        });
        if done {
            work::schedule();
        }
    }

    /// Makes a board's entries and writes them, if this is its magic and key.
    fn unlock(
        &self,
        slot: &mut Slot,
        pair: (Magic, Key),
        crypto: &mut KernelCrypto,
        taken: &mut usize,
    ) {
        let image = self.rodata.image();
        let Some(entries) = &mut slot.entries else { return };
        let (magic, key) = &pair;
        let chosen = slot.chosen;
        let result =
            unlock::prepare(&image, &self.tables, (magic, key), chosen, *taken, crypto, entries);
        slot.pair = Some(pair);
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
