// SPDX-License-Identifier: GPL-2.0
//! Building NVIDIA's `nvidia.ko` for a kernel.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::PACKAGES;
use crate::{dirs, kernel::Prepared, sh};

/// Builds `nvidia.ko` of this version for `kernel`, or returns the one that was built before.
///
/// # Errors
/// It cannot be fetched, or does not compile for this kernel.
pub fn build(kernel: &Prepared, version: &str) -> Result<PathBuf> {
    let package = PACKAGES
        .iter()
        .find(|package| package.version == version)
        .with_context(|| format!("{version} is no known driver"))?;
    let source = package.source()?;
    let builds = crate::paths::cache().join("build").join(kernel.target.name);
    let dir = builds.join(format!("nvidia-driver-{version}"));
    let module = dir.join("nvidia.ko");
    // Written last; says what the module was built for.
    let stamp = dir.join(".built-for");
    let inputs = kernel.inputs();
    let wanted = format!("{version}\n{inputs}");
    if module.exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(module);
    }

    let _bar = sh::progress(&format!("building NVIDIA's {version} for {}", kernel.release));
    dirs::remove(&dir)?;
    fs::create_dir_all(&builds).with_context(|| format!("creating {}", builds.display()))?;
    sh::output(Command::new("cp").arg("-r").arg(&source).arg(&dir))?;
    if package.patched {
        patch(&dir)?;
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

/// Applies the patches by which Debian's package makes an old driver's open part compile for newer kernels, in
/// the order that DKMS would.
fn patch(dir: &Path) -> Result<()> {
    let conf = dir.join("dkms.conf");
    let text = fs::read_to_string(&conf).with_context(|| format!("reading {}", conf.display()))?;
    let list = text.split_once("PATCH=(").and_then(|(_, rest)| rest.split_once(')'));
    let (list, _) = list.with_context(|| format!("{} lists no patches", conf.display()))?;
    for name in list.split_whitespace() {
        let file = dir.join("patches").join(name);
        sh::output(Command::new("patch").current_dir(dir).args(["-p1", "-s", "-i"]).arg(&file))?;
    }
    Ok(())
}
