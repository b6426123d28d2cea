// SPDX-License-Identifier: GPL-2.0
//! `demo`: the whole story on the real driver, told in a screenful.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use crate::{
    kernel, sh,
    vm::{self, BoardOptions, Line},
};

/// Watch the real driver change its answer, and change it back.
#[derive(ClapArgs)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// The machine cannot be built, or the story ends badly.
pub fn run(_: &Args) -> Result<()> {
    let target = kernel::find(vm::DEMO.targets[0])?;
    let mut booting = None;
    let outcome = vm::run(target, &vm::DEMO, &BoardOptions::default(), &mut |line| match line {
        Line::Hello { .. } => booting = Some(sh::progress("the machine is up")),
        Line::Show(text) => {
            booting = None;
            println!("{text}");
        }
        Line::NotOk { name, reason } => println!("!! {name}: {reason}"),
        _ => {}
    })?;
    if let Some(why) = vm::DEMO.unexpected(&outcome) {
        bail!("{why}\nThe kernel's log: {}", outcome.console.display());
    }
    println!("\n{} checks passed, {:.0?} in the machine.", outcome.passed.len(), outcome.took);
    Ok(())
}
