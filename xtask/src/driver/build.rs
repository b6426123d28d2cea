// SPDX-License-Identifier: GPL-2.0
//! Building NVIDIA's `nvidia.ko` for a kernel.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::PACKAGES;
use crate::{kernel::Prepared, sh};

/// The driver that is run.
const VERSION: &str = "550.163.01";

/// What `nvidia.ko` is made of; the package has the sources of four more modules.
const PARTS: [&str; 7] = [
    "Kbuild",
    "Makefile",
    "conftest.sh",
    "count-lines.mk",
    "header-presence-tests.mk",
    "common",
    "nvidia",
];

/// Builds `nvidia.ko` for `kernel`, or returns the one that was built before.
///
/// # Errors
/// It cannot be fetched, or does not compile for this kernel.
pub fn build(kernel: &Prepared) -> Result<PathBuf> {
    let package = PACKAGES
        .iter()
        .find(|package| package.version == VERSION)
        .with_context(|| format!("{VERSION} is no known driver"))?;
    let source = package.source()?;
    let dir = crate::paths::cache().join("build").join(kernel.target.name).join("nvidia-driver");
    let module = dir.join("nvidia.ko");
    // Written last; says what the module was built for.
    let stamp = dir.join(".built-for");
    let inputs = kernel.inputs();
    let wanted = format!("{VERSION}\n{inputs}");
    if module.exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(module);
    }

    let _bar = sh::progress(&format!("building NVIDIA's {VERSION} for {}", kernel.release));
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    for part in PARTS {
        sh::output(Command::new("cp").arg("-r").arg(source.join(part)).arg(&dir))?;
    }
    make(kernel, &dir)?;
    let release = sh::output(Command::new("modinfo").args(["-F", "vermagic"]).arg(&module))?;
    ensure!(
        release.starts_with(&format!("{} ", kernel.release)),
        "{} was built for {}, not for {}",
        module.display(),
        release.trim(),
        kernel.release
    );
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(module)
}

fn make(kernel: &Prepared, dir: &Path) -> Result<()> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let headers = kernel.headers.display();
    let common = kernel.common_headers()?;
    sh::run_logged(
        Command::new("make")
            // A kernel of another Debian was built by an older compiler. Our own module is built by this one, too.
            .env("IGNORE_CC_MISMATCH", "1")
            .arg(format!("CC={}", kernel.compiler()?))
            .current_dir(dir)
            .arg(format!("-j{jobs}"))
            .arg(format!("SYSSRC={}", common.display()))
            .arg(format!("SYSOUT={headers}"))
            // Neither debug information nor BTF is of use here.
            .args(["NV_KERNEL_MODULES=nvidia", "CONFIG_DEBUG_INFO="])
            .arg("CONFIG_DEBUG_INFO_BTF_MODULES=")
            .arg("modules"),
        &dir.with_extension("log"),
    )
}
