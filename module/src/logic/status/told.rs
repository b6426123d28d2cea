// SPDX-License-Identifier: GPL-2.0
//! How it stands with what the daemons are told, and with what is shown of vGPU types.

use core::fmt;

use super::reason::Reason;

/// How it stands with the files of vGPU types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeFiles {
    /// NVIDIA's module that registers types is not loaded.
    NotLoaded,
    /// It is, but the daemons are told nothing by us, so there is nothing to show.
    LeftAlone,
    /// They say what is true.
    Replaced {
        /// How often we were called, for files and otherwise.
        calls: u64,
        /// How many types are hidden.
        hidden: usize,
    },
    /// They say what the driver says, for this reason.
    Refused(Reason),
}

impl TypeFiles {
    /// One word for tools.
    pub fn word(self) -> &'static str {
        match self {
            TypeFiles::NotLoaded => "not loaded",
            TypeFiles::LeftAlone => "left alone",
            TypeFiles::Replaced { .. } => "replaced",
            TypeFiles::Refused(_) => "refused",
        }
    }

    /// Whether NVIDIA's module that registers types is loaded.
    pub fn is_loaded(self) -> bool {
        self != TypeFiles::NotLoaded
    }
}

/// Parameters of a length that no layout has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSize {
    /// The RM control command.
    pub command: u32,
    /// Bytes of its parameters.
    pub size: usize,
}

impl fmt::Display for UnknownSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownSize { command, size } = self;
        write!(f, "RM control command {command:#x} has parameters of {size} bytes, which is new")
    }
}

/// How it stands with what the daemons are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Calls that were looked at.
    pub seen: u64,
    /// Calls whose answer was changed.
    pub changed: u64,
    /// Calls that could not be looked at.
    pub lost: u64,
    /// Calls whose parameters have an unknown length, and the last one.
    pub unknown: Option<(u64, UnknownSize)>,
}
