// SPDX-License-Identifier: GPL-2.0
//! What is done in a throw-away copy of a user's machine.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{paths, root::Root};

/// Runs `script`, one of this repository's, in a copy of `root`, which it calls `name`, with `directories` in it. Every
/// line that it prints goes to `report`, as it comes.
///
/// # Errors
/// The system can't be made, or the script fails, which is more than a check that does.
pub fn run(
    (name, root): (&str, Root),
    script: &str,
    directories: &[&Path],
    report: &mut dyn FnMut(&str),
) -> Result<()> {
    let mut child = Command::new(paths::repo().join("tests/dkms/run"))
        .arg(name)
        .arg(root.path()?)
        .arg(script)
        .args(directories)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting tests/dkms/run")?;
    let stdout = child.stdout.take().context("tests/dkms/run has no output")?;
    for line in BufReader::new(stdout).lines() {
        report(&line.context("reading the output of tests/dkms/run")?);
    }
    let status = child.wait().context("waiting for tests/dkms/run")?;
    ensure!(status.success(), "tests/dkms/run {name}: {script} failed ({status})");
    Ok(())
}
