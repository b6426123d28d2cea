// SPDX-License-Identifier: GPL-2.0
//! What an RM control call costs: without the module, with it, and after it.
//!
//! A measurement. What is checked is that the calls did what is said of them; how much they cost is
//! for a person to judge.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    rm_control::{prepare, set_module},
    standin::path,
    steps::{DRIVER, MODULE, attached, rested, soon, woken},
};
use crate::{
    hooked::{hooks_on, probes_on},
    kernel,
    report::{Report, equal},
    rm::{
        cost::{Amount, Cost, Unit},
        question::{TYPE, name},
        run::{self, Load, OTHER, VGPU_MGR},
    },
    status::Status,
};

/// All states are gone through that often, so that what changes in the course of time is the same for
/// all of them.
const ROUNDS: usize = 5;
pub(super) const AMOUNT: Amount = Amount { batches: 7, calls: 50 };

/// The stand-in's board: one that is listed, so that vGPU types are told without us, too.
pub(super) const BOARD: &str = "device=0x1db6";
/// It is answered as another board all the same.
pub(super) const GPUS: &str = "1db6=1b38:120f";

/// Five fields of a type.
pub(super) fn overrides() -> String {
    format!(
        "nvidia-{TYPE}:num_displays=1,display_width=1920,display_height=1080,framebuffer=1GiB,\
         card_name='Other'"
    )
}

/// Who asks, and what is in place then.
const ROWS: [(&str, &str); 9] = [
    ("without the module", OTHER),
    ("without the module", VGPU_MGR),
    ("with the module", OTHER),
    ("with the module", VGPU_MGR),
    (RESTING, OTHER),
    ("enabled=0", OTHER),
    ("enabled=0", VGPU_MGR),
    ("after rmmod", OTHER),
    ("after rmmod", VGPU_MGR),
];
const WITH_MODULE: usize = 2;
/// With it, and no daemon has been there for a while. That takes long, where time is the real one.
const RESTING: &str = "no daemon is there";

fn rows(unit: Unit) -> impl Iterator<Item = (usize, (&'static str, &'static str))> {
    let wanted = move |state| state != RESTING || unit == Unit::Instructions;
    ROWS.into_iter().enumerate().filter(move |(_, (state, _))| wanted(*state))
}

/// The questions of the set "cost" and how each is shown.
pub(super) const COLUMNS: [(&str, &str); 3] = [
    ("a command that succeeds", "another command"),
    (name::PCI_INFO, "PCI info"),
    (name::TYPE_BY_NUMBER, "vGPU type"),
];

/// By row, what each round came to.
type Measured = [Vec<Vec<Cost>>; ROWS.len()];

pub fn run(report: &mut Report, unit: Unit) -> Result<()> {
    prepare(report, "OE")?;
    let mut measured = Measured::default();
    for round in 0..ROUNDS {
        report.part(&format!("round {}", round + 1));
        measure(report, unit, &mut measured)?;
    }
    if unit == Unit::Instructions {
        with_a_daemon(report)?;
    }
    report.part("all rounds");
    check_answers(report, unit, &measured);
    report.show(&table(unit, &measured));
    Ok(())
}

/// Asks as both processes of `state`.
fn ask(state: &str, unit: Unit, measured: &mut Measured) -> Result<()> {
    for ((_, who), costs) in ROWS.iter().zip(measured).filter(|((row, _), _)| *row == state) {
        costs.push(run::cost(who, "cost", unit, AMOUNT)?);
    }
    Ok(())
}

/// One that has the device open, and seldom asks: the hook has to be there all the time.
fn with_a_daemon(report: &mut Report) -> Result<()> {
    /// In seconds: several looks of the module's, and calls of the daemon's.
    const TIME: u64 = 100;
    const BETWEEN_CALLS: u32 = 3000;
    report.part("a daemon that stays");
    kernel::load_with(&path("550"), BOARD)?;
    load_module()?;
    soon(attached)?;
    run::allow(VGPU_MGR, &run::ask(VGPU_MGR, "cost")?)?;
    let load = Load::resting(VGPU_MGR, "cost", (1, 0), BETWEEN_CALLS)?;
    let stays = (0..TIME).try_for_each(|_| {
        sleep(Duration::from_secs(1));
        woken(IOCTL)
    });
    let calls = load.end()?;
    report.check("while a daemon has the device open, the ioctl is hooked", || stays);
    report.check("and each of its calls is answered as the first one", || {
        ensure!(calls.made > 10, "only {} calls", calls.made);
        calls.all_allowed()
    });
    report.check("when it is gone, the ioctl is not hooked", || rested(IOCTL));
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

fn load_module() -> Result<()> {
    kernel::load(MODULE)?;
    set_module("gpus", GPUS)?;
    set_module("overrides", &overrides())
}

fn measure(report: &mut Report, unit: Unit, measured: &mut Measured) -> Result<()> {
    kernel::load_with(&path("550"), BOARD)?;
    ask("without the module", unit, measured)?;
    load_module()?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("the ioctl has one hook", || equal(hooks_on(IOCTL)?.len(), 1));
    report.check("the probe behind it is ftrace's, not an INT3", || {
        let probes = probes_on("vu_ioctl_stub")?;
        ensure!(!probes.is_empty(), "there is none");
        ensure!(probes.iter().all(|probe| probe.ends_with("[FTRACE]")), "they are {probes:?}");
        Ok(())
    });
    ask("with the module", unit, measured)?;
    report.check("each of the daemon's calls that is for us was seen, and nobody else's", || {
        let each = AMOUNT.asked();
        let status = Status::read()?;
        // One of the three is not for us.
        equal(status.hits("nvidia_unlocked_ioctl")?, (2 * each) as u64)?;
        equal(status.missed("nvidia_unlocked_ioctl")?, 0)?;
        status.is("/answers/seen", 2 * each)?;
        status.is("/answers/changed", 2 * each)?;
        status.is("/answers/lost", 0)
    });
    if unit == Unit::Instructions {
        report.check("when no daemon is there, the ioctl is not hooked", || rested(IOCTL));
        ask(RESTING, unit, measured)?;
        report.check("nor by others who ask", || equal(hooks_on(IOCTL)?, vec![]));
        report.check("a daemon that comes is told what it must be, from its first call on", || {
            let raw = &measured[0][0];
            for cost in run::cost(VGPU_MGR, "cost", unit, Amount { batches: 1, calls: 1 })? {
                let raw = raw.iter().find(|raw| raw.answered.name == cost.answered.name);
                let raw = raw.context("a question that was not asked before")?;
                let changed = raw.answered.answer.difference(&cost.answered.answer).is_some();
                equal(changed, cost.answered.name != COLUMNS[0].0)?;
            }
            woken(IOCTL)
        });
    }
    set_module("enabled", "0")?;
    report.check("with enabled=0 there is neither hook nor probe", || {
        equal(hooks_on(IOCTL)?, vec![])?;
        equal(probes_on("vu_ioctl_stub")?, vec![])
    });
    ask("enabled=0", unit, measured)?;
    kernel::unload(MODULE)?;
    ask("after rmmod", unit, measured)?;
    kernel::unload(DRIVER)
}

/// The driver's function that everybody's calls go through.
const IOCTL: &str = "nvidia_unlocked_ioctl";

/// Every row's answers are the driver's, but for the daemon's with the module.
fn check_answers(report: &mut Report, unit: Unit, measured: &Measured) {
    let raw = &measured[0][0];
    for (row, (state, who)) in rows(unit) {
        let rounds = &measured[row];
        for (column, (question, _)) in COLUMNS.iter().enumerate() {
            let told = row == WITH_MODULE + 1 && column > 0;
            let what = if told { "was changed" } else { "is the driver's" };
            report.check(&format!("{state}, {who}: the answer to {question} {what}"), || {
                equal(rounds.len(), ROUNDS)?;
                for costs in rounds {
                    equal(costs.len(), COLUMNS.len())?;
                    let (cost, raw) = (&costs[column], &raw[column]);
                    equal(cost.answered.name.as_str(), *question)?;
                    equal(cost.answered.answer.status, 0)?;
                    let difference = raw.answered.answer.difference(&cost.answered.answer);
                    ensure!(difference.is_some() == told, "the difference is {difference:?}");
                }
                Ok(())
            });
        }
    }
}

/// The median of all batches of all rounds.
pub(super) fn median(rounds: &[Vec<Cost>], column: usize) -> u64 {
    let of_column = rounds.iter().filter_map(|costs| costs.get(column));
    let mut all: Vec<u64> = of_column.flat_map(|cost| cost.batches.iter().copied()).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(0)
}

fn table(unit: Unit, measured: &Measured) -> String {
    let Amount { batches, calls } = AMOUNT;
    let mut text = format!(
        "{} of one call, system call and all: median of {ROUNDS} x {batches} batches of {calls} \
         calls\n{:36}",
        unit.name(),
        ""
    );
    for (_, column) in COLUMNS {
        text.push_str(&format!("{column:>24}"));
    }
    for (row, (state, who)) in rows(unit) {
        let rounds = &measured[row];
        text.push_str(&format!("\n{:36}", format!("{state}, {who}")));
        for column in 0..COLUMNS.len() {
            let (cost, base) = (median(rounds, column), median(&measured[0], column));
            let ratio = cost as f64 / base as f64;
            let more = cost as i64 - base as i64;
            text.push_str(&format!("{:>24}", format!("{cost} ({more:+}, x{ratio:.3})")));
        }
    }
    text
}
