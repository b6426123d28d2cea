// SPDX-License-Identifier: GPL-2.0
//! DKMS with our package, in a throw-away root: tests/dkms.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{fetched, find};
use crate::paths;

/// Runs the checks on all kernels and hands every line they print to `report`, as it comes.
///
/// The lines are those of the guest's protocol: `ok`, `not ok` and `show`.
///
/// # Errors
/// A kernel cannot be fetched, or the throw-away root cannot be made. A failed check is none.
pub fn run(report: &mut dyn FnMut(&str)) -> Result<()> {
    let mut kernels = Vec::new();
    for target in ["debian-6.12", "debian-7.2"] {
        let release = fetched(find(target)?)?;
        kernels.push(format!("{}={}", release.release, release.version));
    }
    let mut child = Command::new(paths::repo().join("tests/dkms/run"))
        .args(kernels)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting tests/dkms/run")?;
    let stdout = child.stdout.take().context("tests/dkms/run has no output")?;
    for line in BufReader::new(stdout).lines() {
        report(&line.context("reading the output of tests/dkms/run")?);
    }
    let status = child.wait().context("waiting for tests/dkms/run")?;
    ensure!(status.success(), "tests/dkms/run failed ({status})");
    Ok(())
}
