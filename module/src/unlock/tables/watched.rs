// SPDX-License-Identifier: GPL-2.0
//! The tables, with the hook that waits for boards' keys as long as there is one to wait for.

use core::ffi::CStr;

use kernel::alloc::KBox;

use super::keys::Keys;
use super::slot::Outcome;
use super::unlocker::Unlocker;
use crate::logic::capability::tables::Tables;
use crate::logic::gpu::Address;
use crate::logic::status::Reason;
use crate::sys::hook::CopyHook;
use crate::sys::log;
use crate::sys::memory::Section;

/// Copies memory; magic and key are read with it.
const COPY: &CStr = c"nvidia:os_mem_copy";

/// The tables of one load of the driver. What was done to them goes through [`Watched::take_back`].
pub struct Watched {
    hook: Option<KeyHook>,
    /// What the hook had seen when it was taken away.
    hits: u64,
    // Behind the hook that points to it, should this value ever be dropped as it is.
    unlocker: KBox<Unlocker>,
}

impl Watched {
    /// Gets everything ready. Nothing of the driver is changed. May sleep.
    ///
    /// # Errors
    /// No memory.
    pub fn new(rodata: Section, tables: Tables) -> Result<Self, Reason> {
        Ok(Self { hook: None, hits: 0, unlocker: Unlocker::new(rodata, tables)? })
    }

    /// Unlocks the boards whose keys are known, and waits for the others'. May sleep.
    ///
    /// # Errors
    /// No memory, or the kernel refused the hook.
    pub fn begin(&mut self, keys: &Keys) -> Result<(), Reason> {
        self.unlocker.take_boards()?;
        self.unlocker.recall(keys);
        self.wait_if_needed()
    }

    /// Takes the boards as they are now, and says what became of those whose key was read. May sleep.
    pub fn settle(&mut self, keys: &mut Keys) {
        let looked = self.unlocker.take_boards();
        self.unlocker.learn(keys);
        self.unlocker.recall(keys);
        while let Some((address, outcome)) = self.unlocker.untold() {
            tell(address, &outcome);
        }
        if let Err(reason) = looked.and_then(|()| self.wait_if_needed()) {
            log::warn(format_args!("boards that came are not unlocked: {reason}"));
        }
    }

    /// Has the hook in place exactly as long as a board's key is waited for.
    fn wait_if_needed(&mut self) -> Result<(), Reason> {
        match (self.unlocker.is_needed(), self.hook.is_some()) {
            (true, false) => {
                // SAFETY: The box keeps the unlocker in its place, and the hook goes before it.
                self.hook = Some(unsafe { KeyHook::place(&self.unlocker) }?);
            }
            (false, true) => {
                self.take_hook();
                log::info(format_args!("no board's key is waited for, os_mem_copy is left alone"));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_hook(&mut self) {
        if let Some(hook) = self.hook.take() {
            self.hits = self.hits.saturating_add(hook.hits());
        }
    }

    /// The tables.
    pub fn unlocker(&self) -> &Unlocker {
        &self.unlocker
    }

    /// Whether the hook that waits for a key is in place, and how many copies were seen.
    pub fn hook(&self) -> (bool, u64) {
        let now = self.hook.as_ref().map_or(0, KeyHook::hits);
        (self.hook.is_some(), self.hits.saturating_add(now))
    }

    /// Puts everything back. May sleep. `driver_lives` says that the driver goes on running; it does not
    /// read again what is remembered in `keys` then.
    pub fn take_back(&mut self, driver_lives: bool, keys: &mut Keys) {
        self.take_hook();
        self.unlocker.learn(keys);
        self.unlocker.restore(driver_lives);
    }
}

fn tell(address: Address, outcome: &Outcome) {
    match outcome {
        Outcome::Waiting => {}
        Outcome::Unlocked(board) => log::info(format_args!(
            "{address}: capability tables rewritten: {:#06x} {} has the vGPU types of a {}",
            board.header.device,
            board.name.as_str(),
            board.sibling.name
        )),
        Outcome::Refused(refusal) => log::warn(format_args!(
            "{address}: capability tables left exactly as they are: {refusal}"
        )),
    }
}

/// The hook that waits for a key. Dropping it takes it away.
struct KeyHook(CopyHook);

impl KeyHook {
    /// Has `unlocker` told of copies.
    ///
    /// # Safety
    /// `unlocker` outlives the value that is returned.
    ///
    /// # Errors
    /// The kernel refused the hook.
    unsafe fn place(unlocker: &Unlocker) -> Result<Self, Reason> {
        // SAFETY: As the caller promises.
        unsafe { CopyHook::place(COPY, unlocker) }
            .map(Self)
            .map_err(|errno| Reason::Hook("os_mem_copy", errno))
    }

    /// Copies seen.
    fn hits(&self) -> u64 {
        self.0.hits()
    }
}
