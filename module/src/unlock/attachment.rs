// SPDX-License-Identifier: GPL-2.0
//! Everything we have done to one load of NVIDIA's driver.

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::sites::{self, Found, Overrides};
use super::tables::{KeyHookCounts, KeyHooks, Outcome, Unlocker};
use crate::capability::tables;
use crate::driver::branch;
use crate::driver::version::Version;
use crate::status::{Address, Reason};
use crate::sys::canary::Canary;
use crate::sys::memory::Section;
use crate::sys::target::Target;
use crate::sys::{clock, log, wait_for_hooks};

/// What is in place. It goes through [`Attachment::detach`] and no other way.
pub struct Attachment {
    identity: usize,
    version: Version,
    locate_us: u64,
    overrides: Option<Overrides>,
    key_hooks: Option<KeyHooks>,
    /// What the key hooks had done when they were taken away.
    key_counts: KeyHookCounts,
    // Behind the hooks that point to it, should this value ever be dropped as it is.
    unlocker: KBox<Unlocker>,
}

/// What must outlive every task that may be reading it. See [`Attachment::detach`].
pub struct Retired(#[allow(dead_code, reason = "held, not read")] KBox<Attachment>);

impl Attachment {
    /// Does all that this driver needs, or nothing.
    ///
    /// # Errors
    /// Why the driver was left exactly as it was.
    pub fn new(target: &Target, version: Version, canary: &Canary) -> Result<KBox<Self>, Reason> {
        canary.check()?;
        let branch = branch::of(&version).ok_or(Reason::UnknownBranch(version))?;
        let began = clock::now_us();
        // SAFETY: Both go with the attachment, or with this function; GOING detaches.
        let (text, rodata) = unsafe { (target.text(), target.rodata()) };
        let found = sites::find(branch, &text)?;
        let tables = tables::locate(&rodata.image()).map_err(Reason::Tables)?;
        let locate_us = clock::now_us().saturating_sub(began);

        let attachment = Self {
            identity: target.identity(),
            version,
            locate_us,
            overrides: None,
            key_hooks: None,
            key_counts: KeyHookCounts::default(),
            unlocker: Unlocker::new(rodata, tables)?,
        };
        let mut attachment = KBox::new(attachment, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
        // Nothing was changed so far; from here on, failing means putting back.
        match attachment.place(&found, &text, canary) {
            Ok(()) => Ok(attachment),
            Err(reason) => {
                let retired = Self::detach(attachment);
                wait_for_hooks();
                drop(retired);
                Err(reason)
            }
        }
    }

    fn place(&mut self, found: &Found, text: &Section, canary: &Canary) -> Result<(), Reason> {
        if self.unlocker.is_needed() {
            // SAFETY: The box keeps the unlocker in its place, and `detach` takes the hooks away
            // before it.
            self.key_hooks = Some(unsafe { KeyHooks::place(&self.unlocker) }?);
        }
        self.overrides = Some(Overrides::place(found, text)?);
        Ok(canary.check()?)
    }

    /// Which load of the driver this is.
    pub fn identity(&self) -> usize {
        self.identity
    }

    /// The driver's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How long finding everything took, in microseconds.
    pub fn locate_us(&self) -> u64 {
        self.locate_us
    }

    /// The tables.
    pub fn unlocker(&self) -> &Unlocker {
        &self.unlocker
    }

    /// The overrides in force.
    pub fn overrides(&self) -> impl Iterator<Item = &sites::Override> {
        self.overrides.iter().flat_map(Overrides::iter)
    }

    /// Whether the driver's own checks decide over a board, and are overridden.
    pub fn checks_overridden(&self) -> bool {
        self.overrides().next().is_some()
    }

    /// Whether the hooks that wait for a key are in place, and what they did.
    pub fn key_hooks(&self) -> (bool, KeyHookCounts) {
        match &self.key_hooks {
            Some(hooks) => (true, hooks.counts()),
            None => (false, self.key_counts),
        }
    }

    /// Says what became of boards whose key was read, and takes the hooks away that nobody needs
    /// any more. May sleep.
    pub fn settle(&mut self) {
        while let Some((address, outcome)) = self.unlocker.untold() {
            tell(address, &outcome);
        }
        if !self.unlocker.is_needed() {
            if let Some(hooks) = self.key_hooks.take() {
                self.key_counts = hooks.counts();
                log::info(format_args!("every board has its entries, os_mem_copy is left alone"));
            }
        }
    }

    /// Takes everything away and puts everything back. May sleep.
    ///
    /// What is returned must be kept until no task can still be reading entries that were in the
    /// tables until now.
    pub fn detach(mut attachment: KBox<Self>) -> Retired {
        drop(attachment.overrides.take());
        drop(attachment.key_hooks.take());
        attachment.unlocker.restore();
        Retired(attachment)
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
