// SPDX-License-Identifier: GPL-2.0
//! Users' machines that boot with the packages: systemd, udev and DKMS's very file, with stand-ins for NVIDIA's
//! driver and daemons. tests/packages/machine makes them, and tests/packages/booted looks at them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{system, tree};
use crate::{
    dirs,
    root::Root,
    sh,
    vm::{self, Line},
};

/// From power-on to power-off, without KVM on two slow cores.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The first program is a user's; there is no disk that a root would have to be found on.
const ARGUMENTS: &str = "rdinit=/sbin/init intel_iommu=on systemd.show_status=false";

/// Makes a machine of a system with the packages in `packages`, boots it, and says what it said.
///
/// # Errors
/// It can't be made. A failed check is none.
pub fn test(system: (&str, Root), packages: &Path, report: &mut dyn FnMut(&str)) -> Result<()> {
    let name = system.0;
    let room = tree::room().join(format!("machine-{name}"));
    dirs::empty(&room)?;
    vm::stage(vm::PEOPLES, &room.join("standin"))?;
    let tools = [
        ("guest", sh::cargo_build_static("guest")?),
        ("busybox", PathBuf::from("/usr/bin/busybox")),
    ];
    for (name, from) in tools {
        fs::copy(&from, room.join(name)).with_context(|| format!("copying {}", from.display()))?;
    }
    system::run(system, "tests/packages/machine", &[packages, &room], report)?;
    report(&format!("note {name}: booting"));
    let boots = vm::System { name, dir: &room, arguments: ARGUMENTS, timeout: TIMEOUT };
    let outcome = boots.boot(&mut |line| {
        if let Line::Show(text) = line {
            report(&format!("show {name}: {text}"));
        }
    })?;
    for check in &outcome.passed {
        report(&format!("ok {name}, booted: {check}"));
    }
    for (check, why) in &outcome.failed {
        report(&format!("not ok {name}, booted: {check}:: {why}"));
    }
    for problem in &outcome.problems {
        let problem = problem.to_string().replace('\n', " / ");
        let log = outcome.console.display();
        report(&format!("not ok {name}, booted: the machine:: {problem}, see {log}"));
    }
    // It is large, and is made anew the next time.
    let packed = room.join("system.cpio");
    fs::remove_file(&packed).with_context(|| format!("removing {}", packed.display()))
}
