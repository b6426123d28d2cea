// SPDX-License-Identifier: GPL-2.0
//! `object`: what can be seen of the built module without loading it.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::kernel::select;
use crate::kernel;

/// Build the module and look at its code.
#[derive(ClapArgs)]
pub struct Args {
    /// Targets; all that work, unless given.
    #[arg(long = "kernel", value_name = "TARGET", num_args = 1..)]
    kernels: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// The module cannot be built, or is not as the kernel wants it.
pub fn run(args: &Args) -> Result<()> {
    let mut failed = 0;
    for target in select(&args.kernels)? {
        let kernel = kernel::prepare(target)?;
        for check in kernel::object::checks(&kernel)? {
            match check.result {
                Ok(()) => println!("ok      {}", check.name),
                Err(error) => {
                    failed += 1;
                    println!("not ok  {}: {error:#}", check.name);
                }
            }
        }
    }
    if failed > 0 {
        bail!("{failed} checks failed");
    }
    Ok(())
}
