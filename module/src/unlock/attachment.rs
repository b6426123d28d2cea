// SPDX-License-Identifier: GPL-2.0
//! Everything we have done to one load of NVIDIA's driver.

use core::ffi::CStr;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::sites::{self, Checks};
use super::tables::{Keys, Outcome, Unlocker, Watched};
use super::vgpud;
use crate::logic::capability::tables;
use crate::logic::driver::branch::{self, Proof};
use crate::logic::driver::stranger;
use crate::logic::driver::version::Version;
use crate::logic::gpu::{self, Address};
use crate::logic::rm_control::{self, command::nvos54};
use crate::logic::status::{Reason, Way};
use crate::sys::calls::{self, Calls};
use crate::sys::canary::Hooks;
use crate::sys::target::Target;
use crate::sys::{clock, log, probe, Errno, NO_ENTRY};
use crate::unlock::{answers, boards};

/// Where RM control calls come in, what to call it, and where the device is opened before: up to 535 a front
/// end that some of these drivers have beside functions of the newer names that they do not use, from 550 on
/// those functions.
const IOCTLS: [(&CStr, &str, &CStr); 2] = [
    (
        c"nvidia:nvidia_frontend_unlocked_ioctl",
        "nvidia_frontend_unlocked_ioctl",
        c"nvidia:nvidia_frontend_open",
    ),
    (c"nvidia:nvidia_unlocked_ioctl", "nvidia_unlocked_ioctl", c"nvidia:nvidia_open"),
];

/// What vGPU-Unlock-patcher adds to a driver, as a probe is named.
const PATCHER: &CStr = c"nvidia:vup_hooks_init";
const PATCHERS: &str = "vup_hooks_init";

/// Where a call's command is.
const CMD: u32 = nvos54::CMD as u32;

/// What is in place. It goes through [`Attachment::detach`] and no other way.
pub struct Attachment {
    identity: usize,
    version: Version,
    locate_us: u64,
    calls: Option<(&'static str, Calls)>,
    /// Why the daemons' calls could not be watched again when one came, where that was said.
    lost: Option<Errno>,
    unlocking: Unlocking,
}

/// What makes the driver accept boards.
enum Unlocking {
    /// All that its branch needs.
    Branch { proof: Proof, checks: Checks, tables: Option<Watched> },
    /// Nothing, for this reason: its answers to the daemons are all that is changed.
    Nothing(Reason),
}

impl Unlocking {
    /// Finds all that this driver needs. Nothing is changed.
    fn find(target: &Target, version: Version) -> Result<Self, Reason> {
        match probe::address_of(PATCHER) {
            Ok(_) => return Err(Reason::Patched),
            Err(NO_ENTRY) => {}
            // That nobody could look does not say that there is none.
            Err(errno) => return Err(Reason::Hook(PATCHERS, errno)),
        }
        // SAFETY: Both go with the attachment, or with this function; GOING detaches.
        let (text, rodata) = unsafe { (target.text(), target.rodata()) };
        let found = match branch::of(&version) {
            Some(branch) => sites::find(branch, &text).map(|found| (branch, found)),
            None => Err(Reason::UnknownBranch(version)),
        };
        let (branch, found) = found.map_err(|reason| match branch::of(&version) {
            Some(branch) if stranger::is_patched(branch, text.bytes()) => Reason::Patched,
            _ if stranger::is_open(rodata.bytes()) => Reason::Open(version),
            _ => reason,
        })?;
        let checks = Checks::new(found, text);
        let tables = if branch.needs_tables {
            if stranger::has_hooks(rodata.bytes()) {
                return Err(Reason::Hooks);
            }
            let tables = tables::locate(&rodata.image()).map_err(Reason::Tables)?;
            Some(Watched::new(rodata, tables)?)
        } else {
            None
        };
        Ok(Self::Branch { proof: branch.proof, checks, tables })
    }
}

impl Attachment {
    /// Does all that this driver needs, or nothing; or, where what it needs is not known, changes only its
    /// answers to the daemons. `keys` has what this load of it has read of boards.
    ///
    /// # Errors
    /// Why the driver was left exactly as it was.
    pub fn new(
        target: &Target,
        version: Version,
        hooks: &Hooks,
        keys: &Keys,
    ) -> Result<KBox<Self>, Reason> {
        hooks.check()?;
        let began = clock::now_us();
        let unlocking = match Unlocking::find(target, version) {
            Err(reason) if reason.leaves_answers() => Unlocking::Nothing(reason),
            found => found?,
        };
        let locate_us = clock::now_us().saturating_sub(began);
        let identity = target.identity();
        let attachment = Self { identity, version, locate_us, calls: None, lost: None, unlocking };
        let mut attachment = KBox::new(attachment, GFP_KERNEL).map_err(|_| Reason::NoMemory)?;
        // Nothing was changed so far; from here on, failing means putting back.
        vgpud::attached(&version);
        match attachment.place(keys).and_then(|()| hooks.check()) {
            Ok(()) => Ok(attachment),
            Err(reason) => {
                let mut unread = Keys::NONE;
                attachment.detach(true, &mut unread);
                Err(reason)
            }
        }
    }

    fn place(&mut self, keys: &Keys) -> Result<(), Reason> {
        let only = self.only_answers();
        answers::restrict(only.is_some());
        self.watch_calls()?;
        match (only, self.calls.is_some()) {
            (Some(reason), false) => return Err(reason),
            (None, false) => log::warn(format_args!(
                "the driver's ioctl is not found: its daemons get its own answers"
            )),
            (_, true) => {}
        }
        self.override_checks()?;
        match &mut self.unlocking {
            Unlocking::Branch { tables: Some(tables), .. } => tables.begin(keys),
            _ => Ok(()),
        }
    }

    fn watch_calls(&mut self) -> Result<(), Reason> {
        for (symbol, name, open) in IOCTLS {
            // SAFETY: There is one attachment at a time, and it detaches before the driver goes.
            match unsafe { Calls::watch(symbol, open, CMD, &rm_control::OURS) } {
                Ok(calls) => {
                    self.calls = Some((name, calls));
                    break;
                }
                Err(NO_ENTRY) => {}
                Err(errno) => return Err(probe::reason(name, errno)),
            }
        }
        Ok(())
    }

    /// Overrides the driver's checks, where that is of use to a board.
    fn override_checks(&mut self) -> Result<(), Reason> {
        match &mut self.unlocking {
            Unlocking::Branch { checks, .. } if boards::want_unlock(self.version.branch) => {
                checks.override_all()
            }
            _ => Ok(()),
        }
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

    /// Why nothing but the answers to the daemons is changed, where that is so.
    pub fn only_answers(&self) -> Option<Reason> {
        match &self.unlocking {
            Unlocking::Branch { .. } => None,
            Unlocking::Nothing(reason) => Some(*reason),
        }
    }

    /// How far the driver's branch was seen to work.
    pub fn proof(&self) -> Option<Proof> {
        match &self.unlocking {
            Unlocking::Branch { proof, .. } => Some(*proof),
            Unlocking::Nothing(_) => None,
        }
    }

    fn tables(&self) -> Option<&Watched> {
        match &self.unlocking {
            Unlocking::Branch { tables, .. } => tables.as_ref(),
            Unlocking::Nothing(_) => None,
        }
    }

    /// The tables, where the driver goes by them.
    pub fn unlocker(&self) -> Option<&Unlocker> {
        self.tables().map(Watched::unlocker)
    }

    /// The overrides in force.
    pub fn overrides(&self) -> impl Iterator<Item = &sites::Override> {
        let checks = match &self.unlocking {
            Unlocking::Branch { checks, .. } => Some(checks),
            Unlocking::Nothing(_) => None,
        };
        checks.into_iter().flat_map(Checks::overrides)
    }

    /// What makes the driver accept the board at `address` with this device ID.
    pub fn way(&self, address: Address, device: u16) -> Way {
        let open = matches!(self.unlocking, Unlocking::Nothing(Reason::Open(_)));
        if open && !gpu::hosts_with_open_modules(device) {
            return Way::OpenModules;
        }
        match self.unlocker() {
            None => Way::Checks(self.overrides().next().is_some()),
            Some(unlocker) => Way::Tables(match unlocker.outcome(address) {
                None | Some(Outcome::Waiting) => None,
                Some(Outcome::Unlocked(_)) => Some(Ok(())),
                Some(Outcome::Refused(refusal)) => Some(Err(refusal)),
            }),
        }
    }

    /// The driver's ioctl by its name, whether it is hooked now, and the daemons' calls of it that were seen,
    /// and that were lost; `None` where they are not watched.
    pub fn calls(&self) -> Option<(&'static str, Result<bool, Errno>, u64, u64)> {
        let of = |(name, calls): &(_, Calls)| (*name, calls.placed(), calls.hits(), calls::lost());
        self.calls.as_ref().map(of)
    }

    /// Whether the hook that waits for a key is in place, and how many copies it saw; `None` where the driver
    /// does not go by the tables.
    pub fn key_hook(&self) -> Option<(bool, u64)> {
        self.tables().map(Watched::hook)
    }

    /// Takes the boards as they are now, and says what became of those whose key was read. May sleep.
    pub fn settle(&mut self, keys: &mut Keys) {
        if let Err(reason) = self.override_checks() {
            log::warn(format_args!("a board that came is not unlocked: {reason}"));
        }
        self.warn_of_lost_calls();
        if let Unlocking::Branch { tables: Some(tables), .. } = &mut self.unlocking {
            tables.settle(keys);
        }
    }

    fn warn_of_lost_calls(&mut self) {
        let error = self.calls().and_then(|(name, placed, ..)| Some((name, placed.err()?)));
        match error {
            Some((name, errno)) if self.lost != Some(errno) => log::warn(format_args!(
                "a vGPU daemon gets the driver's own answers: {}",
                probe::reason(name, errno)
            )),
            _ => {}
        }
        self.lost = error.map(|(_, errno)| errno);
    }

    /// Takes everything away and puts everything back. May sleep.
    ///
    /// `driver_lives` says that the driver goes on running; what it has read of boards is kept in `keys`.
    pub fn detach(&mut self, driver_lives: bool, keys: &mut Keys) {
        drop(self.calls.take());
        if let Unlocking::Branch { checks, tables, .. } = &mut self.unlocking {
            checks.give_back();
            if let Some(tables) = tables {
                tables.take_back(driver_lives, keys);
            }
        }
    }
}
