// SPDX-License-Identifier: GPL-2.0
//! `signatures`: writes docs/signatures.md.

use std::process::Command;

use anyhow::Result;

use crate::{driver, sh};

/// Count every signature in every real driver, and write the table into docs/signatures.md.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// A driver cannot be had, or a signature stands where it must not, or not where it must.
pub fn run(_: &Args) -> Result<()> {
    let day = sh::output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
    driver::signatures::write(day.trim())
}
