// SPDX-License-Identifier: GPL-2.0
//! Why something was not done.

use core::fmt;

use crate::logic::capability::tables::Unrecognised;
use crate::logic::driver::version::Version;
use crate::logic::rm_control::layout;
use crate::logic::signature::Hits;

/// Why the driver was left as it was, or all of it but its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The kernel's ftrace is off (`kernel.ftrace_enabled=0`).
    FtraceOff,
    /// Kprobes do nothing (`/sys/kernel/debug/kprobes/enabled`).
    KprobesOff,
    /// The driver says no version, or none that can be read.
    NoVersion,
    /// Nobody has proven what this driver branch needs.
    UnknownBranch(Version),
    /// A device-ID check was not found, or not once.
    Site(&'static str, Hits),
    /// It was found, but what belongs to it does not stand where it should.
    Detour(&'static str),
    /// Published patches have changed what the driver answers.
    Patched,
    /// `vgpu_unlock_hooks.c` is compiled into it.
    Hooks,
    /// It is NVIDIA's open module.
    Open(Version),
    /// The capability tables can't be told.
    Tables(Unrecognised),
    /// The kernel refused a hook, with this (negative) error number.
    Hook(&'static str, i32),
    /// Before Linux 6.1, the kernel's mdev core has no part in what files of vGPU types say.
    OldMdev,
    /// The kernel has no memory left.
    NoMemory,
}

impl Reason {
    /// Whether the answers to the daemons can be changed all the same: nothing has to be known for that
    /// but the structures' lengths, and nothing be changed in the driver.
    pub fn leaves_answers(&self) -> bool {
        match self {
            Reason::UnknownBranch(version) | Reason::Open(version) => layout::fits(version.branch),
            Reason::Site(..) | Reason::Detour(_) | Reason::Tables(_) => true,
            Reason::FtraceOff
            | Reason::KprobesOff
            | Reason::NoVersion
            | Reason::Patched
            | Reason::Hooks
            | Reason::Hook(..)
            | Reason::OldMdev
            | Reason::NoMemory => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::FtraceOff => f.write_str("ftrace is off (sysctl kernel.ftrace_enabled=1)"),
            Reason::KprobesOff => {
                f.write_str("kprobes are off (echo 1 > /sys/kernel/debug/kprobes/enabled)")
            }
            Reason::NoVersion => f.write_str("the driver does not say its version"),
            Reason::UnknownBranch(version) => {
                write!(f, "driver branch {} is not known", version.branch)
            }
            Reason::Site(name, Hits::Many) => {
                write!(f, "the signature of the {name} is found more than once")
            }
            Reason::Site(name, _) => write!(f, "the signature of the {name} is not found"),
            Reason::Detour(name) => {
                write!(f, "the {name} is found, but what it jumps to is not what is known of it")
            }
            Reason::Patched => f.write_str("this driver is patched: reinstall the original"),
            Reason::Hooks => f.write_str(
                "vgpu_unlock_hooks.c is compiled into this driver: reinstall the original",
            ),
            Reason::Open(_) => f.write_str(
                "open modules can't host vGPUs on boards up to Ampere: reinstall with the proprietary type",
            ),
            Reason::Tables(why) => write!(f, "{why}"),
            Reason::Hook(name, errno) => write!(f, "the {name} can't be hooked (error {errno})"),
            Reason::OldMdev => f.write_str(
                "before Linux 6.1 they are the driver's own; overrides work all the same",
            ),
            Reason::NoMemory => f.write_str("out of memory"),
        }
    }
}
