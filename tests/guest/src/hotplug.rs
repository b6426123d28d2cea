// SPDX-License-Identifier: GPL-2.0
//! A processor that goes and comes while others do something else.

use std::{
    fs,
    io::ErrorKind,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result};

/// The second one of the machine's.
const ONLINE: &str = "/sys/devices/system/cpu/cpu1/online";

#[derive(Default)]
pub struct Hotplug {
    stop: AtomicBool,
    rounds: AtomicUsize,
}

impl Hotplug {
    /// Takes it away for `gone` milliseconds and has it back for `there`, until [`Hotplug::stop`]. It is there in the
    /// end.
    pub fn run(&self, gone: u64, there: u64) -> Result<()> {
        while !self.stop.load(Ordering::Relaxed) {
            for (state, rest) in [("0", gone), ("1", there)] {
                set(state)?;
                sleep(Duration::from_millis(rest));
            }
            self.rounds.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How often it went and came.
    pub fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Relaxed)
    }
}

/// While PCI devices are probed, the kernel lets no processor go.
fn set(state: &str) -> Result<()> {
    loop {
        match fs::write(ONLINE, state) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                sleep(Duration::from_millis(10));
            }
            result => return result.with_context(|| format!("writing {state} to {ONLINE}")),
        }
    }
}
