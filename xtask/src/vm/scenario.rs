// SPDX-License-Identifier: GPL-2.0
//! The scenarios, and what each needs of its machine.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{
    emulated_gpu::{GTX_970, GTX_1080_TI, Model, RTX_2080_TI, TESLA_P40, TITAN_V},
    outcome::Outcome,
    standin::{self, Variant},
};
use crate::kernel::Target;

/// What the runner itself must make of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Everything holds.
    Success,
    /// A check fails and nothing else is wrong.
    FailedCheck,
    /// The problem that is reported begins with these words.
    Problem(&'static str),
}

/// One scenario of the guest's.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What guest and command line call it.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The kernels that it is run on.
    pub targets: &'static [&'static str],
    /// The version of NVIDIA's own driver that it needs.
    pub real_driver: Option<&'static str>,
    /// The stand-ins that it needs.
    pub standins: &'static [Variant],
    /// Directories below tests/modules with further modules of C that it needs.
    pub helpers: &'static [&'static str],
    /// Whether it needs our module.
    pub unlock: bool,
    /// Programs of the root's that it starts, by their paths.
    pub programs: &'static [&'static str],
    /// Whether it needs libvirt, which the root does not have.
    pub libvirt: bool,
    /// Whether it needs daemons that give boards up.
    pub daemons: bool,
    /// The machine's boards, in the order of their addresses.
    pub boards: &'static [Model],
    /// Whether it has an IOMMU.
    pub iommu: bool,
    /// Modules of the kernel's that it needs besides those that ours need.
    pub kernels_modules: &'static [&'static str],
    /// Whether it needs vgpu_unlock-rs, and a daemon that it can be preloaded into.
    pub preloaded: bool,
    /// Init, where it is not ours.
    pub init: Option<&'static str>,
    /// How many rounds it has, where that is told.
    pub rounds: Option<u32>,
    /// Whether it is run by command only, and never regularly: it takes long, or shows more on kernels of our own.
    pub by_command: bool,
    /// Whether the machine's clock counts its instructions instead of time.
    pub counted: bool,
    /// From power-on to power-off, without KVM on two slow cores.
    pub timeout: Duration,
    /// What must come of it.
    pub expect: Expect,
}

impl Scenario {
    /// Whether it is run on a kernel. On one that we build ourselves it is all that is not about NVIDIA's driver, nor
    /// about the runner.
    pub fn is_for(&self, target: &Target) -> bool {
        if target.own.is_some() {
            return self.targets.len() > 1 && self.real_driver.is_none() && !self.libvirt;
        }
        self.targets.contains(&target.name)
    }
}

/// The kernel of today's stable distributions. Every scenario is run on it, and that suffices where
/// the runner itself is what is looked at, or where no kernel would show more.
pub const STABLE: &[&str] = &["debian-6.12"];

/// Both crates that the module can be built over: this project's, which nearly everybody gets, and the
/// kernel's own.
const BOTH_CRATES: &[&str] = &["debian-6.12", "debian-7.2-linked"];

/// … and, over this project's, the oldest kernel with today's mdev core and one of the newest: what comes
/// and goes under load leans on the kernel's locks, and on when it frees what.
const UNDER_LOAD: &[&str] = &["debian-6.12", "debian-7.2-linked", "debian-6.1", "debian-7.2"];

/// … and, over this project's, the oldest and the newest kernel: how others hook is not what it was.
const OLDEST_AND_NEWEST: &[&str] =
    &["debian-6.12", "debian-7.2-linked", "debian-5.10", "debian-7.3"];

/// … and every other kernel, over this project's.
const EVERY_KERNEL: &[&str] = &[
    "debian-6.12",
    "debian-7.2-linked",
    "debian-6.1",
    "debian-7.2",
    "debian-5.10",
    "debian-6.12-rt",
    "debian-7.3",
    "sid",
];

/// … and over the kernel's own wherever there is one: nothing is built that is not loaded.
const EVERY_TARGET: &[&str] = &[
    "debian-6.12",
    "debian-7.2-linked",
    "debian-6.1",
    "debian-7.2",
    "debian-5.10",
    "debian-6.12-rt",
    "debian-7.3",
    "sid",
    "debian-7.3-linked",
];

/// What NVIDIA's 550.163.01 is run on: it does not compile for much newer kernels.
const NVIDIAS: &[&str] = &["debian-6.12", "debian-6.1"];

/// What NVIDIA's older drivers are run on, which do not compile for newer kernels.
const OLDER: &[&str] = &["debian-6.1"];

/// What a machine has that says nothing else.
pub const ONE_BOARD: &[Model] = &[GTX_1080_TI];

const DEFAULT: Scenario = Scenario {
    name: "",
    about: "",
    targets: BOTH_CRATES,
    real_driver: None,
    standins: &[],
    helpers: &[],
    unlock: false,
    programs: &[],
    libvirt: false,
    daemons: false,
    boards: ONE_BOARD,
    iommu: false,
    kernels_modules: &[],
    preloaded: false,
    init: None,
    rounds: None,
    by_command: false,
    counted: false,
    timeout: Duration::from_secs(180),
    expect: Expect::Success,
};

const SELFTEST: Scenario =
    Scenario { targets: STABLE, timeout: Duration::from_secs(60), ..DEFAULT };

/// NVIDIA's driver whose checks decide, and one that goes by the capability tables.
const CHECKS: &str = "550.163.01";
const TABLES: &str = "470.256.02";

const REAL: Scenario = Scenario {
    targets: NVIDIAS,
    real_driver: Some(CHECKS),
    unlock: true,
    timeout: Duration::from_secs(300),
    ..DEFAULT
};

const STORM: Scenario = Scenario {
    standins: standin::WAYS,
    unlock: true,
    rounds: Some(20),
    timeout: Duration::from_secs(420),
    ..DEFAULT
};

/// What manages mediated devices, and whose files Proxmox and libvirt share.
const MDEVCTL: &str = "/usr/bin/mdevctl";

/// What tells libvirt of devices.
const UDEV: [&str; 2] = ["/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm"];

/// Of no board that is known.
const WRONG_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const WRONG_KEYED: &[Model] = &[GTX_1080_TI.with_key(WRONG_KEY)];

/// One of each generation that is unlocked, two that are alike, and one that newer branches have dropped.
const EVERY_GENERATION: &[Model] =
    &[GTX_970, GTX_1080_TI, GTX_1080_TI, TITAN_V, RTX_2080_TI, TESLA_P40];

/// All of them, in the order in which they are run.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "selftest-pass", about: "the runner sees a success", ..SELFTEST },
    Scenario {
        name: "selftest-boot",
        about: "the runner tells a boot failure",
        init: Some("/nonexistent"),
        expect: Expect::Problem("boot failure"),
        ..SELFTEST
    },
    Scenario {
        name: "selftest-setup",
        about: "the runner tells a set-up failure",
        expect: Expect::Problem("set-up failure"),
        ..SELFTEST
    },
    Scenario {
        name: "selftest-check",
        about: "the runner tells a failed check",
        expect: Expect::FailedCheck,
        ..SELFTEST
    },
    Scenario {
        name: "selftest-warn",
        about: "the runner notices a kernel's warning",
        expect: Expect::Problem("the kernel complained"),
        ..SELFTEST
    },
    Scenario {
        name: "selftest-taint",
        about: "the runner notices taint that was not announced",
        expect: Expect::Problem("unexpected taint"),
        ..SELFTEST
    },
    Scenario {
        name: "selftest-gone",
        about: "the runner notices a guest that goes without a verdict",
        expect: Expect::Problem("the guest went without a verdict"),
        ..SELFTEST
    },
    Scenario {
        name: "selftest-hang",
        about: "the runner gives up on a guest that hangs",
        timeout: Duration::from_secs(10),
        expect: Expect::Problem("timeout"),
        ..SELFTEST
    },
    Scenario { name: "baseline", about: "NVIDIA's driver without us", unlock: false, ..REAL },
    Scenario { name: "real", about: "NVIDIA's driver, unlocked and put back", ..REAL },
    Scenario {
        name: "real-535",
        about: "NVIDIA's 535, unlocked and put back",
        real_driver: Some("535.274.02"),
        ..REAL
    },
    Scenario {
        name: "real-525",
        about: "NVIDIA's 525, unlocked and put back",
        targets: OLDER,
        real_driver: Some("525.147.05"),
        ..REAL
    },
    Scenario {
        name: "real-555",
        about: "NVIDIA's 555, unlocked and put back",
        real_driver: Some("555.58.02"),
        ..REAL
    },
    Scenario {
        name: "real-tables",
        about: "NVIDIA's driver that goes by its tables, unlocked and put back",
        real_driver: Some(TABLES),
        ..REAL
    },
    Scenario {
        name: "real-460",
        about: "NVIDIA's 460, which goes by its tables, unlocked and put back",
        real_driver: Some("460.106.00"),
        ..REAL
    },
    Scenario {
        name: "real-450",
        about: "NVIDIA's 450, which goes by its tables, unlocked and put back",
        real_driver: Some("450.248.02"),
        ..REAL
    },
    Scenario {
        name: "real-wrong-key",
        about: "NVIDIA's driver that goes by its tables, with a key that is not the board's",
        real_driver: Some(TABLES),
        boards: WRONG_KEYED,
        ..REAL
    },
    Scenario {
        name: "real-boards",
        about: "boards of every generation with NVIDIA's driver, one of which goes to vfio-pci and back",
        targets: STABLE,
        boards: EVERY_GENERATION,
        iommu: true,
        kernels_modules: &["vfio_pci"],
        ..REAL
    },
    Scenario {
        name: "real-boards-470",
        about: "boards with and without their key, and a listed one, with NVIDIA's driver that goes by its tables",
        targets: STABLE,
        real_driver: Some(TABLES),
        boards: &[GTX_1080_TI, RTX_2080_TI.with_key(WRONG_KEY), TESLA_P40],
        ..REAL
    },
    Scenario {
        name: "real-listed",
        about: "a board that NVIDIA's 535 lists is left to it",
        targets: OLDER,
        real_driver: Some("535.216.03"),
        boards: &[TESLA_P40],
        ..REAL
    },
    Scenario {
        name: "standin-baseline",
        about: "the stand-ins without us",
        standins: standin::ALL,
        ..DEFAULT
    },
    Scenario {
        name: "standin",
        about: "stand-ins of each branch, and what can go wrong around them",
        targets: EVERY_TARGET,
        standins: standin::ALL,
        unlock: true,
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "standin-wrong-key",
        about: "a stand-in under load with a key that is not the board's",
        standins: standin::ALL,
        unlock: true,
        boards: WRONG_KEYED,
        ..DEFAULT
    },
    Scenario {
        name: "standin-refusals",
        about: "stand-ins of which something must be left alone",
        standins: standin::FAULTS,
        unlock: true,
        ..DEFAULT
    },
    Scenario {
        name: "faults",
        about: "what else can go wrong around the module, and what others do to the functions that it hooks",
        targets: OLDEST_AND_NEWEST,
        standins: standin::NEWEST,
        helpers: &["faults"],
        unlock: true,
        timeout: Duration::from_secs(420),
        ..DEFAULT
    },
    Scenario {
        name: "lockdown",
        about: "a kernel that is locked down while we are loaded",
        standins: standin::NEWEST,
        unlock: true,
        ..DEFAULT
    },
    Scenario {
        name: "no-memory",
        about: "each allocation fails in its turn, on a kernel that can have it so",
        standins: standin::NEWEST,
        unlock: true,
        by_command: true,
        rounds: Some(24),
        timeout: Duration::from_secs(1200),
        ..DEFAULT
    },
    Scenario {
        name: "boards",
        about: "boards that come and go, and that another driver has",
        standins: standin::WAYS,
        helpers: &["holder"],
        unlock: true,
        ..DEFAULT
    },
    Scenario {
        name: "rm-control",
        about: "what the daemons are told, structure by structure",
        targets: EVERY_KERNEL,
        standins: standin::BRANCHES,
        unlock: true,
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "rm-under-load",
        about: "what the daemons are told while the module comes and goes",
        targets: UNDER_LOAD,
        standins: standin::BRANCHES,
        unlock: true,
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "mdev-baseline",
        about: "the stand-ins offer no vGPU types without us",
        standins: standin::BRANCHES,
        programs: &[MDEVCTL],
        ..DEFAULT
    },
    Scenario {
        name: "mdev",
        about: "vGPU types and vGPUs in sysfs, by mdevctl",
        targets: EVERY_KERNEL,
        standins: standin::BRANCHES,
        unlock: true,
        programs: &[MDEVCTL],
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "consumers",
        about: "vGPU types as Proxmox reads them, and vGPUs as it makes them",
        standins: standin::NEWEST,
        unlock: true,
        ..DEFAULT
    },
    Scenario {
        name: "libvirt",
        about: "vGPU types and vGPUs by Debian's libvirt",
        standins: standin::NEWEST,
        unlock: true,
        programs: &[MDEVCTL, UDEV[0], UDEV[1]],
        libvirt: true,
        ..DEFAULT
    },
    Scenario {
        name: "mdev-status",
        about: "how far the status says a board has come, and how many vGPUs there may be",
        standins: standin::NEWEST,
        unlock: true,
        programs: &[MDEVCTL],
        ..DEFAULT
    },
    Scenario {
        name: "mdev-faults",
        about: "vGPU types that can't be changed, and other drivers' that must not be",
        standins: standin::NEWEST,
        helpers: &["mdev"],
        unlock: true,
        programs: &[MDEVCTL],
        ..DEFAULT
    },
    Scenario {
        name: "mdev-under-load",
        about: "vGPU types and vGPUs while the module, the drivers, the board and types come and go",
        targets: UNDER_LOAD,
        standins: standin::NEWEST,
        unlock: true,
        programs: &[MDEVCTL],
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "rm-policy",
        about: "the module's parameters, at load and at run time, and what comes of them",
        standins: standin::NEWEST,
        unlock: true,
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "vgpud",
        about: "nvidia-vgpud, which gives boards up, is kept from it",
        standins: standin::BRANCHES,
        unlock: true,
        daemons: true,
        ..DEFAULT
    },
    Scenario {
        name: "rm-cost",
        about: "what an RM control call costs, in instructions",
        standins: standin::NEWEST,
        unlock: true,
        counted: true,
        timeout: Duration::from_secs(300),
        ..DEFAULT
    },
    Scenario {
        name: "rm-cost-time",
        about: "what an RM control call costs, in time",
        targets: STABLE,
        standins: standin::NEWEST,
        unlock: true,
        ..DEFAULT
    },
    Scenario {
        name: "rm-cost-rs",
        about: "what an RM control call costs, by vgpu_unlock-rs and by the module",
        targets: STABLE,
        standins: standin::NEWEST,
        unlock: true,
        preloaded: true,
        by_command: true,
        counted: true,
        timeout: Duration::from_secs(600),
        ..DEFAULT
    },
    Scenario {
        name: "storm",
        about: "all comes and goes at once, a thousand times, and nothing is left of it",
        targets: STABLE,
        rounds: Some(1000),
        by_command: true,
        timeout: Duration::from_secs(2 * 60 * 60),
        ..STORM
    },
    Scenario { name: "storm-short", about: "the same, twenty times", ..STORM },
    Scenario { name: "rm-real", about: "NVIDIA's driver answers what is not for us", ..REAL },
];

/// The story of `cargo xtask demo`.
pub const DEMO: Scenario =
    Scenario { name: "demo", about: "the whole story", targets: STABLE, ..REAL };

impl Scenario {
    /// What it adds to the kernel's command line.
    pub fn kernel_arguments(&self) -> String {
        let init = self.init.map(|init| format!(" rdinit={init}")).unwrap_or_default();
        let rounds = self.rounds.map(|rounds| format!(" vgpu_unlock.rounds={rounds}"));
        format!("vgpu_unlock.scenario={}{init}{}", self.name, rounds.unwrap_or_default())
    }

    /// Says how `outcome` differs from what it must come to, if it does.
    pub fn unexpected(&self, outcome: &Outcome) -> Option<String> {
        let failed = || match outcome.failed.len() {
            0 => None,
            count => Some(format!("{count} checks failed")),
        };
        let problem = outcome.problems.first().map(ToString::to_string);
        match self.expect {
            Expect::Success if outcome.is_success() => None,
            Expect::Success => {
                Some(problem.or_else(failed).unwrap_or_else(|| "no check was made".to_owned()))
            }
            Expect::FailedCheck if problem.is_none() => match failed() {
                Some(_) => None,
                None => Some("a failed check went unnoticed".to_owned()),
            },
            Expect::FailedCheck => problem,
            Expect::Problem(words) => match problem {
                Some(problem) if problem.starts_with(words) => None,
                Some(problem) => Some(format!("expected {words:?}, got {problem:?}")),
                None => Some(format!("{words:?} went unnoticed")),
            },
        }
    }
}

/// All scenarios, the demo's story last.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(std::iter::once(&DEMO))
}

/// Looks a scenario up by its name.
///
/// # Errors
/// There is none.
pub fn find(name: &str) -> Result<&'static Scenario> {
    all().find(|scenario| scenario.name == name).with_context(|| {
        let names: Vec<&str> = all().map(|scenario| scenario.name).collect();
        format!("no scenario {name}; there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
