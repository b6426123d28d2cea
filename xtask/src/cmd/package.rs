// SPDX-License-Identifier: GPL-2.0
//! `package`: what users install.

use anyhow::Result;
use clap::Args as ClapArgs;

use crate::package;

/// Build the Debian packages of what is committed, twice, and compare the bytes.
#[derive(ClapArgs)]
pub struct Args {
    /// Also build the RPM packages, as far as Debian's rpmbuild does.
    #[arg(long)]
    rpm: bool,
}

/// Runs the command.
///
/// # Errors
/// A package cannot be built, the second build differs, or lintian has a complaint.
pub fn run(args: &Args) -> Result<()> {
    let mut built = package::debs()?;
    if args.rpm {
        built.extend(package::rpms()?);
    }
    for path in built {
        println!("{}", path.display());
    }
    Ok(())
}
