// SPDX-License-Identifier: GPL-2.0
//! `build`: the module, for one or more kernels.

use anyhow::Result;
use clap::Args as ClapArgs;

use super::kernel::select;
use crate::kernel;

/// Build the module.
#[derive(ClapArgs)]
pub struct Args {
    /// Targets; all that work, unless given.
    #[arg(long = "kernel", value_name = "TARGET", num_args = 1..)]
    kernels: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// A kernel cannot be prepared, or the module does not compile.
pub fn run(args: &Args) -> Result<()> {
    for target in select(&args.kernels)? {
        let kernel = kernel::prepare(target)?;
        let module = kernel::build::module(&kernel)?;
        let size = kernel::build::size(&module)?;
        println!("{:12} {} ({size} bytes of code and constants)", target.name, module.display());
    }
    Ok(())
}
