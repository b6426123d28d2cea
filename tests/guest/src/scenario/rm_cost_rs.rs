// SPDX-License-Identifier: GPL-2.0
//! The same answers, given by vgpu_unlock-rs from within the daemon and by the module: what a call costs.
//!
//! A measurement, as `rm_cost` is. What is checked is that both change the same, byte for byte. Nobody reads
//! the library's log here, which makes it cheaper than where somebody does.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    rm_control::{prepare, set_module},
    rm_cost::{AMOUNT, BOARD, COLUMNS, GPUS, median, overrides},
    standin::path,
    steps::{DRIVER, MODULE, attached, soon},
};
use crate::{
    kernel,
    report::{Report, equal},
    rm::{
        cost::{Amount, Cost, Unit},
        overrides::changed,
        question::{TYPE, name},
        run,
    },
};

const ROUNDS: usize = 3;
const LIBRARY: &str = "/lib/libvgpu_unlock_rs.so";
const SETTINGS: &str = "/etc/vgpu_unlock";

/// What answers, besides the driver.
const ROWS: [&str; 3] = ["nobody else", "vgpu_unlock-rs", "the module"];
const NOBODY: usize = 0;
const THEIRS: usize = 1;
const OURS: usize = 2;

/// The keys of `rm_cost`'s five overrides, in the order of the structure.
const KEYS: [&str; 5] =
    ["card_name", "num_displays", "display_width", "display_height", "framebuffer"];

/// The settings of `rm_cost` in the library's words.
fn write_settings() -> Result<()> {
    fs::create_dir_all(SETTINGS).with_context(|| format!("creating {SETTINGS}"))?;
    let overrides = format!(
        "[profile.nvidia-{TYPE}]\nnum_displays = 1\ndisplay_width = 1920\ndisplay_height = 1080\n\
         framebuffer = 0x40000000\ncard_name = \"Other\"\n"
    );
    kernel::write(&format!("{SETTINGS}/profile_override.toml"), &overrides)?;
    let boards = "[pci_info_map]\n\"0x1db6\" = { device_id = 0x1b38, sub_system_id = 0x120f }\n";
    kernel::write(&format!("{SETTINGS}/config.toml"), boards)
}

/// By row, what each round came to.
type Measured = [Vec<Vec<Cost>>; ROWS.len()];

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    write_settings()?;
    let mut measured = Measured::default();
    for round in 0..ROUNDS {
        report.part(&format!("round {}", round + 1));
        measure(report, &mut measured)?;
    }
    report.part("all rounds");
    check_answers(report, &measured);
    report.show(&table(&measured));
    Ok(())
}

fn ask(preloaded: Option<&str>) -> Result<Vec<Cost>> {
    run::cost_shared(preloaded, "cost", Unit::Instructions, AMOUNT)
}

fn measure(report: &mut Report, measured: &mut Measured) -> Result<()> {
    kernel::load_with(&path("550"), BOARD)?;
    measured[NOBODY].push(ask(None)?);
    measured[THEIRS].push(ask(Some(LIBRARY))?);
    kernel::load(MODULE)?;
    set_module("gpus", GPUS)?;
    set_module("overrides", &overrides())?;
    report.check("attached, all hooks placed", || soon(attached));
    measured[OURS].push(ask(None)?);
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// Both change what they are to change, to the same.
fn check_answers(report: &mut Report, measured: &Measured) {
    let [raw, theirs, ours] = measured;
    for (column, (question, _)) in COLUMNS.iter().enumerate() {
        for (who, rounds) in [(ROWS[THEIRS], theirs), (ROWS[OURS], ours)] {
            let to_change = column > 0;
            let what = if to_change { "was changed" } else { "is the driver's" };
            report.check(&format!("{who}: the answer to {question} {what}"), || {
                equal(rounds.len(), ROUNDS)?;
                for costs in rounds {
                    equal(costs.len(), COLUMNS.len())?;
                    let (cost, raw) = (&costs[column], &raw[0][column]);
                    equal(cost.answered.name.as_str(), *question)?;
                    equal(cost.answered.answer.status, 0)?;
                    let difference = raw.answered.answer.difference(&cost.answered.answer);
                    ensure!(difference.is_some() == to_change, "the difference is {difference:?}");
                    if *question == name::TYPE_BY_NUMBER {
                        let (raw, told) = (&raw.answered.answer, &cost.answered.answer);
                        equal(changed(question, raw, told), KEYS.to_vec())?;
                    }
                }
                Ok(())
            });
        }
        report.check(&format!("both answer {question} byte for byte the same"), || {
            let answer = |rounds: &[Vec<Cost>]| rounds[0][column].answered.answer.clone();
            let difference = answer(theirs).difference(&answer(ours));
            ensure!(difference.is_none(), "the difference is {difference:?}");
            Ok(())
        });
    }
}

fn table(measured: &Measured) -> String {
    let Amount { batches, calls } = AMOUNT;
    let mut text = format!(
        "instructions of one call, library, system call and all: median of {ROUNDS} x {batches} batches of \
         {calls} calls\n{:20}",
        ""
    );
    for (_, column) in COLUMNS {
        text.push_str(&format!("{column:>24}"));
    }
    let added = |row: usize, column| {
        median(&measured[row], column) as i64 - median(&measured[NOBODY], column) as i64
    };
    for (row, who) in ROWS.iter().enumerate() {
        text.push_str(&format!("\n{who:20}"));
        for column in 0..COLUMNS.len() {
            let cost = median(&measured[row], column);
            text.push_str(&format!("{:>24}", format!("{cost} ({:+})", added(row, column))));
        }
    }
    text.push_str(&format!("\n{:20}", "theirs / ours, added"));
    for column in 0..COLUMNS.len() {
        let ratio = added(THEIRS, column) as f64 / added(OURS, column) as f64;
        text.push_str(&format!("{ratio:>24.2}"));
    }
    text
}
