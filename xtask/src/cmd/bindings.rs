// SPDX-License-Identifier: GPL-2.0
//! `bindings`: Rust's view of shim.h, made anew.

use anyhow::Result;

use crate::kernel::bindings;

/// Make module/src/sys/bindings.rs anew from the C side's header.
#[derive(clap::Args)]
pub struct Args {
    /// Only say whether it is up to date.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
///
/// # Errors
/// bindgen refuses the header, or the bindings are not up to date.
pub fn run(args: &Args) -> Result<()> {
    if args.check { bindings::check() } else { bindings::write() }
}
