// SPDX-License-Identifier: GPL-2.0
//! PID 1 of the test VMs: runs the scenario that the kernel's command line names, reports every
//! check to the host over the second serial port, and powers off.

mod board;
mod bpf;
mod expected;
mod hooked;
mod hotplug;
mod kernel;
mod libvirt;
mod mdev;
mod memory;
mod probe;
mod proxmox;
mod report;
mod rm;
mod scenario;
mod status;
mod tables;
mod vgpu_load;

use std::{fs, process::ExitCode};

use anyhow::{Context, Result};
use rustix::{
    mount::{MountFlags, mount},
    system::{RebootCommand, reboot},
};

use report::Report;

const FILE_SYSTEMS: [(&str, &str); 5] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
];

fn mount_all() -> Result<()> {
    for (kind, place) in FILE_SYSTEMS {
        fs::create_dir_all(place).with_context(|| format!("creating {place}"))?;
        mount(kind, place, kind, MountFlags::empty(), None)
            .with_context(|| format!("mounting {kind} at {place}"))?;
    }
    Ok(())
}

/// The value of `key=` on the kernel's command line.
fn argument(key: &str) -> Result<String> {
    let line = fs::read_to_string("/proc/cmdline").context("reading the kernel's command line")?;
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        .map(str::to_owned)
        .with_context(|| format!("no {key}= on the kernel's command line: {line}"))
}

fn run() -> Result<()> {
    mount_all()?;
    let mut report = Report::open("/dev/ttyS1")?;
    let name = argument("vgpu_unlock.scenario")?;
    report.hello(&name, &kernel::release()?);
    if let Err(error) = scenario::run(&name, &mut report) {
        report.setup_failed(&error);
    }
    kernel::look_for_leaks()?;
    report.taint(kernel::taint()?);
    report.verdict();
    Ok(())
}

fn main() -> ExitCode {
    // The scenarios start this file under other names, too.
    if let Some(code) = rm::program::run() {
        return code;
    }
    if let Err(error) = run() {
        // Nobody listens but the kernel's log.
        println!("guest: {error:#}");
    }
    let error = reboot(RebootCommand::PowerOff);
    println!("guest: powering off: {error:?}");
    ExitCode::FAILURE
}
