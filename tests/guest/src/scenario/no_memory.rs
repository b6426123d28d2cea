// SPDX-License-Identifier: GPL-2.0
//! Memory runs out: each allocation in its turn, of all that are made where we come, where the driver comes, and where
//! a parameter is written. Only a kernel that fails on purpose can show it (CONFIG_FAULT_INJECTION), which no
//! distribution's is.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::{
    faults::Known,
    rm_control::{TURING_BOARD, prepare, set_module},
    standin::path,
    steps::{DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    hooked::Hooked,
    kernel, probe,
    report::{Report, equal},
    status::Status,
};

/// Which call of this thread's fails next that can; 0 once it has.
const FAIL: &str = "/proc/thread-self/fail-nth";
/// What can fail: what the allocator gives, and whole pages.
const KINDS: [&str; 2] = ["failslab", "fail_page_alloc"];
const DRIVERS: &str = "/sys/module/nvidia";
const OURS: &str = "/sys/module/vgpu_unlock";
/// One that is large enough to be kept in pieces.
const OVERRIDES: &str = "nvidia-46:card_name=Mine,num_displays=1;nvidia-47:frl_config=30;\
                         mdev/00000001-0000-0000-0000-000000000100:num_displays=2;vm/100:frl_config=45";

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    let known = Known::of_loaded()?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || {
        soon(attached)?;
        known.unlocked()
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    if Path::new(FAIL).exists() {
        let found = Hooked::now()?;
        prepare_failures()?;
        we_come(report, &known, &found)?;
        parameters(report, &known)?;
        report.check("constants and code are byte-identical afterwards", || {
            unchanged(&before, &probe::digests()?)
        });
        kernel::unload(DRIVER)?;
        return the_driver_comes(report, &known, &found);
    }
    report.skip("memory runs out", "this kernel fails nothing on purpose: it has no fail-nth");
    kernel::unload(DRIVER)
}

/// Also what may wait for memory fails, which is nearly all.
fn prepare_failures() -> Result<()> {
    for kind in KINDS {
        let set = |file: &str, value: &str| {
            let path = format!("/sys/kernel/debug/{kind}/{file}");
            if Path::new(&path).exists() { kernel::write(&path, value) } else { Ok(()) }
        };
        // Not a word about each of them.
        set("verbose", "0")?;
        set("ignore-gfp-wait", "N")?;
        set("min-order", "0")?;
    }
    Ok(())
}

/// Does `act` with its allocation `number` failing. Whether it had as many.
fn with_failure(number: u32, act: impl FnOnce() -> Result<()>) -> Result<(bool, Result<()>)> {
    kernel::write(FAIL, &number.to_string())?;
    let result = act();
    let left = fs::read_to_string(FAIL).with_context(|| format!("reading {FAIL}"))?;
    kernel::write(FAIL, "0")?;
    let left: u32 = left.trim().parse().with_context(|| format!("{FAIL} says {left:?}"))?;
    Ok((left == 0, result))
}

/// Does `act` with each of its allocations failing once, and `look` after each, which has to find things whole or
/// untouched and put them back. One that has as many as this is in a circle.
fn at_each_allocation(
    report: &mut Report,
    what: &str,
    act: impl Fn() -> Result<()>,
    mut look: impl FnMut(Result<()>) -> Result<()>,
) -> Result<()> {
    const MOST: u32 = 5000;
    let mut failed = 0;
    for number in 1..=MOST {
        let (was_one, result) = with_failure(number, &act)?;
        if !was_one {
            report.show(&format!("{what}: {} allocations, {failed} times it failed", number - 1));
            report.check(&format!("{what}: with none failing, all is well"), || {
                result?;
                look(Ok(()))
            });
            report.check(&format!("{what}: some of its allocations failed"), || {
                ensure!(number > 10 && failed > 0, "{} allocations, {failed} failed", number - 1);
                Ok(())
            });
            return Ok(());
        }
        failed += u32::from(result.is_err());
        // The first one that is wrong says it all.
        look(result).with_context(|| format!("{what}: allocation {number}"))?;
        if number % 100 == 0 {
            report.show(&format!("{what}: allocation {number}"));
        }
    }
    anyhow::bail!("{what}: more than {MOST} allocations")
}

/// Fails unless the driver is unlocked as a whole or its own as a whole, by what the status says; and where it is its
/// own, it can be unlocked now.
fn whole_or_nothing(known: &Known) -> Result<()> {
    let status = Status::read()?;
    if status.is("/driver/state", "attached").is_err() {
        status.is("/driver/state", "refused")?;
        known.factory()?;
        set_module("enabled", "0")?;
        set_module("enabled", "1")?;
    }
    soon(attached)?;
    known.unlocked()
}

/// The module is loaded beside a driver.
fn we_come(report: &mut Report, known: &Known, found: &Hooked) -> Result<()> {
    report.part("memory runs out while we come");
    at_each_allocation(
        report,
        "insmod",
        || kernel::load(MODULE),
        |loaded| {
            if Path::new(OURS).exists() {
                loaded?;
                whole_or_nothing(known)?;
                kernel::unload(MODULE)?;
            } else {
                ensure!(loaded.is_err(), "it is loaded and not there");
            }
            known.factory()?;
            found.as_found()
        },
    )
}

/// The driver is loaded beside us.
fn the_driver_comes(report: &mut Report, known: &Known, found: &Hooked) -> Result<()> {
    report.part("memory runs out while the driver comes");
    kernel::load(MODULE)?;
    let ours = Hooked::now()?;
    let load = || kernel::load_with(&path("550"), TURING_BOARD);
    at_each_allocation(report, "the driver's insmod", load, |loaded| {
        if Path::new(DRIVERS).exists() {
            loaded?;
            whole_or_nothing(known)?;
            kernel::unload(DRIVER)?;
        }
        soon(|| Status::read()?.is("/driver/state", "absent"))?;
        ours.as_found()
    })?;
    kernel::unload(MODULE)?;
    report.check("the kernel knows the hooks that it knew before", || found.as_found());
    Ok(())
}

/// What is written is in force, or what was before.
fn parameters(report: &mut Report, known: &Known) -> Result<()> {
    report.part("memory runs out while a parameter is written");
    kernel::load(MODULE)?;
    soon(attached)?;
    let value = |parameter: &str| {
        let path = format!("{OURS}/parameters/{parameter}");
        fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    };
    for (parameter, now, then) in
        [("overrides", "", OVERRIDES), ("gpus", "", "any=auto"), ("enabled", "0", "1")]
    {
        set_module(parameter, now)?;
        let old = value(parameter)?;
        set_module(parameter, then)?;
        let new = value(parameter)?;
        report.check(&format!("{parameter} can be set"), || {
            ensure!(old != new, "it stays {old:?}");
            Ok(())
        });
        set_module(parameter, now)?;
        at_each_allocation(
            report,
            parameter,
            || set_module(parameter, then),
            |set| {
                let is = value(parameter)?;
                equal(&is, if set.is_ok() { &new } else { &old })?;
                if parameter == "enabled" && set.is_err() {
                    set_module(parameter, then)?;
                }
                if parameter != "overrides" {
                    whole_or_nothing(known)?;
                }
                set_module(parameter, now)
            },
        )?;
        set_module(parameter, if parameter == "enabled" { "1" } else { "" })?;
    }
    report.check("afterwards everybody is told what they must be", || {
        soon(attached)?;
        known.unlocked()
    });
    kernel::unload(MODULE)
}
