// SPDX-License-Identifier: GPL-2.0
//! `kernel list|prepare`: what can be built for, and making it so.

use anyhow::Result;
use clap::Subcommand;

use crate::kernel;

/// Fetch and prepare the kernels that the module is built for.
#[derive(Subcommand)]
pub enum Args {
    /// Show all targets and how far they are prepared.
    List,
    /// Fetch a kernel's packages and prepare its Rust runtime.
    Prepare {
        /// Look for a newer point release, too.
        #[arg(long)]
        update: bool,
        /// Targets; all that are fetched, unless given.
        targets: Vec<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// A target does not exist or cannot be prepared.
pub fn run(args: &Args) -> Result<()> {
    match args {
        Args::List => {
            for target in kernel::targets() {
                let state = kernel::state(target).unwrap_or_else(|| "not fetched".to_owned());
                println!("{:18} {:8} {state}", target.name, target.mode.name());
            }
        }
        Args::Prepare { update, targets } => {
            for target in select(targets)? {
                if *update {
                    kernel::update(target)?;
                }
                let kernel = kernel::prepare(target)?;
                println!("{:18} {}", target.name, kernel.release);
            }
        }
    }
    Ok(())
}

/// The targets of these names, or all that are fetched.
///
/// # Errors
/// A name is none of a working target.
pub fn select(names: &[String]) -> Result<Vec<&'static kernel::Target>> {
    if names.is_empty() {
        return Ok(kernel::TARGETS.iter().collect());
    }
    names.iter().map(|name| kernel::find(name)).collect()
}
