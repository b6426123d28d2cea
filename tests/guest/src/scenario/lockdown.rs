// SPDX-License-Identifier: GPL-2.0
//! The kernel is locked down, as with Secure Boot, while we are loaded; and we are not signed.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use rustix::mount::{MountFlags, mount};

use super::{
    faults::Known,
    rm_control::{prepare, set_module},
    steps::{DRIVER, MODULE, attached, says, soon, unchanged},
};
use crate::{
    hooked,
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    status::Status,
};

const DIR: &str = "/sys/kernel/security";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    let known = Known::of_loaded()?;
    let (before, probes) = (probe::digests()?, hooked::probes()?);
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || {
        soon(attached)?;
        known.unlocked()
    });
    if mount("securityfs", DIR, "securityfs", MountFlags::empty(), None).is_err()
        || !Path::new(LOCKDOWN).exists()
    {
        report.skip("lockdown", "this kernel can't be locked down");
        kernel::unload(MODULE)?;
        return kernel::unload(DRIVER);
    }
    for level in ["integrity", "confidentiality"] {
        lock_down(report, &known, level)?;
    }

    report.part("unsigned, when the kernel is locked down");
    kernel::unload(MODULE)?;
    let put_back = || {
        known.are_told_the_drivers()?;
        equal(hooked::probes()?, probes.clone())?;
        unchanged(&before, &probe::digests()?)
    };
    report.check("rmmod puts everything back", put_back);
    let mut log = Log::from_now()?;
    let loaded = kernel::load(MODULE);
    report.check("an unsigned module is refused by the kernel", || {
        let error = loaded.err().context("it was loaded")?;
        equal(error.downcast_ref::<rustix::io::Errno>(), Some(&rustix::io::Errno::PERM))?;
        let lines = log.lines("Lockdown: ")?;
        says(&lines, "unsigned module loading is restricted; see man kernel_lockdown.7")?;
        equal(lines.len(), 1)
    });
    report.check("nothing is hooked then", put_back);
    kernel::unload(DRIVER)
}

/// What is loaded already goes on, and can place hooks.
fn lock_down(report: &mut Report, known: &Known, level: &str) -> Result<()> {
    report.part(&format!("lockdown for {level}"));
    kernel::write(LOCKDOWN, level)?;
    report.check("the kernel is locked down", || {
        let text = fs::read_to_string(LOCKDOWN)?;
        ensure!(text.contains(&format!("[{level}]")), "it says {text:?}");
        Ok(())
    });
    report.check("who is loaded goes on under lockdown, and its status can be read", || {
        attached()?;
        known.are_told_ours()
    });
    set_module("enabled", "0")?;
    report.check("it can be switched off", || {
        Status::read()?.is("/driver/state", "disabled")?;
        known.are_told_the_drivers()
    });
    set_module("enabled", "1")?;
    report.check("and places its hooks anew under lockdown", || {
        soon(attached)?;
        known.are_told_ours()
    });
    Ok(())
}
