// SPDX-License-Identifier: GPL-2.0
//! `signatures`: writes docs/signatures.md.

use anyhow::Result;

use crate::{driver, markdown::day, records::now};

/// Count every signature in every real driver, and write the table into docs/signatures.md.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// A driver cannot be had, or a signature stands where it must not, or not where it must.
pub fn run(_: &Args) -> Result<()> {
    driver::signatures::write(day(&now()?))
}
