// SPDX-License-Identifier: GPL-2.0
//! `vm`: one scenario on one kernel.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use crate::{
    kernel,
    vm::{self, BoardOptions, Line, Scenario},
};

/// Boot a kernel with an emulated GPU and run a scenario on it.
#[derive(ClapArgs)]
pub struct Args {
    /// Target to boot; the scenario's first one, unless given.
    #[arg(long, value_name = "TARGET")]
    kernel: Option<String>,
    /// Scenario to run; without one, all are listed.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// PCI device ID of the first emulated board, hexadecimal.
    #[arg(long, value_name = "HEX")]
    device: Option<String>,
    /// PCI subsystem ID of the first emulated board, hexadecimal.
    #[arg(long, value_name = "HEX")]
    subsystem: Option<String>,
    /// How many rounds a scenario has that is told.
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Key in the first emulated board's BAR3, hexadecimal.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The machine cannot be built, or the scenario does not end as it should.
pub fn run(args: &Args) -> Result<()> {
    let Some(name) = &args.scenario else {
        for Scenario { name, about, targets, .. } in vm::SCENARIOS {
            println!("{name:20} {about} ({})", targets.join(", "));
        }
        return Ok(());
    };
    let known = vm::find(name)?;
    let rounds = args.rounds.filter(|_| known.rounds.is_some()).or(known.rounds);
    let scenario = &Scenario { rounds, ..*known };
    let target = kernel::find(args.kernel.as_deref().unwrap_or(scenario.targets[0]))?;
    let board = BoardOptions {
        device: args.device.clone(),
        subsystem: args.subsystem.clone(),
        key: args.key.clone(),
    };
    let outcome = vm::run(target, scenario, &board, &mut print)?;
    for problem in &outcome.problems {
        println!("{problem}");
    }
    println!(
        "{} passed, {} failed, {} skipped in {:.0?}; the kernel's log: {}",
        outcome.passed.len(),
        outcome.failed.len(),
        outcome.skipped.len(),
        outcome.took,
        outcome.console.display()
    );
    if let Some(why) = scenario.unexpected(&outcome) {
        bail!("{name} on {}: {why}", target.name);
    }
    Ok(())
}

/// Prints a line of the guest's as a person wants it.
fn print(line: &Line) {
    match line {
        Line::Ok(name) => println!("ok      {name}"),
        Line::NotOk { name, reason } => println!("not ok  {name}: {reason}"),
        Line::Skip { name, why } => println!("skip    {name}: {why}"),
        Line::Note(part) => println!("--- {part}"),
        Line::Show(text) => println!("{text}"),
        _ => {}
    }
}
