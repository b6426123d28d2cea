// SPDX-License-Identifier: GPL-2.0
//! The Debian packages in throw-away copies of users' machines: tests/packages.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::deb;
use crate::{kernel::dkms_test::SYSTEMS, paths};

/// Builds the packages, runs the checks in all systems and hands every line they print to `report`, as it comes.
///
/// The lines are those of the guest's protocol: `ok`, `not ok`, `note` and `show`.
///
/// # Errors
/// A package or a system cannot be made. A failed check is none.
pub fn test(report: &mut dyn FnMut(&str)) -> Result<()> {
    let (packages, next) = (deb::debs()?, deb::next()?);
    report("ok two builds are the same, and lintian has no complaint");
    for (name, root) in SYSTEMS {
        let mut child = Command::new(paths::repo().join("tests/dkms/run"))
            .arg(name)
            .arg(root.path()?)
            .arg("tests/packages/checks")
            .args([directory(&packages)?, directory(&next)?])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting tests/dkms/run")?;
        let stdout = child.stdout.take().context("tests/dkms/run has no output")?;
        for line in BufReader::new(stdout).lines() {
            report(&line.context("reading the output of tests/dkms/run")?);
        }
        let status = child.wait().context("waiting for tests/dkms/run")?;
        ensure!(status.success(), "tests/dkms/run {name} failed ({status})");
    }
    Ok(())
}

/// Where packages are.
fn directory(packages: &[PathBuf]) -> Result<&Path> {
    packages.first().and_then(|path| path.parent()).context("no packages were made")
}
