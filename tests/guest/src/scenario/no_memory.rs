// SPDX-License-Identifier: GPL-2.0
//! Memory runs out: each allocation in its turn, of all that are made where we come, where the driver comes, and where
//! a parameter is written. Only a kernel that fails on purpose can show it (CONFIG_FAULT_INJECTION), which no
//! distribution's is. How many of them fail, spread over all, the kernel's command line says: `vgpu_unlock.rounds`;
//! each takes such a kernel seconds.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use anyhow::{Context, Result, ensure};

use super::{
    faults::Known,
    rm_control::{TURING_BOARD, prepare, set_module},
    standin::path,
    steps::{DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    argument,
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

/// Does `act` with its allocation `number` failing. Returns how many more it would have taken to get there, which is
/// 0 where it has come to that, and what came of it.
fn with_failure(number: u32, act: impl FnOnce() -> Result<()>) -> Result<(u32, Result<()>)> {
    // Opening it takes memory, which would fail as well as any other.
    let fail = OpenOptions::new().read(true).write(true).open(FAIL);
    let fail = fail.with_context(|| format!("opening {FAIL}"))?;
    let mut left = [0; 16];
    fail.write_at(number.to_string().as_bytes(), 0).context("having an allocation fail")?;
    let result = act();
    let read = fail.read_at(&mut left, 0);
    fail.write_at(b"0", 0).context("having none fail any more")?;
    let left = String::from_utf8_lossy(
        left.get(..read.context("asking for failures")?).unwrap_or_default(),
    );
    Ok((left.trim().parse().with_context(|| format!("{FAIL} says {left:?}"))?, result))
}

/// Of `all` allocations, those that fail: as many as there are `rounds`, some from anywhere, and the last ones, which are
/// ours where the kernel has made others for us before.
fn chosen(all: u32, rounds: u32) -> Vec<u32> {
    if all <= rounds {
        return (1..=all).collect();
    }
    let (spread, last) = (rounds / 3, rounds - rounds / 3);
    let last = all.saturating_sub(last) + 1..=all;
    let step = last.start().div_ceil(spread.max(1)).max(1);
    (1..*last.start()).step_by(step as usize).chain(last).collect()
}

/// Does `act` with its allocations failing, one at a time, and `look` after each, which has to find things whole or
/// untouched and put them back.
fn at_each_allocation(
    report: &mut Report,
    what: &str,
    act: impl Fn() -> Result<()>,
    mut look: impl FnMut(Result<()>) -> Result<()>,
) -> Result<()> {
    /// One that has as many as this is in a circle.
    const MOST: u32 = 100_000;
    let rounds: u32 = argument("vgpu_unlock.rounds")?.parse().context("how many rounds")?;
    let (left, result) = with_failure(MOST, &act)?;
    report.check(&format!("{what}: with none failing, all is well"), || {
        ensure!(left != 0, "more than {MOST} allocations");
        result?;
        look(Ok(()))
    });
    // The second time, what the kernel makes once is there.
    let (left, result) = with_failure(MOST, &act)?;
    look(result)?;
    let all = MOST - left;
    let (mut tried, mut failed) = (0, 0);
    for number in chosen(all, rounds) {
        let (left, result) = with_failure(number, &act)?;
        tried += u32::from(left == 0);
        failed += u32::from(result.is_err());
        // The first one that is wrong says it all.
        look(result).with_context(|| format!("{what}: allocation {number} of {all}"))?;
    }
    report.show(&format!("{what}: {tried} of {all} allocations failed, and it with {failed}"));
    report.check(&format!("{what}: it fails where it can't do without"), || {
        ensure!(tried > 0 && failed > 0 && failed <= tried, "{failed} of {tried}");
        Ok(())
    });
    Ok(())
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
    match soon(attached) {
        Ok(()) => known.unlocked(),
        Err(error) => unknown_to_ftrace(known).context(error),
    }
}

/// Fails unless the driver is its own because ftrace knows nothing of a module's functions, which the status says.
///
/// Where it can't allocate what it has to know of a module, the kernel goes on without a word to the module
/// (`ftrace_module_init`), and nobody can hook its functions until it is loaded anew.
fn unknown_to_ftrace(known: &Known) -> Result<()> {
    let status = Status::read()?;
    status.is("/driver/state", "refused")?;
    status.mentions("/driver/reason", "(error -22)")?;
    known.factory()
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

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn all_fail_where_they_are_few_and_the_last_ones_otherwise() {
        assert_eq!(chosen(4, 12), [1, 2, 3, 4]);
        assert_eq!(chosen(12, 12), (1..=12).collect::<Vec<_>>());
        assert_eq!(chosen(100, 6), [1, 50, 97, 98, 99, 100]);
        assert!(chosen(0, 6).is_empty());
    }
}
