// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's driver as it is found: in the kernel, or among the files of modules.

use vgpu_unlock::driver::version::Version;

use crate::host::{Host, Kernel, Seen};

/// What is known about NVIDIA's driver.
#[derive(Debug, Default)]
pub(super) struct Driver {
    /// It is in the kernel.
    pub loaded: bool,
    /// Its file for the running kernel.
    pub file: Option<String>,
    /// Such as `550.163.01`.
    pub version: Option<String>,
    /// Whether it is the kind with open sources; `None` where that can't be told.
    pub open: Option<bool>,
}

/// Names under which `nvidia.ko` is installed: NVIDIA's own, and those of Debian's packages.
pub(super) const NAMES: [&str; 3] = ["nvidia", "nvidia_current", "nvidia_current_open"];

/// Looks for the driver in the kernel, then among the files of modules.
pub(super) fn find(host: &Host, kernel: Seen<&Kernel>) -> Seen<Driver> {
    let mut driver = Driver { loaded: host.exists("/sys/module/nvidia")?, ..Driver::default() };
    let release = &kernel?.release;
    for name in NAMES {
        if driver.file.is_none() {
            driver.file = host.module_file(release, name)?;
        }
    }
    driver.version = host.line("/sys/module/nvidia/version")?;
    // NVRM version: NVIDIA UNIX [Open Kernel Module for x86_64 | x86_64 Kernel Module]  VERSION  DATE
    if let Some(text) = host.text("/proc/driver/nvidia/version")? {
        let first = text.lines().next().unwrap_or_default();
        driver.open = Some(first.contains("Open Kernel Module"));
        if driver.version.is_none() {
            let mut words = first.split_whitespace();
            driver.version = words.find(|word| is_version(word)).map(str::to_owned);
        }
    }
    if let (Some(file), true) = (&driver.file, driver.version.is_none() || driver.open.is_none()) {
        // A file that can't be read says nothing; that it is there is enough to go on.
        if let Ok(info) = host.module_info(file) {
            if driver.version.is_none() {
                driver.version = info.field("version").map(str::to_owned);
            }
            driver.open = driver.open.or(info.field("license").map(|it| it.contains("GPL")));
        }
    }
    Ok(driver)
}

/// Whether a word is a version of the driver's.
pub(super) fn is_version(word: &str) -> bool {
    Version::parse(word.as_bytes()).is_some()
}
