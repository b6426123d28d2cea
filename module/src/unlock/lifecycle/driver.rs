// SPDX-License-Identifier: GPL-2.0
//! How it stands with one load of NVIDIA's driver.

use core::fmt;

use kernel::alloc::KBox;

use crate::logic::driver::version::Version;
use crate::logic::status::Reason;
use crate::unlock::attachment::Attachment;

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
