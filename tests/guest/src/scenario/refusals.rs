// SPDX-License-Identifier: GPL-2.0
//! Stand-ins of which the module must leave everything alone, or all but their answers, and say why.

use anyhow::{Result, ensure};

use super::{
    answers::{self, Gate, LISTED, UNLISTED},
    rm_control::{same, set_module},
    standin::{leaves_alone, leaves_alone_and, path},
    steps::{self, DRIVER, LOG_PREFIX, MODULE, attached, says, soon, unchanged},
};
use crate::{
    board::Board,
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    rm::{
        answer::Answered,
        overrides,
        question::name,
        run::{self, OTHER, VGPU_MGR, VGPUD},
    },
    status::Status,
};

/// Drivers of which nothing may be touched, and words that the reason has. The signatures are good in
/// each of them, but for what a patch has changed.
const REFUSED: [(&str, &str); 5] = [
    ("unknown-version", "branch 999"),
    ("570-patched", "this driver is patched: reinstall the original"),
    ("patcher", "this driver is patched: reinstall the original"),
    // Whether there is such a function, the kernel does not say of one that no probe may be on (EINVAL).
    ("patcher-hidden", "the vup_hooks_init can't be hooked (error -22)"),
    // ftrace's filter takes no function that it does not know (EINVAL).
    ("untraceable", "the nvidia_unlocked_ioctl can't be hooked (error -22)"),
];

/// The same of drivers without checks.
const WITHOUT_CHECKS: [(&str, &str); 2] = [
    ("hooks", "vgpu_unlock_hooks.c is compiled into this driver: reinstall the original"),
    ("470-untraceable", "the os_mem_copy can't be hooked (error -22)"),
];

/// Those of which only the answers may be touched. The board check's signature is good in each that has
/// one: it must not be used where something else is wrong.
const ANSWERS_ONLY: [(&str, &str); 7] = [
    ("no-signature", "signature of the second gate is not found"),
    ("double-signature", "signature of the second gate is found more than once"),
    ("570-double-signature", "signature of the second gate is found more than once"),
    ("570-wrong-store", "second gate is found, but what it jumps to"),
    (OPEN, "boards up to Ampere: reinstall with the proprietary type"),
    ("590", "branch 590"),
    ("no-sacrificial", "no capability table entry"),
];

/// NVIDIA's open module.
const OPEN: &str = "570-open";
/// A driver whose branch does not go by the tables that it lacks.
const NO_TABLES: &str = "no-tables";
/// A driver whose tables have no room for all of the board's entries.
const NO_ROOM: &str = "short-sacrificial";

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    run::install()?;
    for (variant, words) in REFUSED {
        report.part(variant);
        kernel::load(&path(variant))?;
        leaves_alone(report, words)?;
        kernel::unload(DRIVER)?;
    }
    for (variant, words) in WITHOUT_CHECKS {
        report.part(variant);
        kernel::load(&path(variant))?;
        leaves_alone_and(report, words, |_| {})?;
        kernel::unload(DRIVER)?;
    }
    for (variant, words) in ANSWERS_ONLY {
        report.part(variant);
        changes_answers_only(report, variant, words)?;
    }
    report.part(NO_TABLES);
    tables_are_not_missed(report)?;
    report.part(NO_ROOM);
    tables_stay(report, &board, NO_ROOM)
}

/// The driver knows the board for one that NVIDIA lists; the bus has one that it does not.
fn changes_answers_only(report: &mut Report, variant: &str, words: &str) -> Result<()> {
    kernel::load_with(&path(variant), &format!("device={LISTED}"))?;
    let before = probe::digests()?;
    let raw = run::ask(OTHER, structures(variant))?;
    let mut log = Log::from_now()?;
    kernel::load(MODULE)?;
    report.check("the status says that only answers are changed, and why", || {
        let status = Status::read()?;
        status.is("/driver/state", "answers only")?;
        status.mentions("/driver/reason", words)?;
        status
            .is("/gpus/0/state", if variant == OPEN { "open modules" } else { "not unlocked" })?;
        status.is("/gpus/0/answered_as", serde_json::Value::Null)?;
        status.is("/tables/state", "absent")?;
        let text = crate::status::text()?;
        ensure!(text.contains("overrides work for boards that it lists itself"), "{text}");
        Ok(())
    });
    report.check(&format!("one line of the log says so ({words})"), || {
        let lines = log.lines(LOG_PREFIX)?;
        says(&lines, words)?;
        says(&lines, "only its answers")?;
        equal(lines.iter().filter(|line| line.contains(words)).count(), 1)
    });
    report.check("nothing is hooked but the driver's ioctl", || {
        let hooks = Status::read()?.hooks()?;
        ensure!(hooks.len() == 1 && hooks[0].0.ends_with("unlocked_ioctl"), "hooks: {hooks:?}");
        ensure!(probe::digests()?.rodata == before.rodata, "its .rodata differs");
        Ok(())
    });
    if variant != "no-sacrificial" {
        report.check("an unlisted board is still refused", || {
            equal(probe::board_check(UNLISTED, 0)?, 0)
        });
    }
    set_module("gpus", "any=1e30:12ba")?;
    set_module("migration", "1")?;
    report.check("without overrides the daemons are told what the driver says", || {
        same(&run::ask(VGPUD, structures(variant))?, &raw)?;
        same(&run::ask(VGPU_MGR, structures(variant))?, &raw)
    });
    set_module("overrides", &overrides::parameter())?;
    report.check("overrides are in force, and nothing else is answered", || {
        same(&run::ask(VGPUD, structures(variant))?, &overridden(&raw))?;
        same(&run::ask(VGPU_MGR, structures(variant))?, &overridden(&raw))
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

/// What a daemon must be told instead of `raw` where overrides are all that is in force.
fn overridden(raw: &[Answered]) -> Vec<Answered> {
    let types = [name::TYPE_BY_NUMBER, name::TYPE_OF_VGPU];
    let mut told = raw.to_vec();
    for answered in told.iter_mut().filter(|answered| types.contains(&answered.name.as_str())) {
        if answered.answer.status == 0 {
            overrides::apply(&answered.name, &mut answered.answer);
        }
    }
    told
}

/// The branch whose structures a stand-in has.
fn structures(variant: &str) -> &'static str {
    match variant {
        "no-sacrificial" => "470",
        "570-double-signature" | "570-wrong-store" | OPEN => "570",
        _ => "550",
    }
}

/// All is as on a branch whose tables are there and not needed.
fn tables_are_not_missed(report: &mut Report) -> Result<()> {
    kernel::load(&path(NO_TABLES))?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("without tables that it does not go by, the driver is attached to", || {
        soon(attached)?;
        Status::read()?.is("/tables/state", "not needed")
    });
    answers::unlocked(report, Gate::Store, "without tables");
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

fn tables_stay(report: &mut Report, board: &Board, variant: &str) -> Result<()> {
    kernel::load(&path(variant))?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    probe::play(board.bar3()?)?;
    report.check("the status says that the tables are refused", || {
        soon(|| Status::read()?.is("/tables/state", "refused"))
    });
    report.check("not one byte of .rodata changed", || {
        equal(probe::digests()?.rodata == before.rodata, true)
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}
