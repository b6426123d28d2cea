// SPDX-License-Identifier: GPL-2.0
//! What an RM control call costs: without the module, with it, and after it.
//!
//! A measurement. What is checked is that the calls did what is said of them; how much they cost is
//! for a person to judge.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    rm_control::{prepare, set_module},
    standin::path,
    steps::{DRIVER, MODULE, attached, soon},
};
use crate::{
    kernel,
    report::{Report, equal},
    rm::{
        cost::{Amount, Cost, Unit},
        question::{TYPE, name},
        run::{self, OTHER, VGPU_MGR},
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
const ROWS: [(&str, &str); 8] = [
    ("without the module", OTHER),
    ("without the module", VGPU_MGR),
    ("with the module", OTHER),
    ("with the module", VGPU_MGR),
    ("enabled=0", OTHER),
    ("enabled=0", VGPU_MGR),
    ("after rmmod", OTHER),
    ("after rmmod", VGPU_MGR),
];
const WITH_MODULE: usize = 2;

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
    report.part("all rounds");
    check_answers(report, &measured);
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

fn measure(report: &mut Report, unit: Unit, measured: &mut Measured) -> Result<()> {
    kernel::load_with(&path("550"), BOARD)?;
    ask("without the module", unit, measured)?;
    kernel::load(MODULE)?;
    set_module("gpus", GPUS)?;
    set_module("overrides", &overrides())?;
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

/// The kernel's lines about kprobes on a function.
fn probes_on(function: &str) -> Result<Vec<String>> {
    lines_with("/sys/kernel/debug/kprobes/list", function)
}

/// The kernel's lines about hooks of ftrace's on a function.
fn hooks_on(function: &str) -> Result<Vec<String>> {
    lines_with("/sys/kernel/debug/tracing/enabled_functions", function)
}

fn lines_with(list: &str, word: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(list).with_context(|| format!("reading {list}"))?;
    let lines = text.lines().filter(|line| line.contains(word));
    Ok(lines.map(|line| line.trim_end().to_owned()).collect())
}

/// Every row's answers are the driver's, but for the daemon's with the module.
fn check_answers(report: &mut Report, measured: &Measured) {
    let raw = &measured[0][0];
    for (row, (rounds, (state, who))) in measured.iter().zip(ROWS).enumerate() {
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
    for (rounds, (state, who)) in measured.iter().zip(ROWS) {
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
