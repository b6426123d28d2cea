// SPDX-License-Identifier: GPL-2.0
//! The running kernel: its modules, its log, its settings.

use std::{
    ffi::CString,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::{
    fs::OFlags,
    system::{delete_module, finit_module},
};

/// Where the host put the modules that scenarios load.
const MODULES: &str = "/modules";

pub fn release() -> Result<String> {
    let text =
        fs::read_to_string("/proc/sys/kernel/osrelease").context("asking for the release")?;
    Ok(text.trim().to_owned())
}

/// Letters of the taint flags that are set, in the kernel's order.
pub fn taint() -> Result<String> {
    const LETTERS: &str = "PFSRMBUDAWCIOELKXTNJ";
    let text = fs::read_to_string("/proc/sys/kernel/tainted").context("asking for the taint")?;
    let mask: u64 = text.trim().parse().context("the taint is no number")?;
    let letter = |bit: usize| LETTERS.as_bytes().get(bit).map_or('?', |letter| char::from(*letter));
    Ok((0..64).filter(|bit| (mask >> bit) & 1 != 0).map(letter).collect())
}

/// Where kernels that look for memory that was forgotten say what they have found.
const LEAKS: &str = "/sys/kernel/debug/kmemleak";

/// What was allocated by now counts once it is this old.
const LEAK_AGE: Duration = Duration::from_secs(6);

/// Has such a kernel look, which the host hears of; what it has found goes into the log.
pub fn look_for_leaks() -> Result<()> {
    if !Path::new(LEAKS).exists() {
        return Ok(());
    }
    sleep(LEAK_AGE);
    // Only what two looks agree on: a pointer may be on its way from one place to another.
    for _ in 0..2 {
        write(LEAKS, "scan")?;
    }
    let found = fs::read_to_string(LEAKS).context("asking for leaks")?;
    // Where each of them was made is more than the log takes of a program otherwise.
    write("/proc/sys/kernel/printk_devkmsg", "on\n")?;
    let mut log =
        OpenOptions::new().write(true).open("/dev/kmsg").context("opening the kernel's log")?;
    for line in found.lines() {
        writeln!(log, "{line}").context("writing to the kernel's log")?;
    }
    Ok(())
}

/// Loads `/modules/<path>.ko`.
pub fn load(path: &str) -> Result<()> {
    load_with(path, "")
}

pub fn load_with(path: &str, parameters: &str) -> Result<()> {
    let file = Path::new(MODULES).join(format!("{path}.ko"));
    let module = File::open(&file).with_context(|| format!("opening {}", file.display()))?;
    let parameters = CString::new(parameters).context("parameters with a zero byte")?;
    finit_module(&module, &parameters, 0).with_context(|| format!("loading {}", file.display()))
}

/// Unloads a module; one that is in use for a moment is asked again.
pub fn unload(name: &str) -> Result<()> {
    let c_name = CString::new(name).context("a name with a zero byte")?;
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match delete_module(&c_name, nonblocking) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::AGAIN) if Instant::now() < until => {
                sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error).with_context(|| format!("unloading {name}")),
        }
    }
}

/// Whether other modules use this one, so that it can't be unloaded.
pub fn is_used(name: &str) -> Result<bool> {
    let path = format!("/sys/module/{name}/holders");
    let mut holders = fs::read_dir(&path).with_context(|| format!("listing {path}"))?;
    if holders.next().is_none() {
        return Ok(false);
    }
    let c_name = CString::new(name).context("a name with a zero byte")?;
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    match delete_module(&c_name, nonblocking) {
        Err(rustix::io::Errno::AGAIN) => Ok(true),
        other => bail!("unloading {name}, which others use: {other:?}"),
    }
}

/// How many mappings there are that vmap() has made, whoever asked for them.
pub fn mappings() -> Result<usize> {
    const MAPPED: &str = "/proc/vmallocinfo";
    let text = fs::read_to_string(MAPPED).with_context(|| format!("reading {MAPPED}"))?;
    Ok(text.lines().filter(|line| line.split(' ').any(|word| word == "vmap")).count())
}

/// Loads what the drivers depend on, in the order that the host found.
pub fn load_dependencies() -> Result<()> {
    let order = Path::new(MODULES).join("order");
    let list =
        fs::read_to_string(&order).with_context(|| format!("reading {}", order.display()))?;
    for module in list.lines() {
        load(module)?;
    }
    Ok(())
}

pub fn write(path: &str, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {text:?} to {path}"))
}

/// A reader of the kernel's log from some moment on.
pub struct Log(File);

impl Log {
    /// Starts with the next message.
    pub fn from_now() -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open("/dev/kmsg")
            .context("opening the kernel's log")?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))
            .context("skipping old messages")?;
        Ok(Self(file))
    }

    /// The messages since the last call that begin with `prefix`.
    pub fn lines(&mut self, prefix: &str) -> Result<Vec<String>> {
        let mut found = vec![];
        let mut record = [0; 8192];
        loop {
            match self.0.read(&mut record) {
                Ok(len) => {
                    // "priority,sequence,time,-;message"
                    let text = String::from_utf8_lossy(&record[..len]);
                    let line = text.lines().next().and_then(|line| line.split_once(';'));
                    if let Some((_, message)) = line.filter(|(_, m)| m.starts_with(prefix)) {
                        found.push(message.to_owned());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(found),
                // Overwritten before it was read: the next one is there.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) => bail!("reading the kernel's log: {error}"),
            }
        }
    }
}
