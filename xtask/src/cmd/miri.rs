// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask miri`: the portable crate's tests, with every access to memory looked at.

use anyhow::Result;

use crate::toolchains;

/// Run the portable crate's tests under Miri, which is fetched the first time.
#[derive(clap::Args)]
pub struct Args {
    /// Fetch the newest one, where there is one already.
    #[arg(long)]
    again: bool,
}

/// Runs the command.
///
/// # Errors
/// Miri cannot be had, or a test fails in it.
pub fn run(args: &Args) -> Result<()> {
    toolchains::miri(args.again)
}
