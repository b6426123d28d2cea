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
    /// Only its answers to the daemons are changed, for this reason: overrides work for boards that it
    /// lists itself, and nothing else is done.
    AnswersOnly(Reason),
    /// It is hooked, but the kernel does not run the hooks any more.
    Silent(Reason),
    /// It is loaded, and was left exactly as it was.
    Refused(Reason),
    /// The user has switched us off.
    Disabled,
}

impl DriverState {
    /// One word for tools.
    pub fn word(&self) -> &'static str {
        match self {
            DriverState::Absent => "absent",
            DriverState::Attached => "attached",
            DriverState::AnswersOnly(_) => "answers only",
            DriverState::Silent(_) => "silent",
            DriverState::Refused(_) => "refused",
            DriverState::Disabled => "disabled",
        }
    }

    /// Why it is not attached, where there is a reason.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            DriverState::Absent | DriverState::Attached | DriverState::Disabled => None,
            DriverState::AnswersOnly(reason)
            | DriverState::Silent(reason)
            | DriverState::Refused(reason) => Some(reason),
        }
    }
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
    /// It was taken away because there is no vGPU daemon, and is placed again when one comes.
    Resting,
    /// It could not be placed again for a vGPU daemon that came.
    Lost,
}

impl HookState {
    /// One word for people and tools.
    pub fn word(self) -> &'static str {
        match self {
            HookState::Placed => "placed",
            HookState::Silent => "silent",
            HookState::Done => "done",
            HookState::Resting => "resting",
            HookState::Lost => "lost",
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
    /// There is no driver, or nothing of it is changed.
    Absent,
    /// The driver's branch does not go by them, so nobody has looked.
    NotNeeded,
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
            TablesState::NotNeeded => "not needed",
            TablesState::Located => "located",
            TablesState::Rewritten => "rewritten",
            TablesState::Refused(_) => "refused",
        }
    }
}
