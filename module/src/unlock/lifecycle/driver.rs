// SPDX-License-Identifier: GPL-2.0
//! How it stands with one load of NVIDIA's driver.

use core::fmt;

use kernel::alloc::KBox;

use crate::logic::driver::version::Version;
use crate::logic::status::{DriverState, Reason};
use crate::sys::canary::Hooks;
use crate::sys::log;
use crate::unlock::attachment::Attachment;
use crate::unlock::tables::Keys;

/// How it stands with NVIDIA's driver.
pub enum Driver {
    /// It is not loaded.
    Absent,
    /// It is hooked.
    Attached(KBox<Attachment>),
    /// It is loaded, and was left exactly as it was.
    Refused {
        /// Which load of it.
        identity: usize,
        /// Its version, if it could be told.
        version: Option<Version>,
        /// Why.
        reason: Reason,
    },
}

impl Driver {
    /// Something to tell this load from others by.
    pub fn identity(&self) -> Option<usize> {
        match self {
            Driver::Absent => None,
            Driver::Attached(attachment) => Some(attachment.identity()),
            Driver::Refused { identity, .. } => Some(*identity),
        }
    }

    /// The driver's version, if it is loaded and says it.
    pub fn version(&self) -> Option<Version> {
        match self {
            Driver::Absent => None,
            Driver::Attached(attachment) => Some(attachment.version()),
            Driver::Refused { version, .. } => *version,
        }
    }

    /// Whether daemons are told what the user wants.
    pub fn is_watched(&self) -> bool {
        match self {
            Driver::Attached(attachment) => attachment.calls().is_some(),
            Driver::Absent | Driver::Refused { .. } => false,
        }
    }

    /// Puts everything back; says whether there was something to put back. `keys` gets what the driver has
    /// read of boards. May sleep.
    pub fn let_go(&mut self, driver_lives: bool, keys: &mut Keys) -> bool {
        match core::mem::replace(self, Driver::Absent) {
            Driver::Attached(mut attachment) => {
                attachment.detach(driver_lives, keys);
                true
            }
            Driver::Absent | Driver::Refused { .. } => false,
        }
    }

    /// How it stands in a word, having looked whether hooks do anything at the moment.
    pub fn state(&self, hooks: &Hooks) -> DriverState {
        match self {
            Driver::Absent => DriverState::Absent,
            Driver::Attached(attachment) => match (hooks.check(), attachment.only_answers()) {
                (Err(reason), _) => DriverState::Silent(reason),
                (Ok(()), Some(reason)) => DriverState::AnswersOnly(reason),
                (Ok(()), None) => DriverState::Attached,
            },
            Driver::Refused { reason, .. } => DriverState::Refused(*reason),
        }
    }
}

/// " 550.163.01", or nothing where the version is not known.
pub struct Named(pub Option<Version>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

/// Writes a line to the log about what was done to the driver.
pub fn log_attached(attachment: &Attachment) {
    let (version, checks) = (attachment.version(), attachment.overrides().count());
    match (attachment.only_answers(), attachment.unlocker()) {
        (Some(reason), _) => log::warn(format_args!(
            "NVIDIA's driver {version}: only its answers to the daemons are changed, for boards that it lists \
             itself: {reason}"
        )),
        (None, Some(unlocker)) => log::info(format_args!(
            "attached to NVIDIA's driver {version}: {checks} checks overridden, {} boards in its capability \
             tables",
            unlocker.gpu_list_count()
        )),
        (None, None) => log::info(format_args!(
            "attached to NVIDIA's driver {version}: {checks} checks overridden"
        )),
    }
}
