// SPDX-License-Identifier: GPL-2.0
//! How far the status says a board has come, step by step from nothing to a vGPU that runs; and that
//! there are no more vGPUs of a type than the user allows.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    mdev::{
        KIND, OTHER_KIND, VFIO, all_told, factory, load_vfio, prepare, shown, unload_drivers,
        with_created, with_vgpus,
    },
    rm_control::set_module,
    standin::path,
    steps::{LOG_PREFIX, MODULE, attached, says, soon},
};
use crate::{
    kernel::{self, Log},
    mdev::{self, Parent, mdevctl, number},
    report::{Report, equal},
    rm::{
        question::{SECOND_UUID_TEXT, UUID_TEXT, VMID},
        run::{self, VGPU_MGR},
    },
    status::{self, Status},
};

const BRANCH: &str = "550";
/// What the kernel says where there may be no more (EUSERS).
const TOO_MANY: i32 = 87;
const TYPES: usize = 25;

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let parent = Parent(&board.address);
    chain(report, &parent)?;
    in_force(report, &parent)?;
    switched_off(report)?;
    limited(report, &parent)?;
    kernel::unload(MODULE)?;
    unload_drivers()
}

/// Fails unless `link` is what is missing, by both forms of the status, with `advice`.
fn missing(link: &str, advice: &str) -> Result<()> {
    let status = Status::read()?;
    status.is("/gpus/0/missing", link)?;
    status.mentions("/gpus/0/advice", advice)?;
    text_says(&format!("  missing: {link} ("))
}

fn nothing_missing() -> Result<()> {
    let status = Status::read()?;
    status.is("/gpus/0/missing", Value::Null)?;
    status.is("/gpus/0/advice", Value::Null)?;
    text_says("  nothing is missing")
}

/// Fails unless a line of the text begins with `words`.
fn text_says(words: &str) -> Result<()> {
    let text = status::text()?;
    ensure!(text.lines().any(|line| line.starts_with(words)), "no line {words:?} in:\n{text}");
    Ok(())
}

fn has_types_and_vgpus(types: usize, vgpus: usize) -> Result<()> {
    let status = Status::read()?;
    status.is("/gpus/0/types", types)?;
    status.is("/gpus/0/vgpu_count", vgpus)
}

fn chain(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("what is missing");
    kernel::load(MODULE)?;
    report.check("without the driver: that it is attached", || {
        missing("driver attached", "modprobe nvidia")?;
        has_types_and_vgpus(0, 0)?;
        Status::read()?.is("/types/state", "not loaded")
    });
    kernel::load(&path(BRANCH))?;
    report.check("with the driver: that nvidia-vgpud asks", || {
        soon(attached)?;
        missing("nvidia-vgpud asked", "systemctl restart nvidia-vgpud")?;
        Status::read()?.is("/asked/nvidia-vgpud", 0)?;
        text_says("  so far: driver attached, board bound, board known, unlocked")
    });
    run::register(BRANCH)?;
    report.check("when it has asked: nvidia-vgpu-vfio, which registers types", || {
        soon(|| missing("types registered", "modprobe nvidia-vgpu-vfio"))?;
        let asked = Status::read()?.number("/asked/nvidia-vgpud")?;
        ensure!(asked >= TYPES as u64, "it asked for {TYPES} types, and is said to {asked} times");
        text_says(&format!("nvidia-vgpud: asked {asked} times"))
    });
    load_vfio(BRANCH)?;
    report.check("when types are registered: that a vGPU is created", || {
        missing("vGPU created", "mdevctl start")?;
        has_types_and_vgpus(TYPES, 0)?;
        Status::read()?.is("/types/state", "replaced")?;
        text_says("  vGPU types registered: 25, vGPUs: 0")
    });
    parent.create(KIND, UUID_TEXT)?;
    report.check("when it is: that nvidia-vgpu-mgr is told about it", || {
        missing("nvidia-vgpu-mgr told", "nvidia-vgpu-mgr")?;
        has_types_and_vgpus(TYPES, 1)?;
        let status = Status::read()?;
        status.is("/gpus/0/vgpus/0/uuid", UUID_TEXT)?;
        status.is("/gpus/0/vgpus/0/type", 46)?;
        status.is("/gpus/0/vgpus/0/told", Value::Null)?;
        status.is("/asked/nvidia-vgpu-mgr", 0)?;
        text_says(&format!("  vgpu {UUID_TEXT}, {KIND}: nvidia-vgpu-mgr has not asked about it"))
    });
    run::start(VGPU_MGR, BRANCH)?;
    report.check("when that is told: nothing", || {
        soon(nothing_missing)?;
        let asked = Status::read()?.number("/asked/nvidia-vgpu-mgr")?;
        ensure!(asked > 0, "it is said not to have asked");
        text_says(&format!("nvidia-vgpu-mgr: asked {asked} times"))
    });
    report.check("without overrides none is said to be in force", || {
        let status = Status::read()?;
        for counted in ["by_type", "by_mdev", "by_vm"] {
            status.is(&format!("/gpus/0/vgpus/0/told/{counted}"), 0)?;
        }
        status.is("/gpus/0/vgpus/0/told/in_force/card_name", "GRID P40-1Q")?;
        status.is("/gpus/0/vgpus/0/told/in_force/num_displays", 4)
    });
    parent.create(KIND, SECOND_UUID_TEXT)?;
    report.check("with a second vGPU: that nvidia-vgpu-mgr is told about that one", || {
        missing("nvidia-vgpu-mgr told", "nvidia-vgpu-mgr")?;
        has_types_and_vgpus(TYPES, 2)
    });
    mdev::remove(SECOND_UUID_TEXT)?;
    report.check("when that is removed: nothing", nothing_missing);
    mdev::remove(UUID_TEXT)?;
    report.check("when the last one is removed: a vGPU", || {
        missing("vGPU created", "mdevctl start")?;
        has_types_and_vgpus(TYPES, 0)
    });
    kernel::unload(VFIO)?;
    report.check("when nvidia-vgpu-vfio goes: nvidia-vgpu-vfio", || {
        missing("types registered", "modprobe nvidia-vgpu-vfio")?;
        has_types_and_vgpus(0, 0)?;
        Status::read()?.is("/types/state", "not loaded")
    });
    load_vfio(BRANCH)?;
    kernel::unload(MODULE)?;
    kernel::load(MODULE)?;
    report.check("to a module that comes late, types show that nvidia-vgpud has asked", || {
        soon(attached)?;
        missing("vGPU created", "mdevctl start")?;
        has_types_and_vgpus(TYPES, 0)
    });
    Ok(())
}

/// What a vGPU is said to have, with overrides of all three kinds.
fn in_force(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("what is in force");
    set_module(
        "overrides",
        &format!(
            "{KIND}:framebuffer=1536MiB,framebuffer_reservation=64MiB,num_displays=3,\
             frl_config=45;mdev/{UUID_TEXT}:card_name='My \"vGPU\"',num_displays=2;\
             vm/{VMID}:frl_config=30;{OTHER_KIND}:hidden=1"
        ),
    )?;
    report.check("a type that is hidden is counted, and not among the registered ones", || {
        soon(|| {
            Status::read()?.is("/types/hidden", 1)?;
            has_types_and_vgpus(TYPES - 1, 0)
        })?;
        text_says("  vGPU types registered: 24, vGPUs: 0")?;
        text_says("vGPU types: shown as overridden, 1 hidden, ")
    });
    parent.create(KIND, UUID_TEXT)?;
    run::start(VGPU_MGR, BRANCH)?;
    report.check("each section's overrides are counted", || {
        soon(|| {
            let status = Status::read()?;
            status.is("/gpus/0/vgpus/0/told/by_type", 4)?;
            status.is("/gpus/0/vgpus/0/told/by_mdev", 2)?;
            status.is("/gpus/0/vgpus/0/told/by_vm", 1)?;
            status.is("/gpus/0/vgpus/0/told/skipped", Value::Null)
        })?;
        text_says(&format!(
            "  vgpu {UUID_TEXT}, {KIND}: overridden by its type: 4, by its UUID: 2, \
             by its virtual machine: 1"
        ))
    });
    report.check("the values are those that count in the end, and the driver's", || {
        let status = Status::read()?;
        let is = |key: &str, value: Value| {
            status.is(&format!("/gpus/0/vgpus/0/told/in_force/{key}"), value)
        };
        is("framebuffer", (1536u64 << 20).into())?;
        is("framebuffer_reservation", (64u64 << 20).into())?;
        is("num_displays", 2.into())?;
        is("frl_config", 30.into())?;
        is("card_name", "My \"vGPU\"".into())?;
        is("max_instances", 24.into())?;
        is("display_width", 5120.into())?;
        is("gpu_type", 46.into())
    });
    report.check("the text has the same values in one line", || {
        let text = status::text()?;
        let line = text.lines().find(|line| line.trim_start().starts_with("in force:"));
        let line = line.with_context(|| format!("no such line in:\n{text}"))?;
        for words in
            [" framebuffer=1610612736 ", " num_displays=2 ", " frl_config=30 ", "='My \"vGPU\"'"]
        {
            ensure!(line.contains(words), "{words:?} is not in {line:?}");
        }
        Ok(())
    });
    report.check("nothing is missing", nothing_missing);
    mdev::remove(UUID_TEXT)?;
    set_module("overrides", "")?;
    report.check("then no type is hidden, and all are there", || {
        soon(|| {
            Status::read()?.is("/types/hidden", 0)?;
            has_types_and_vgpus(TYPES, 0)
        })
    });
    Ok(())
}

fn switched_off(report: &mut Report) -> Result<()> {
    report.part("switched off");
    set_module("gpus", "1b06=off")?;
    report.check("gpus=1b06=off: the board is not known", || {
        soon(attached)?;
        missing("board known", "because of the parameter gpus")
    });
    set_module("gpus", "")?;
    set_module("enabled", "0")?;
    report.check("enabled=0: the driver is not attached", || {
        missing("driver attached", "its parameter enabled is 0")
    });
    set_module("enabled", "1")?;
    report.check("switched on again: a vGPU", || {
        soon(attached)?;
        missing("vGPU created", "mdevctl start")
    });
    Ok(())
}

/// There are no more vGPUs than `max_instances`.
fn limited(report: &mut Report, parent: &Parent) -> Result<()> {
    const LIMIT: &str = "nvidia-46:max_instances=2";
    const LINE: &str = "no more vGPUs of nvidia-46: max_instances allows no more";
    report.part("max_instances");
    if !parent.has(KIND) {
        equal(run::register(BRANCH)?, all_told())?;
    }
    set_module("overrides", LIMIT)?;
    let start = ["start", "--uuid", UUID_TEXT, "--parent", parent.0, "--type", KIND];
    report.check("two vGPUs are created, and none is available then", || {
        with_created(parent, KIND, 2, || equal(parent.available(KIND)?, 0))
    });
    report.check("the third one is refused as the kernel itself does it", || {
        with_created(parent, KIND, 2, || {
            let mut log = Log::from_now()?;
            let refused = parent.create(KIND, UUID_TEXT).err().context("it is created")?;
            equal(number(&refused), Some(TOO_MANY))?;
            equal(mdev::exists(UUID_TEXT), false)?;
            let lines = log.lines(LOG_PREFIX)?;
            says(&lines, LINE)?;
            equal(lines.len(), 1)
        })
    });
    report.check("mdevctl does not start it either", || {
        with_created(parent, KIND, 2, || {
            ensure!(mdevctl(&start).is_err(), "it did");
            equal(mdev::exists(UUID_TEXT), false)
        })
    });
    report.check("when one of two is removed, mdevctl starts another one", || {
        with_created(parent, KIND, 1, || {
            mdevctl(&start)?;
            equal(mdev::exists(UUID_TEXT), true)?;
            equal(parent.available(KIND)?, 0)?;
            mdevctl(&["stop", "--uuid", UUID_TEXT])?;
            equal(mdev::exists(UUID_TEXT), false)
        })
    });
    report.check("a limit below the vGPUs that exist removes none and adds none", || {
        with_created(parent, KIND, 2, || {
            set_module("overrides", "nvidia-46:max_instances=1")?;
            let refused = parent.create(KIND, UUID_TEXT).err().context("it is created")?;
            equal(number(&refused), Some(TOO_MANY))?;
            has_types_and_vgpus(TYPES, 2)
        })
    });
    set_module("overrides", LIMIT)?;
    report.check("another type is not limited", || {
        with_created(parent, OTHER_KIND, 3, || {
            shown(parent, &with_vgpus(&limited_types(), OTHER_KIND, 3))
        })
    });
    report.check("without the parameter a third one is created, by mdevctl, too", || {
        set_module("overrides", "")?;
        with_created(parent, KIND, 3, || {
            mdevctl(&start)?;
            equal(mdev::exists(UUID_TEXT), true)?;
            mdevctl(&["stop", "--uuid", UUID_TEXT])?;
            Ok(())
        })?;
        shown(parent, &factory())
    });
    Ok(())
}

/// The driver's types as [`limited`] has them shown.
fn limited_types() -> crate::mdev::Types {
    let mut types = factory();
    if let Some(files) = types.get_mut(KIND) {
        files.description = files.description.replace("max_instance=24", "max_instance=2");
        files.available = "2".to_owned();
    }
    types
}
