// SPDX-License-Identifier: GPL-2.0
//! What the module did, for a person ([`text`]) and for tools ([`json`]).
//!
//! A [`Report`] is a picture taken under the module's lock; both forms say the same.

mod chain;
mod json;
mod text;

pub use chain::Link;
pub use json::Json;
pub use text::Text;

use core::fmt;

use crate::logic::capability::tables::Unrecognised;
use crate::logic::capability::unlock::Refusal;
use crate::logic::driver::version::Version;
use crate::logic::gpu::Answer;
use crate::logic::profile::Uuid;
use crate::logic::rm_control::ToldTable;
use crate::logic::signature::Hits;

/// The most GPUs that are looked after.
pub const MAX_GPUS: usize = 16;

/// Why the driver was left exactly as it was.
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
    /// The capability tables can't be told.
    Tables(Unrecognised),
    /// The kernel refused a hook, with this (negative) error number.
    Hook(&'static str, i32),
    /// Before Linux 6.1, the kernel's mdev core has no part in what files of vGPU types say.
    OldMdev,
    /// The kernel has no memory left.
    NoMemory,
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
            Reason::Tables(why) => write!(f, "{why}"),
            Reason::Hook(name, errno) => write!(f, "the {name} can't be hooked (error {errno})"),
            Reason::OldMdev => f.write_str(
                "before Linux 6.1 they are the driver's own; overrides work all the same",
            ),
            Reason::NoMemory => f.write_str("out of memory"),
        }
    }
}

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

/// How it stands with one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// NVIDIA lists it.
    Listed,
    /// No capable board is known for it.
    Unknown,
    /// The user wants it left alone.
    Off,
    /// The driver is not loaded.
    NoDriver,
    /// The driver was left as it is; see its state.
    NotUnlocked,
    /// The driver has not read the board's key yet, which it does when the first vGPU starts.
    Waiting,
    /// Everything that this driver branch needs is in force.
    Unlocked,
}

impl GpuState {
    /// One word for tools.
    pub fn word(self) -> &'static str {
        match self {
            GpuState::Listed => "listed",
            GpuState::Unknown => "unknown",
            GpuState::Off => "off",
            GpuState::NoDriver => "no driver",
            GpuState::NotUnlocked => "not unlocked",
            GpuState::Waiting => "waiting",
            GpuState::Unlocked => "unlocked",
        }
    }

    /// A sentence for people.
    pub fn explanation(self) -> &'static str {
        match self {
            GpuState::Listed => "NVIDIA lists this board, it needs nothing",
            GpuState::Unknown => "no vGPU-capable board with this silicon is known",
            GpuState::Off => "left alone, because of the parameter gpus",
            GpuState::NoDriver => "waiting for the driver to be loaded",
            GpuState::NotUnlocked => "not unlocked, see above",
            GpuState::Waiting => "waiting for the driver to read the board's key",
            GpuState::Unlocked => "unlocked",
        }
    }
}

/// One board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Where it is.
    pub address: Address,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
    /// What it is answered as.
    pub answer: Answer,
    /// How it stands.
    pub state: GpuState,
    /// The driver's branch no longer lists the board that it is answered as: the unlock works, but
    /// the profiles have to come from the `vgpuConfig.xml` of an older branch.
    pub profiles_gone: bool,
    /// How many vGPU types are registered for it, where that can be told at the moment.
    pub types: Option<u32>,
    /// How many vGPUs it has.
    pub vgpus: u32,
}

/// A vGPU that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vgpu {
    /// Its board.
    pub gpu: Address,
    /// Its UUID.
    pub uuid: Uuid,
    /// The N of its type `nvidia-N`.
    pub vgpu_type: Option<u32>,
}

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

/// A PCI address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// PCI domain.
    pub domain: u32,
    /// PCI bus.
    pub bus: u8,
    /// PCI slot, 0 to 31.
    pub slot: u8,
    /// PCI function, 0 to 7.
    pub function: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { domain, bus, slot, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")
    }
}

/// How it stands with a board that is answered as another, given what the driver needs.
///
/// `checks_overridden` says that the driver's own checks decide, and are overridden; otherwise the
/// tables decide, and `entries_written` says whether the board has its entries.
pub fn unlocked_state(
    driver: &DriverState,
    checks_overridden: bool,
    entries_written: Option<Result<(), Refusal>>,
) -> GpuState {
    match (driver, checks_overridden, entries_written) {
        (DriverState::Absent, ..) => GpuState::NoDriver,
        (DriverState::Refused(_) | DriverState::Disabled, ..) => GpuState::NotUnlocked,
        (DriverState::Attached, true, _) => GpuState::Unlocked,
        // Entries that were written need no hook any more.
        (_, false, Some(Ok(()))) => GpuState::Unlocked,
        (DriverState::Silent(_), ..) => GpuState::NotUnlocked,
        (DriverState::Attached, false, Some(Err(_))) => GpuState::NotUnlocked,
        (DriverState::Attached, false, None) => GpuState::Waiting,
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

/// The whole picture.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// Our own version.
    pub module_version: &'static str,
    /// The driver's version, once one was seen.
    pub driver_version: Option<Version>,
    /// How it stands with the driver.
    pub driver: DriverState,
    /// The boards.
    pub gpus: &'a [Gpu],
    /// The vGPUs of all boards; no more than can be listed.
    pub vgpus: &'a [Vgpu],
    /// The hooks, in the order they were placed.
    pub hooks: &'a [Hook],
    /// The files of vGPU types.
    pub types: TypeFiles,
    /// What the daemons were told about vGPUs.
    pub told: &'a ToldTable,
    /// What the daemons are told.
    pub answers: Answers,
    /// The capability tables.
    pub tables: TablesState,
    /// How many boards the driver lists, or 0 where that is not known.
    pub gpu_list_count: usize,
    /// How many entries of the tables are ours.
    pub entries: usize,
    /// How long finding everything in the driver took, in microseconds.
    pub locate_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::gpu;
    use std::string::ToString;

    pub fn report<'a>(driver: DriverState, gpus: &'a [Gpu], hooks: &'a [Hook]) -> Report<'a> {
        Report {
            module_version: "1.2.3",
            driver_version: Version::parse(b"550.163.01"),
            driver,
            gpus,
            vgpus: &[],
            hooks,
            types: TypeFiles::NotLoaded,
            told: &ToldTable::EMPTY,
            answers: Answers::default(),
            tables: TablesState::Located,
            gpu_list_count: 1047,
            entries: 0,
            locate_us: 900,
        }
    }

    pub fn board(device: u16, state: GpuState) -> Gpu {
        Gpu {
            address: Address { domain: 0, bus: 1, slot: 0, function: 0 },
            device,
            subsystem: 0x120f,
            answer: gpu::answer(device),
            state,
            profiles_gone: device == 0x1b06,
            types: Some(0),
            vgpus: 0,
        }
    }

    #[test]
    fn text_tells_the_whole_story() {
        let hooks = [Hook {
            name: "board check",
            kind: "kprobe",
            state: HookState::Placed,
            hits: 3,
            misses: 1,
        }];
        let gpus = [board(0x1b06, GpuState::Unlocked), board(0x1db6, GpuState::Listed)];
        let expected = "\
vgpu_unlock 1.2.3
driver: 550.163.01, attached
gpu 0000:01:00.0 10de:1b06, answered as 10de:1b38 Tesla P40: unlocked
  this driver branch has no profiles for it: take vgpuConfig.xml from 16.x (535)
  so far: driver attached, board known, unlocked
  missing: nvidia-vgpud asked (nvidia-vgpud has not asked since the module was loaded: systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud)
gpu 0000:01:00.0 10de:1db6: NVIDIA lists this board, it needs nothing
  so far: driver attached, board known, unlocked
  missing: nvidia-vgpud asked (nvidia-vgpud has not asked since the module was loaded: systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud)
hook board check (kprobe): placed, 3 hits, 1 misses
capability tables: located, 1047 boards listed
everything located in 900 us
";
        assert_eq!(Text(&report(DriverState::Attached, &gpus, &hooks)).to_string(), expected);
    }

    #[test]
    fn text_says_why_nothing_was_done() {
        let reason = Reason::Site("board check", Hits::Many);
        let mut report = report(DriverState::Refused(reason), &[], &[]);
        report.tables = TablesState::Absent;
        let expected = "\
vgpu_unlock 1.2.3
driver: 550.163.01, left exactly as it is: the signature of the board check is found more than once
gpus: none found
capability tables: absent
";
        assert_eq!(Text(&report).to_string(), expected);
    }

    #[test]
    fn json_parses_whatever_is_in_it() {
        let version = Version::parse(b"570.1").unwrap();
        let reasons = [
            Reason::FtraceOff,
            Reason::KprobesOff,
            Reason::NoVersion,
            Reason::UnknownBranch(version),
            Reason::Site("second gate", Hits::None),
            Reason::Tables(Unrecognised::TwoGpuLists),
            Reason::Hook("os_mem_copy", -16),
            Reason::NoMemory,
        ];
        for reason in reasons {
            let gpus = [board(0x1b06, GpuState::NotUnlocked), board(0x2684, GpuState::Unknown)];
            let text = Json(&report(DriverState::Refused(reason), &gpus, &[])).to_string();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["driver"]["state"], "refused");
            assert_eq!(json["driver"]["reason"], reason.to_string());
            assert_eq!(json["gpus"][0]["answered_as"]["name"], "Tesla P40");
            assert!(json["gpus"][1]["answered_as"].is_null());
        }
        for refusal in [Refusal::WrongKey, Refusal::NoRoom { needed: 25, left: 3 }] {
            let mut report = report(DriverState::Attached, &[], &[]);
            report.tables = TablesState::Refused(refusal);
            let json: serde_json::Value = serde_json::from_str(&Json(&report).to_string()).unwrap();
            assert_eq!(json["tables"]["reason"], refusal.to_string());
        }
    }

    #[test]
    fn a_board_is_unlocked_when_everything_its_branch_needs_is_in_force() {
        use GpuState::*;
        let attached = DriverState::Attached;
        let refused = DriverState::Refused(Reason::NoMemory);
        let silent = DriverState::Silent(Reason::KprobesOff);
        for (driver, checks, written, expected) in [
            (DriverState::Absent, false, None, NoDriver),
            (refused, false, None, NotUnlocked),
            // 525 and newer: the checks decide.
            (attached, true, None, Unlocked),
            (attached, true, Some(Err(Refusal::WrongKey)), Unlocked),
            // 510 and older: the tables do.
            (attached, false, None, Waiting),
            (attached, false, Some(Ok(())), Unlocked),
            (attached, false, Some(Err(Refusal::WrongKey)), NotUnlocked),
            // Dead hooks override nothing, but what is written is written.
            (silent, true, Some(Ok(())), NotUnlocked),
            (silent, false, Some(Ok(())), Unlocked),
            (silent, false, None, NotUnlocked),
            (DriverState::Disabled, false, None, NotUnlocked),
        ] {
            assert_eq!(unlocked_state(&driver, checks, written), expected);
        }
    }
}
