// SPDX-License-Identifier: GPL-2.0
//! Debian's libvirt: its daemon with the driver for host devices, and virsh. The daemon hears of devices
//! from udev, and makes mediated devices by mdevctl.

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

const UDEVD: &str = "/usr/lib/systemd/systemd-udevd";
const UDEVADM: &str = "/usr/bin/udevadm";
const DAEMON: &str = "/usr/sbin/libvirtd";
const VIRSH: &str = "/usr/bin/virsh";
/// The driver for host devices alone, in the one daemon that there is.
const URI: &str = "nodedev:///system?mode=legacy";
const PATH: &str = "/usr/sbin:/usr/bin";
/// What the daemon says.
const LOG: &str = "/run/libvirtd.log";

/// What both need of a system.
const FILES: [(&str, &str); 4] = [
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("/etc/group", "root:x:0:\n"),
    ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    ("/etc/libvirt/libvirtd.conf", "auth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\n"),
];
const DIRS: [&str; 5] = [
    "/run/libvirt",
    "/var/lib/libvirt",
    "/var/log/libvirt",
    "/var/cache/libvirt",
    "/etc/udev/rules.d",
];

/// Both daemons, running.
pub struct Libvirt {
    udevd: Child,
    daemon: Child,
}

impl Libvirt {
    /// Starts them, and waits until virsh has an answer.
    pub fn start() -> Result<Self> {
        // Where the daemon has its socket, and what mdevctl reads.
        fs::create_dir_all("/var").context("creating /var")?;
        for (target, link) in [("/run", "/var/run"), ("/proc/self/fd/0", "/dev/stdin")] {
            symlink(target, link).with_context(|| format!("linking {link}"))?;
        }
        for dir in DIRS {
            fs::create_dir_all(dir).with_context(|| format!("creating {dir}"))?;
        }
        for (path, text) in FILES {
            let dir = path.rsplit_once('/').map_or("/", |(dir, _)| dir);
            fs::create_dir_all(dir).with_context(|| format!("creating {dir}"))?;
            fs::write(path, text).with_context(|| format!("writing {path}"))?;
        }
        // It goes by the name that it is called by.
        let udevd = Command::new(UDEVD)
            .arg0("systemd-udevd")
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .spawn()
            .context("starting systemd-udevd")?;
        let log = fs::File::create(LOG).with_context(|| format!("creating {LOG}"))?;
        let daemon = Command::new(DAEMON)
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting libvirtd")?;
        let mut both = Self { udevd, daemon };
        both.wait()?;
        Ok(both)
    }

    fn wait(&mut self) -> Result<()> {
        let mut said = String::new();
        for _ in 0..60 {
            if let Some(status) = self.daemon.try_wait()? {
                bail!("libvirtd: {status}: {}", log());
            }
            match virsh(&["nodedev-list"]) {
                Ok(_) => return Ok(()),
                Err(error) => said = format!("{error:#}"),
            }
            thread::sleep(Duration::from_secs(1));
        }
        bail!("virsh has no answer: {said}; libvirtd: {}", log())
    }

    /// Ends both.
    pub fn stop(mut self) -> Result<()> {
        for child in [&mut self.daemon, &mut self.udevd] {
            child.kill().context("ending a daemon")?;
            child.wait().context("waiting for a daemon")?;
        }
        Ok(())
    }
}

/// What the daemon said.
fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// Waits until udev has nothing to do.
pub fn settle() -> Result<()> {
    let status = Command::new(UDEVADM).arg("settle").env("PATH", PATH).status();
    ensure!(status.context("starting udevadm")?.success(), "udevadm settle failed");
    Ok(())
}

/// Runs virsh, and returns what it printed.
pub fn virsh(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(VIRSH);
    command.env("PATH", PATH).env("HOME", "/root").args(["--connect", URI]).args(arguments);
    let out = command.stdin(Stdio::null()).output().context("starting virsh")?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "virsh {arguments:?}: {}, {}", out.status, said.trim());
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
