// SPDX-License-Identifier: GPL-2.0
//! What stands in the way of changing what the mdev core shows, and what must not be changed: ftrace
//! that is off, functions that are somebody else's already, and types that are not NVIDIA's.

use anyhow::{Context, Result, ensure};

use super::{
    mdev::{
        KIND, OTHER_KIND, all_told, equal_types, load_drivers, load_with_types, prepare,
        unload_drivers, with_created,
    },
    rm_control::set_module,
    standin::{self, FTRACE_ENABLED},
    steps::{LOG_PREFIX, MODULE, attached, says, soon},
};
use crate::{
    kernel::{self, Log},
    mdev::{self, Parent, Types, number},
    report::{Report, equal},
    rm::{question::UUID_TEXT, run},
    status::{self, Status},
};

const BRANCH: &str = "550";
/// Everything that files can show, a limit, and a hidden type.
const OVERRIDES: &str = "overrides=nvidia-46:card_name=Mine,num_displays=1,max_instances=1;\
                         nvidia-47:hidden=1;nvidia-48:card_name=Mine,hidden=1";
/// A parent of mediated devices that is not NVIDIA's, and its device.
const STRANGER: &str = "vgpu_unlock_parent";
/// What the kernel says of it begins so.
const STRANGER_LOG: &str = "platform vgpu_unlock_parent: ";
/// Somebody else who claims functions.
const RIVAL: &str = "vgpu_unlock_rival";
/// Somebody else has claimed it (EBUSY).
const BUSY: i32 = 16;

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let parent = Parent(&board.address);
    ftrace_off(report, &parent)?;
    strangers(report)?;
    claimed(report, &parent)?;
    claimed_too_late(report, &parent)
}

/// Fails unless all files are the driver's own, byte for byte.
fn untouched(parent: &Parent, factory: &Types) -> Result<()> {
    equal_types(&parent.types()?, factory)
}

/// Fails unless the types are overridden as [`OVERRIDES`] says.
fn overridden(parent: &Parent) -> Result<()> {
    Status::read()?.is("/types/state", "replaced")?;
    equal(parent.file(KIND, "name")?.trim_end(), "Mine")?;
    equal(parent.available(KIND)?, 1)?;
    ensure!(!parent.has(OTHER_KIND), "{OTHER_KIND} is not hidden");
    Ok(())
}

/// Fails unless the status and one line of the log say that types are the driver's, and why.
fn refused(lines: &[String], why: &str) -> Result<()> {
    let status = Status::read()?;
    status.is("/types/state", "refused")?;
    status.mentions("/types/reason", why)?;
    let text = status::text()?;
    let line = format!("vGPU types: shown as the driver has them: {why}");
    ensure!(text.contains(&line), "no {line:?} in:\n{text}");
    let line = format!("vGPU types are shown as the driver has them: {why}");
    says(lines, &line)?;
    equal(lines.iter().filter(|said| said.contains(&line)).count(), 1)
}

fn ftrace_off(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("ftrace off before");
    if !standin::ftrace_has_a_switch(report) {
        return Ok(());
    }
    load_with_types(BRANCH)?;
    let factory = parent.types()?;
    kernel::write(FTRACE_ENABLED, "0")?;
    let mut log = Log::from_now()?;
    kernel::load_with(MODULE, OVERRIDES)?;
    report.check("the status and the log say why everything is the driver's", || {
        const WHY: &str = "left exactly as it is: ftrace is off";
        says(&log.lines(LOG_PREFIX)?, WHY)?;
        let status = Status::read()?;
        status.mentions("/driver/reason", "ftrace is off")?;
        status.is("/gpus/0/missing", "driver attached")?;
        let text = status::text()?;
        ensure!(text.contains(WHY), "no {WHY:?} in:\n{text}");
        Ok(())
    });
    report.check("they are, byte for byte", || untouched(parent, &factory));
    report.check("a vGPU is created past our limit", || {
        with_created(parent, KIND, 2, || equal(mdev::exists(UUID_TEXT), false))
    });
    unload_drivers()?;
    load_with_types(BRANCH)?;
    report.check("of a driver that comes later they are, too", || untouched(parent, &factory));
    kernel::write(FTRACE_ENABLED, "1")?;
    kernel::unload(MODULE)?;
    kernel::load_with(MODULE, OVERRIDES)?;
    report.check("with ftrace on again they are overridden", || soon(|| overridden(parent)));
    report.check("ftrace can't be switched off then", || {
        ensure!(kernel::write(FTRACE_ENABLED, "0").is_err(), "it could");
        overridden(parent)
    });
    kernel::unload(MODULE)?;
    report
        .check("after rmmod they are the driver's, byte for byte", || untouched(parent, &factory));
    unload_drivers()
}

/// What can be seen of the stranger's types, created devices included: three are created, a fourth
/// one is refused, and all are removed.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    before: Types,
    with_one: Types,
    with_three: Types,
    /// The kernel's error number, of the fourth one.
    fourth: Option<i32>,
    after: Types,
}

impl Seen {
    fn of(parent: &Parent) -> Result<Self> {
        const KIND: &str = "vgpu_unlock_parent-46";
        let before = parent.types()?;
        let kind = before.keys().find(|name| name.ends_with("-46"));
        let kind = kind.with_context(|| format!("no {KIND} among {:?}", before.keys()))?.clone();
        let uuid = |n: u32| format!("{n:08x}-0000-0000-0000-0000000000dd");
        parent.create(&kind, &uuid(1))?;
        let with_one = parent.types()?;
        for n in 2..=3 {
            parent.create(&kind, &uuid(n))?;
        }
        let with_three = parent.types()?;
        let fourth = match parent.create(&kind, &uuid(4)) {
            Ok(()) => None,
            Err(error) => number(&error),
        };
        for n in 1..=3 {
            mdev::remove(&uuid(n))?;
        }
        Ok(Self { before, with_one, with_three, fourth, after: parent.types()? })
    }
}

/// Another driver's types.
fn strangers(report: &mut Report) -> Result<()> {
    report.part("another driver's types");
    let parent = Parent(STRANGER);
    load_with_types(BRANCH)?;
    kernel::load(STRANGER)?;
    let expected = Seen::of(&parent)?;
    let mut log = Log::from_now()?;
    kernel::unload(STRANGER)?;
    kernel::load(STRANGER)?;
    let said = log.lines(STRANGER_LOG)?;
    report.check("they have the numbers of types that are overridden and hidden", || {
        equal(expected.before.len(), 3)?;
        equal(expected.fourth.is_some(), true)?;
        equal(said.is_empty(), false)
    });
    kernel::load_with(MODULE, OVERRIDES)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("those that are there already are left alone, byte for byte", || {
        equal(&Seen::of(&parent)?, &expected)
    });
    report.check("those that go and come are, too", || {
        for _ in 0..5 {
            kernel::unload(STRANGER)?;
            parent.is_none()?;
            kernel::load(STRANGER)?;
            equal(&Seen::of(&parent)?, &expected)?;
        }
        Ok(())
    });
    report.check("the kernel says the same of their coming and going", || {
        let mut log = Log::from_now()?;
        kernel::unload(STRANGER)?;
        kernel::load(STRANGER)?;
        equal(&log.lines(STRANGER_LOG)?, &said)
    });
    report.check("none of them is counted as hidden, or as a GPU's", || {
        let status = Status::read()?;
        // Those of NVIDIA's that OVERRIDES hides.
        status.is("/types/hidden", 2)?;
        status.is("/gpus/0/types", 23)
    });
    report.check("hiding and showing NVIDIA's does not touch them", || {
        for overrides in ["", "nvidia-46:hidden=1", "nvidia-48:hidden=1", ""] {
            set_module("overrides", overrides)?;
            equal(&Seen::of(&parent)?, &expected).with_context(|| overrides.to_owned())?;
        }
        Ok(())
    });
    set_module("overrides", &OVERRIDES["overrides=".len()..])?;
    let uuid = "00000001-0000-0000-0000-0000000000dd";
    let kind = expected.before.keys().next().context("no types")?;
    parent.create(kind, uuid)?;
    kernel::unload(MODULE)?;
    report.check("a device of theirs outlives our module", || {
        equal(mdev::exists(uuid), true)?;
        mdev::remove(uuid)?;
        equal(&Seen::of(&parent)?, &expected)
    });
    kernel::load_with(MODULE, OVERRIDES)?;
    parent.create(kind, uuid)?;
    report.check("a device of theirs goes with their driver", || {
        kernel::unload(STRANGER)?;
        equal(mdev::exists(uuid), false)
    });
    kernel::unload(MODULE)?;
    unload_drivers()
}

/// Somebody else has claimed a function of the mdev core, each in its turn: all files stay the
/// driver's, and everything else works.
fn claimed(report: &mut Report, parent: &Parent) -> Result<()> {
    const FUNCTIONS: [&str; 6] = [
        "name_show",
        "description_show",
        "available_instances_show",
        "create_store",
        "mdev_register_parent",
        "mdev_unregister_parent",
    ];
    for (i, function) in FUNCTIONS.into_iter().enumerate() {
        report.part(&format!("{function} is claimed"));
        load_drivers(BRANCH)?;
        kernel::load_with(RIVAL, &format!("function=mdev:{function}"))?;
        let mut log = Log::from_now()?;
        kernel::load_with(MODULE, OVERRIDES)?;
        report.check("the status and the log say which function it is", || {
            let why = format!("the {function} can't be hooked (error -{BUSY})");
            refused(&log.lines(LOG_PREFIX)?, &why)
        });
        report.check("the driver is unlocked all the same", || {
            soon(attached)?;
            equal(run::register(BRANCH)?, all_told())
        });
        report.check("its types are its own, and it creates vGPUs past our limit", || {
            untouched_and_free(parent)
        });
        if i == 0 {
            status_sees_vgpus(report, parent);
        }
        kernel::unload(RIVAL)?;
        // What has us look again.
        if i % 2 == 0 {
            set_module("enabled", "0")?;
            set_module("enabled", "1")?;
        } else {
            set_module("overrides", &OVERRIDES["overrides=".len()..])?;
        }
        report.check("once it is free, types are overridden when a parameter is set", || {
            soon(|| overridden(parent))
        });
        kernel::unload(MODULE)?;
        unload_drivers()?;
    }
    Ok(())
}

/// What we can't hook, we can still look at, or leave unsaid.
fn status_sees_vgpus(report: &mut Report, parent: &Parent) {
    report.check("the status does not ask for a vGPU where there is one", || {
        with_created(parent, KIND, 1, || {
            let text = status::text()?;
            ensure!(!text.contains("missing: vGPU created"), "it does:\n{text}");
            Ok(())
        })
    });
}

fn untouched_and_free(parent: &Parent) -> Result<()> {
    equal_types(&mdev::trimmed(&parent.types()?), &super::mdev::factory())?;
    with_created(parent, KIND, 2, || equal(parent.available(KIND)?, 22))
}

/// The other way round: the functions are ours, and whoever wants them is refused.
fn claimed_too_late(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("claimed when it is ours");
    load_with_types(BRANCH)?;
    kernel::load_with(MODULE, OVERRIDES)?;
    report.check("types are overridden", || soon(|| overridden(parent)));
    report.check("somebody else gets none of the functions, and ours stay", || {
        for function in ["name_show", "create_store", "mdev_unregister_parent"] {
            let loaded = kernel::load_with(RIVAL, &format!("function=mdev:{function}"));
            let error = loaded.err().with_context(|| format!("{function} was to be had"))?;
            let errno = error.downcast_ref::<rustix::io::Errno>().map(|errno| errno.raw_os_error());
            equal(errno, Some(BUSY))?;
        }
        overridden(parent)
    });
    kernel::unload(MODULE)?;
    report.check("after rmmod they are to be had", || {
        kernel::load_with(RIVAL, "function=mdev:name_show")?;
        kernel::unload(RIVAL)
    });
    unload_drivers()
}
