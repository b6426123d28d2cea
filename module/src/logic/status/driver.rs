// SPDX-License-Identifier: GPL-2.0
//! How it stands with the driver, and with what was done to it.

use super::reason::Reason;
use crate::logic::capability::unlock::Refusal;

/// How it stands with NVIDIA's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverState {
    /// It is not loaded.
    Absent,
    /// It is hooked.
    Attached,
    /// It is hooked, but the kernel does not run the hooks any more.
    Silent(Reason),
    /// It is loaded, and was left exactly as it was.
    Refused(Reason),
    /// The user has switched us off.
    Disabled,
}

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookState {
    /// It is in place and working.
    Placed,
    /// It is in place, but the kernel does not run it any more.
    Silent,
    /// It was taken away because nobody needs it any more.
    Done,
}

impl HookState {
    /// One word for people and tools.
    pub fn word(self) -> &'static str {
        match self {
            HookState::Placed => "placed",
            HookState::Silent => "silent",
            HookState::Done => "done",
        }
    }
}

/// One hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// What it is for.
    pub name: &'static str,
    /// The kernel's mechanism.
    pub kind: &'static str,
    /// How it stands.
    pub state: HookState,
    /// How often it was run.
    pub hits: u64,
    /// How often the kernel could not run it.
    pub misses: u64,
}

/// How it stands with the capability tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablesState {
    /// There is no driver, or it was refused.
    Absent,
    /// They were found and are as NVIDIA made them.
    Located,
    /// Entries were written for every board whose key was read.
    Rewritten,
    /// A board whose key was read was refused; nothing was written for it.
    Refused(Refusal),
}

impl TablesState {
    /// One word for people and tools.
    pub fn word(self) -> &'static str {
        match self {
            TablesState::Absent => "absent",
            TablesState::Located => "located",
            TablesState::Rewritten => "rewritten",
            TablesState::Refused(_) => "refused",
        }
    }
}
