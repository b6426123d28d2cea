// SPDX-License-Identifier: GPL-2.0
//! A stand-in for the driver, of which each branch exists, and in which more can be provoked.

use std::{fs, thread::sleep, time::Duration};

use anyhow::{Result, ensure};

use super::{
    answers::{self, Gate},
    steps::{self, DRIVER, LOG_PREFIX, MODULE, attached, hears, says, soon, unchanged},
    unlock,
};
use crate::{
    board::Board,
    expected::{TESLA_P4, TESLA_P40},
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    status::Status,
};

pub const FTRACE_ENABLED: &str = "/proc/sys/kernel/ftrace_enabled";
const KPROBES_ENABLED: &str = "/sys/kernel/debug/kprobes/enabled";

const GPUS: &str = "/sys/module/vgpu_unlock/parameters/gpus";
const ENABLED: &str = "/sys/module/vgpu_unlock/parameters/enabled";

/// The stand-in in the form of a branch whose bytes are known from others only, likewise.
pub const PUBLISHED: (&str, Gate) = ("570", Gate::Store);

/// The stand-ins that are to be unlocked, and how their second gates answer.
pub const BRANCHES: [(&str, Gate); 3] =
    [("550", Gate::Store), ("535", Gate::Return(0)), ("525", Gate::Return(0))];

/// The one that goes by the capability tables.
pub const TABLES: &str = "470";

/// The path of the stand-in of a branch or a fault.
pub fn path(variant: &str) -> String {
    format!("standin-{variant}/{DRIVER}")
}

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    for (branch, gate) in BRANCHES.into_iter().chain([PUBLISHED]) {
        report.part(&format!("branch {branch}"));
        driver_first(report, &board, branch, gate)?;
        module_first(report, branch, gate)?;
    }
    tables_driver_first(report, &board)?;
    tables_module_first(report, &board)?;
    named_by_the_user(report, &board)?;
    reload_storm(report)?;
    rmmod_under_load(report, &board)?;
    failing_init(report)?;
    ftrace_off_before(report)?;
    ftrace_held(report)?;
    kprobes_off_before(report)?;
    kprobes_off_during(report)
}

fn driver_first(report: &mut Report, board: &Board, branch: &str, gate: Gate) -> Result<()> {
    kernel::load(&path(branch))?;
    answers::factory(report, gate, "before (driver first)");
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed (driver first)", || {
        soon(attached)?;
        Status::read()?.is("/driver/branch", branch)
    });
    answers::unlocked(report, gate, "with the module (driver first)");
    tables_stay(report, board)?;
    if branch == PUBLISHED.0 {
        report.check("the status says that nobody here has run such a driver, and asks", || {
            Status::read()?.is("/driver/proof", "published")?;
            let text = crate::status::text()?;
            ensure!(
                text.contains("was not run by us") && text.contains("vgpu-unlock inspect"),
                "{text}"
            );
            Ok(())
        });
    }
    kernel::unload(MODULE)?;
    answers::factory(report, gate, "after rmmod (driver first)");
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

fn module_first(report: &mut Report, branch: &str, gate: Gate) -> Result<()> {
    kernel::load(MODULE)?;
    kernel::load(&path(branch))?;
    report.check("attached, all hooks placed (module first)", || soon(attached));
    answers::unlocked(report, gate, "with the module (module first)");
    // The driver goes first, its checks overridden.
    kernel::unload(DRIVER)?;
    report.check("the driver unloads while its checks are overridden", || {
        soon(|| Status::read()?.is("/driver/state", "absent"))
    });
    kernel::unload(MODULE)
}

/// A branch whose checks decide: nobody looks at the tables, nor at what the driver copies.
fn tables_stay(report: &mut Report, board: &Board) -> Result<()> {
    let before = probe::digests()?.rodata;
    probe::play(board.bar3()?)?;
    report.check("the tables are not needed, and stay as they are", || {
        let status = Status::read()?;
        status.is("/tables/state", "not needed")?;
        let hooks = status.hooks()?;
        ensure!(!hooks.iter().any(|(name, _)| name == "os_mem_copy"), "hooks: {hooks:?}");
        ensure!(probe::digests()?.rodata == before, "its .rodata differs");
        Ok(())
    });
    Ok(())
}

fn tables_driver_first(report: &mut Report, board: &Board) -> Result<()> {
    report.part("branch 470");
    kernel::load(&path(TABLES))?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed (tables, driver first)", || {
        soon(attached)?;
        let status = Status::read()?;
        status.is("/driver/branch", TABLES)?;
        status.is("/gpus/0/state", "waiting")
    });
    unlock::succeeds(report, board)?;
    report.check("the board is unlocked, and the driver's copies are left alone", || {
        soon(|| {
            let status = Status::read()?;
            status.is("/gpus/0/state", "unlocked")?;
            let hooks = status.hooks()?;
            let done = ("os_mem_copy".to_owned(), "done".to_owned());
            ensure!(hooks.contains(&done), "hooks: {hooks:?}");
            Ok(())
        })
    });
    for round in 1..=2 {
        kernel::write(ENABLED, "0")?;
        report.check(&format!("switched off, the constants are as before (round {round})"), || {
            unchanged_constants(&before)
        });
        kernel::write(ENABLED, "1")?;
        report.check(&format!("switched on, the key is known (round {round})"), || {
            let status = Status::read()?;
            status.is("/gpus/0/state", "unlocked")?;
            status.is("/tables/entries", TESLA_P40.len())
        });
    }
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod (tables)", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::load(MODULE)?;
    report.check("who comes anew knows no key", || {
        soon(attached)?;
        Status::read()?.is("/gpus/0/state", "waiting")
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

fn tables_module_first(report: &mut Report, board: &Board) -> Result<()> {
    kernel::load(MODULE)?;
    for round in 1..=2 {
        kernel::load(&path(TABLES))?;
        report.check(&format!("attached to load {round} (tables, module first)"), || {
            soon(attached)?;
            // What an earlier load has read does not count.
            Status::read()?.is("/gpus/0/state", "waiting")
        });
        unlock::succeeds(report, board)?;
        // The driver goes first, its tables rewritten: they must be restored before it is gone.
        kernel::unload(DRIVER)?;
        report.check(&format!("load {round} goes while its tables are rewritten"), || {
            soon(|| Status::read()?.is("/driver/state", "absent"))
        });
    }
    kernel::unload(MODULE)
}

/// The tables follow the parameter `gpus`, when we come and when it changes.
fn named_by_the_user(report: &mut Report, board: &Board) -> Result<()> {
    report.part("gpus");
    kernel::load(&path(TABLES))?;
    let before = probe::digests()?;
    let mut log = Log::from_now()?;
    kernel::load_with(MODULE, "gpus=1b06=1bb3")?;
    report.check("the board is answered as the one that gpus names", || {
        soon(attached)?;
        let status = Status::read()?;
        status.is("/gpus/0/answered_as/device", "0x1bb3")?;
        status.is("/gpus/0/answered_as/name", "Tesla P4")?;
        hears(&mut log, "10de:1b06 answered as 10de:1bb3 Tesla P4")
    });
    unlock::succeeds_as(report, board, &TESLA_P4)?;

    kernel::write(GPUS, "1b06=1234")?;
    report.check("one without vGPU types gets no entries, and the status says why", || {
        soon(attached)?;
        soon(|| {
            let status = Status::read()?;
            status.is("/gpus/0/answered_as/device", "0x1234")?;
            status.is("/tables/state", "refused")?;
            status.mentions("/tables/reason", "0x1234, which gpus names, has no vGPU types")
        })?;
        unchanged_constants(&before)
    });
    kernel::write(GPUS, "1b06=off")?;
    report.check("off leaves the tables alone, and is answered as nothing", || {
        soon(attached)?;
        probe::play(board.bar3()?)?;
        let status = Status::read()?;
        status.is("/gpus/0/state", "off")?;
        status.is("/gpus/0/answered_as", serde_json::Value::Null)?;
        status.is("/tables/entries", 0)?;
        unchanged_constants(&before)
    });
    kernel::write(GPUS, "1b06=auto")?;
    report.check("with auto it is the built-in one again, at once: the key is known", || {
        soon(attached)?;
        let status = Status::read()?;
        status.is("/gpus/0/answered_as/device", "0x1b38")?;
        status.is("/gpus/0/state", "unlocked")?;
        status.is("/tables/entries", TESLA_P40.len())
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

/// Fails where the driver's constants are not those of `before`; its code may be hooked.
fn unchanged_constants(before: &probe::Digests) -> Result<()> {
    ensure!(probe::digests()?.rodata == before.rodata, "its .rodata differs");
    Ok(())
}

fn reload_storm(report: &mut Report) -> Result<()> {
    report.part("reload storm");
    kernel::load(MODULE)?;
    report.check("the driver comes and goes 20 times", || {
        for _ in 0..20 {
            kernel::load(&path("550"))?;
            kernel::unload(DRIVER)?;
        }
        Ok(())
    });
    kernel::load(&path("550"))?;
    report.check("then it is unlocked as ever", || {
        soon(attached)?;
        equal(probe::board_check(answers::UNLISTED, 0)?, 1)
    });
    kernel::unload(MODULE)?;
    report.check("the module comes and goes 20 times", || {
        for _ in 0..20 {
            kernel::load(MODULE)?;
            kernel::unload(MODULE)?;
        }
        equal(probe::board_check(answers::UNLISTED, 0)?, 0)
    });
    kernel::unload(DRIVER)
}

/// The key is refused, so the hook on `os_mem_copy` stays: it is removed in the middle of a storm.
pub fn wrong_key(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    rmmod_under_load(report, &board)
}

fn rmmod_under_load(report: &mut Report, board: &Board) -> Result<()> {
    report.part("rmmod under load");
    kernel::load(&path(TABLES))?;
    let before = probe::digests()?;
    probe::load_start(board.bar3()?, 2)?;
    report.check("the module comes and goes while magic and key are read", || {
        for _ in 0..5 {
            kernel::load(MODULE)?;
            sleep(Duration::from_millis(300));
            kernel::unload(MODULE)?;
        }
        Ok(())
    });
    let rounds = probe::load_stop()?;
    report.check("the load was one", || {
        ensure!(rounds > 100, "magic and key were read {rounds} times");
        Ok(())
    });
    report.check("constants and code are byte-identical afterwards", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

fn failing_init(report: &mut Report) -> Result<()> {
    report.part("driver's init fails");
    kernel::load(MODULE)?;
    report.check("the driver's error is passed on", || {
        ensure!(kernel::load_with(&path("550"), "fail_init=1").is_err(), "it loaded");
        Ok(())
    });
    report.check("the status says that there is no driver", || {
        soon(|| Status::read()?.is("/driver/state", "absent"))
    });
    kernel::load(&path("550"))?;
    report.check("the next attempt is unlocked", || {
        soon(attached)?;
        equal(probe::board_check(answers::UNLISTED, 0)?, 1)
    });
    kernel::unload(DRIVER)?;
    kernel::unload(MODULE)
}

/// Loads the module next to the stand-in, and checks that it left the driver alone and said `words`
/// in one line. A module that refuses to load at all has left it alone, too.
pub fn leaves_alone(report: &mut Report, words: &str) -> Result<()> {
    leaves_alone_and(report, words, |report| {
        report.check("an unlisted board is still refused", || {
            equal(probe::board_check(answers::UNLISTED, 0)?, 0)
        });
    })
}

/// Likewise, with checks of its own while the module is there.
pub fn leaves_alone_and(
    report: &mut Report,
    words: &str,
    check: impl FnOnce(&mut Report),
) -> Result<()> {
    let before = probe::digests()?;
    let mut log = Log::from_now()?;
    let loaded = kernel::load(MODULE);
    report.check("the driver's answers, constants and code are untouched", || {
        unchanged(&before, &probe::digests()?)
    });
    check(report);
    report.check(&format!("one line of the log says why ({words})"), || {
        let lines = log.lines(LOG_PREFIX)?;
        says(&lines, words)?;
        equal(lines.iter().filter(|line| line.contains(words)).count(), 1)
    });
    if loaded.is_ok() {
        report.check("the status says why", || {
            let status = Status::read()?;
            status.is("/driver/state", "refused")?;
            status.mentions("/driver/reason", words)
        });
        kernel::unload(MODULE)?;
    }
    Ok(())
}

/// Whether ftrace can be switched off at all: newer kernels have given that up. Where not, that is said.
pub fn ftrace_has_a_switch(report: &mut Report) -> bool {
    let Err(error) = fs::write(FTRACE_ENABLED, "0") else {
        return fs::write(FTRACE_ENABLED, "1").is_ok();
    };
    report.skip("ftrace off", &format!("this kernel does not switch it off ({error})"));
    false
}

fn ftrace_off_before(report: &mut Report) -> Result<()> {
    report.part("ftrace off before");
    if !ftrace_has_a_switch(report) {
        return Ok(());
    }
    kernel::load(&path("550"))?;
    kernel::write(FTRACE_ENABLED, "0")?;
    leaves_alone(report, "ftrace")?;
    kernel::write(FTRACE_ENABLED, "1")?;
    kernel::load(MODULE)?;
    report.check("with ftrace on again it attaches", || soon(attached));
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

fn ftrace_held(report: &mut Report) -> Result<()> {
    report.part("ftrace off during");
    if !ftrace_has_a_switch(report) {
        return Ok(());
    }
    kernel::load(MODULE)?;
    kernel::load(&path("550"))?;
    report.check("ftrace cannot be switched off", || {
        ensure!(kernel::write(FTRACE_ENABLED, "0").is_err(), "it could");
        Ok(())
    });
    answers::unlocked(report, Gate::Store, "all the same");
    kernel::unload(MODULE)?;
    report.check("without the module it can", || {
        kernel::write(FTRACE_ENABLED, "0")?;
        kernel::write(FTRACE_ENABLED, "1")
    });
    kernel::unload(DRIVER)
}

fn kprobes_off_before(report: &mut Report) -> Result<()> {
    report.part("kprobes off before");
    kernel::load(&path("550"))?;
    let before = probe::digests()?;
    let mut log = Log::from_now()?;
    kernel::write(KPROBES_ENABLED, "0")?;
    let loaded = kernel::load(MODULE);
    report.check("one line of the log says why nothing was done", || {
        says(&log.lines(LOG_PREFIX)?, "kprobes")
    });
    report.check("the driver is untouched", || {
        unchanged(&before, &probe::digests()?)?;
        equal(probe::board_check(answers::UNLISTED, 0)?, 0)
    });
    if loaded.is_ok() {
        report.check("the status says why", || {
            let status = Status::read()?;
            status.is("/driver/state", "refused")?;
            status.mentions("/driver/reason", "kprobes")
        });
        kernel::unload(MODULE)?;
    }
    kernel::write(KPROBES_ENABLED, "1")?;
    kernel::load(MODULE)?;
    report.check("with kprobes on again it attaches", || soon(attached));
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

fn kprobes_off_during(report: &mut Report) -> Result<()> {
    report.part("kprobes off during");
    kernel::load(&path("550"))?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    kernel::write(KPROBES_ENABLED, "0")?;
    report.check("the status notices that the hooks do not fire", || {
        let text = crate::status::text()?;
        ensure!(text.contains("kprobes"), "it says nothing of kprobes:\n{text}");
        Ok(())
    });
    kernel::write(KPROBES_ENABLED, "1")?;
    answers::unlocked(report, Gate::Store, "with kprobes on again");
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}
