// SPDX-License-Identifier: GPL-2.0
//! Steps that several scenarios take.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    hooked::hooks_on,
    kernel::{self, Log},
    probe::Digests,
    report::equal,
    status::Status,
};

pub const MODULE: &str = "vgpu_unlock";
pub const DRIVER: &str = "nvidia";
pub const PROBE: &str = "vgpu_unlock_probe";
/// The module's lines in the log.
pub const LOG_PREFIX: &str = "vgpu_unlock: ";

/// Loads what every scenario with a driver needs first.
pub fn prepare() -> Result<()> {
    kernel::load_dependencies()?;
    kernel::load(PROBE)
}

/// Tries `check` until it holds or seconds have passed: what the module does in the background.
pub fn soon(check: impl FnMut() -> Result<()>) -> Result<()> {
    within(Duration::from_secs(5), check)
}

fn within(time: Duration, mut check: impl FnMut() -> Result<()>) -> Result<()> {
    let until = Instant::now() + time;
    loop {
        match check() {
            Err(_) if Instant::now() < until => sleep(Duration::from_millis(50)),
            result => return result,
        }
    }
}

/// Fails unless the module says that it is attached and all of its hooks are in place.
pub fn attached() -> Result<()> {
    let status = Status::read()?;
    status.is("/driver/state", "attached")?;
    // The watch on the tables' key goes away as soon as it is not needed any more.
    status.hooks_are(&["placed", "done", "resting"])
}

/// The module looks every 30 seconds whether a daemon is there.
const LOOKS: Duration = Duration::from_secs(90);

/// Waits until the driver's `ioctl` is not hooked, because no daemon is there, and fails unless it was before.
pub fn rested(ioctl: &str) -> Result<()> {
    equal(hooks_on(ioctl)?.len(), 1)?;
    within(LOOKS, || {
        Status::read()?.hook_is(ioctl, "resting")?;
        equal(hooks_on(ioctl)?, vec![])
    })
}

/// Fails unless the driver's `ioctl` is hooked, and said to be.
pub fn woken(ioctl: &str) -> Result<()> {
    equal(hooks_on(ioctl)?.len(), 1)?;
    Status::read()?.hook_is(ioctl, "placed")
}

/// Waits until it is, because a daemon is there for which that could not be done.
pub fn woken_again(ioctl: &str) -> Result<()> {
    within(LOOKS, || woken(ioctl))
}

/// Fails where `now` differs from `before`.
pub fn unchanged(before: &Digests, now: &Digests) -> Result<()> {
    ensure!(now.rodata == before.rodata, "its .rodata differs");
    ensure!(now.text == before.text, "its .text differs");
    Ok(())
}

/// Fails unless a line of the log says `words`.
pub fn says(lines: &[String], words: &str) -> Result<()> {
    let found = lines.iter().find(|line| line.contains(words));
    found.map(drop).with_context(|| format!("no line says {words:?}; all lines: {lines:#?}"))
}

/// Waits until each of these is said by a line of the module's: the status is changed before the line is there, so who
/// has seen the same in the status may have to. Returns what was said since the last look.
fn heard(log: &mut Log, words: &[&str]) -> Result<Vec<String>> {
    let mut lines = vec![];
    soon(|| {
        lines.extend(log.lines(LOG_PREFIX)?);
        words.iter().try_for_each(|words| says(&lines, words))
    })?;
    Ok(lines)
}

/// Fails unless a line of the module's says `words` soon.
pub fn hears(log: &mut Log, words: &str) -> Result<()> {
    heard(log, &[words]).map(drop)
}

/// Fails unless so many lines say each of these soon, and no more a moment later.
pub fn hears_times(log: &mut Log, words: &[&str], times: usize) -> Result<()> {
    let mut lines = heard(log, words)?;
    sleep(Duration::from_secs(1));
    lines.extend(log.lines(LOG_PREFIX)?);
    words.iter().try_for_each(|words| {
        let count = lines.iter().filter(|line| line.contains(words)).count();
        ensure!(count == times, "{count} lines say {words:?}: {lines:#?}");
        Ok(())
    })
}
