// SPDX-License-Identifier: GPL-2.0
//! Everything we have done to one load of NVIDIA's driver.

use core::ffi::CStr;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::sites::{self, Found, Overrides};
use super::tables::{KeyHook, Outcome, Unlocker};
use super::vgpud;
use crate::logic::capability::tables;
use crate::logic::driver::branch;
use crate::logic::driver::version::Version;
use crate::logic::gpu::Address;
use crate::logic::rm_control::{self, command::nvos54};
use crate::logic::status::Reason;
use crate::sys::calls::{self, Calls};
use crate::sys::canary::Hooks;
use crate::sys::memory::Section;
use crate::sys::target::Target;
use crate::sys::{clock, log, probe, NO_ENTRY};

/// Where RM control calls come in, and what to call it: up to 535 a front end that some of these
/// drivers have beside a function of the newer name that they do not use, from 550 on that function.
const IOCTLS: [(&CStr, &str); 2] = [
    (c"nvidia:nvidia_frontend_unlocked_ioctl", "nvidia_frontend_unlocked_ioctl"),
    (c"nvidia:nvidia_unlocked_ioctl", "nvidia_unlocked_ioctl"),
];

/// Where a call's command is.
const CMD: u32 = nvos54::CMD as u32;

/// What is in place. It goes through [`Attachment::detach`] and no other way.
pub struct Attachment {
    identity: usize,
    version: Version,
    locate_us: u64,
    calls: Option<(&'static str, Calls)>,
    overrides: Option<Overrides>,
    key_hook: Option<KeyHook>,
    /// What the key hook had seen when it was taken away.
    key_hits: u64,
    // Behind the hooks that point to it, should this value ever be dropped as it is.
    unlocker: KBox<Unlocker>,
}

impl Attachment {
    /// Does all that this driver needs, or nothing.
    ///
    /// # Errors
    /// Why the driver was left exactly as it was.
    pub fn new(target: &Target, version: Version, hooks: &Hooks) -> Result<KBox<Self>, Reason> {
        hooks.check()?;
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
            calls: None,
            overrides: None,
            key_hook: None,
            key_hits: 0,
            unlocker: Unlocker::new(rodata, tables)?,
        };
        let mut attachment = KBox::new(attachment, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
        // Nothing was changed so far; from here on, failing means putting back.
        vgpud::attached(&version);
        match attachment.place(&found, &text).and_then(|()| hooks.check()) {
            Ok(()) => Ok(attachment),
            Err(reason) => {
                attachment.detach(true);
                Err(reason)
            }
        }
    }

    fn place(&mut self, found: &Found, text: &Section) -> Result<(), Reason> {
        if self.unlocker.is_needed() {
            // SAFETY: The box keeps the unlocker in its place, and `detach` takes the hook away
            // before it.
            self.key_hook = Some(unsafe { KeyHook::place(&self.unlocker) }?);
        }
        if self.unlocker.is_wanted() {
            self.overrides = Some(Overrides::place(found, text)?);
        }
        for (symbol, name) in IOCTLS {
            // SAFETY: There is one attachment at a time, and it detaches before the driver goes.
            match unsafe { Calls::watch(symbol, CMD, &rm_control::OURS) } {
                Ok(calls) => {
                    self.calls = Some((name, calls));
                    break;
                }
                Err(NO_ENTRY) => {}
                Err(errno) => return Err(probe::reason(name, errno)),
            }
        }
        if self.calls.is_none() {
            log::warn(format_args!(
                "the driver's ioctl is not found: its daemons get its own answers"
            ));
        }
        Ok(())
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

    /// The driver's ioctl by its name, and the daemons' calls of it that were seen, and that were
    /// lost; `None` where they are not watched.
    pub fn calls(&self) -> Option<(&'static str, u64, u64)> {
        self.calls.as_ref().map(|(name, watched)| (*name, watched.hits(), calls::lost()))
    }

    /// Whether the driver's own checks decide over a board, and are overridden.
    pub fn checks_overridden(&self) -> bool {
        self.overrides().next().is_some()
    }

    /// Whether the hook that waits for a key is in place, and how many copies it saw.
    pub fn key_hook(&self) -> (bool, u64) {
        match &self.key_hook {
            Some(hook) => (true, hook.hits()),
            None => (false, self.key_hits),
        }
    }

    /// Says what became of boards whose key was read, and takes the hook away that nobody needs any
    /// more. May sleep.
    pub fn settle(&mut self) {
        while let Some((address, outcome)) = self.unlocker.untold() {
            tell(address, &outcome);
        }
        if !self.unlocker.is_needed() {
            if let Some(hook) = self.key_hook.take() {
                self.key_hits = hook.hits();
                log::info(format_args!("every board has its entries, os_mem_copy is left alone"));
            }
        }
    }

    /// Takes everything away and puts everything back. May sleep.
    ///
    /// `driver_lives` says that the driver goes on running.
    pub fn detach(&mut self, driver_lives: bool) {
        drop(self.calls.take());
        drop(self.overrides.take());
        drop(self.key_hook.take());
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
