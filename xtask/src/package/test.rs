// SPDX-License-Identifier: GPL-2.0
//! The Debian packages in throw-away copies of users' machines: tests/packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{deb, machine, system};
use crate::kernel::dkms_test::SYSTEMS;

/// Builds the packages, runs the checks in all systems and hands every line they print to `report`, as it comes.
///
/// The lines are those of the guest's protocol: `ok`, `not ok`, `note` and `show`.
///
/// # Errors
/// A package or a system cannot be made. A failed check is none.
pub fn test(report: &mut dyn FnMut(&str)) -> Result<()> {
    let (packages, next) = (deb::debs()?, deb::next()?);
    report("ok two builds are the same, and lintian has no complaint");
    let (packages, next) = (directory(&packages)?, directory(&next)?);
    for system in SYSTEMS {
        system::run(system, "tests/packages/checks", &[packages, next], report)?;
        machine::test(system, packages, report)?;
    }
    Ok(())
}

/// Where packages are.
fn directory(packages: &[PathBuf]) -> Result<&Path> {
    packages.first().and_then(|path| path.parent()).context("no packages were made")
}
