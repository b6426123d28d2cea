// SPDX-License-Identifier: GPL-2.0
//! Each way to fail, on purpose: the host must tell them apart.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, bail};

use crate::{
    kernel, probe,
    report::{Report, equal},
};

pub fn pass(report: &mut Report) -> Result<()> {
    report.check("a check that holds", || Ok(()));
    report.skip("a check that is skipped", "to see that it is counted");
    Ok(())
}

pub fn check(report: &mut Report) -> Result<()> {
    report.check("a check that does not hold", || equal(1, 2));
    Ok(())
}

pub fn setup() -> Result<()> {
    bail!("this scenario cannot be set up")
}

/// The kernel complains, all checks pass.
pub fn warn(report: &mut Report) -> Result<()> {
    report.announce_taint("OEW");
    kernel::load("vgpu_unlock_probe")?;
    report.check("the probe warns", probe::warn);
    Ok(())
}

/// An unsigned module from outside of the tree taints, and nobody announced it.
pub fn taint() -> Result<()> {
    kernel::load("vgpu_unlock_probe")
}

/// PID 1 ends, the kernel panics.
pub fn gone() -> Result<()> {
    std::process::exit(0)
}

pub fn hang() -> Result<()> {
    loop {
        sleep(Duration::from_secs(60));
    }
}
