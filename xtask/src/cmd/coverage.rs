// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask coverage`: which lines of the pure files does nothing reach?

use anyhow::Result;

use crate::coverage;

/// Run cargo's tests of the pure files, and what fuzzing has kept, and say which lines nothing reaches.
#[derive(clap::Args)]
pub struct Args {
    /// Write the table into docs/coverage.md, too.
    #[arg(long)]
    write: bool,
}

/// Runs the command.
///
/// # Errors
/// A test fails, or something can't be built.
pub fn run(args: &Args) -> Result<()> {
    let coverage = coverage::run()?;
    print!("{}", coverage::table(&coverage.files));
    println!("with {} inputs of fuzzing's", coverage.inputs);
    if args.write {
        coverage::write(&coverage)?;
    }
    Ok(())
}
