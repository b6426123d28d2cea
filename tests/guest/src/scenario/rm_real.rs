// SPDX-License-Identifier: GPL-2.0
//! The real driver's control device: commands that do not concern us pass through, for the daemons
//! and for everyone else, while the module comes and goes.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::{
    rm_control::{prepare, same},
    steps::{DRIVER, MODULE, attached, rested, soon, woken},
};
use crate::{
    kernel,
    report::{Report, equal},
    rm::run::{self, Load, OTHER, VGPU_MGR, VGPUD},
    status::Status,
};

const IOCTL: &str = "nvidia_unlocked_ioctl";
const SET: &str = "real";
const THREADS: usize = 8;
const CALLS: usize = 10_000;
const ROUNDS: usize = 10;

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "POE")?;
    kernel::load(DRIVER)?;
    // The driver leaves it to its installer to make this one.
    let mode = Mode::from_raw_mode(0o666);
    mknodat(CWD, "/dev/nvidiactl", FileType::CharacterDevice, mode, makedev(195, 255))
        .context("making /dev/nvidiactl")?;
    let proc_before = proc_files()?;
    let before = run::ask(OTHER, SET)?;
    for answered in &before {
        if answered.route == crate::rm::answer::Route::Direct {
            let answer = &answered.answer;
            report.show(&format!("{}: status {:#x}", answered.name, answer.status));
        }
    }
    report.check("the driver answers some of the questions", || {
        let answered = before.iter().filter(|answered| answered.answer.status == 0).count();
        ensure!(answered >= 6, "only {answered}");
        Ok(())
    });
    report.check("without the module the daemon's name makes no difference", || {
        same(&run::ask(VGPUD, SET)?, &before)
    });

    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    for name in [VGPUD, VGPU_MGR, OTHER] {
        report.check(&format!("{name} is told what the driver answered"), || {
            same(&run::ask(name, SET)?, &before)
        });
    }
    report.check("when no daemon is there, the ioctl is not hooked", || rested(IOCTL));
    report.check("a daemon that opens the device has it hooked again", || {
        same(&run::ask(OTHER, SET)?, &before)?;
        Status::read()?.hook_is(IOCTL, "resting")?;
        same(&run::ask(VGPU_MGR, SET)?, &before)?;
        woken(IOCTL)
    });
    kernel::unload(MODULE)?;

    for name in [VGPU_MGR, OTHER] {
        run::allow(name, &before)?;
        under_load(report, name)?;
    }
    report.part("afterwards");
    report.check("all is as before", || same(&run::ask(VGPUD, SET)?, &before));
    report.check("/proc/driver/nvidia says what it said before", || {
        equal(proc_files()?, proc_before)
    });
    kernel::unload(DRIVER)
}

fn under_load(report: &mut Report, name: &str) -> Result<()> {
    report.part(&format!("load by {name}"));
    let start = Instant::now();
    let mut load = Load::start(name, SET, THREADS, 0)?;
    for _ in 0..ROUNDS {
        kernel::load(MODULE)?;
        sleep(Duration::from_millis(200));
        kernel::unload(MODULE)?;
    }
    report.check("it did not end by itself", || equal(load.runs()?, true));
    let calls = load.end()?;
    let took = start.elapsed();
    report.show(&format!("{name}: {} calls in {took:.1?}, {ROUNDS} rounds", calls.made));
    report.check("more than 10,000 calls were made while the module came and went", || {
        ensure!(calls.made > CALLS, "only {}", calls.made);
        Ok(())
    });
    report.check("each got the driver's answer", || calls.all_allowed());
    Ok(())
}

/// Everything below /proc/driver/nvidia.
fn proc_files() -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    collect(Path::new("/proc/driver/nvidia"), &mut files)?;
    ensure!(files.keys().any(|path| path.ends_with("/information")), "no board in {files:?}");
    Ok(files)
}

fn collect(dir: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            // Some can only be written.
            let text = fs::read_to_string(&path).unwrap_or_else(|error| error.to_string());
            files.insert(path.display().to_string(), text);
        }
    }
    Ok(())
}
