// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask bench`: takes a driver apart for the module's benchmark, and runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use vgpu_unlock_cli::inspect;

use crate::{driver, paths};

/// Measures what finding everything in a real driver costs.
#[derive(clap::Args)]
pub struct Args {
    /// nv-kernel.o_binary, nvidia.ko, or a Debian package that holds one; or the version of a driver that is
    /// inspected, such as 470.256.02, which goes by its tables. The newest of these, unless given.
    driver: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The file is no driver of a known branch, or the benchmark fails.
pub fn run(args: &Args) -> Result<()> {
    let file = match &args.driver {
        Some(given) => {
            let is_it = |package: &&driver::Package| Path::new(package.version) == given;
            let known = driver::PACKAGES.iter().find(is_it);
            known.map_or_else(|| Ok(given.clone()), driver::blob)?
        }
        None => driver::blob(driver::PACKAGES.last().context("no driver to fetch")?)?,
    };
    let driver = inspect::parse_driver(&inspect::object_file(&file)?)?;
    let version = driver.version.as_ref().map_err(|reason| anyhow::anyhow!("{reason}"))?;
    let (Some(text), Some(rodata)) = (&driver.text, driver.rodata()) else {
        bail!("{} has no .text or no .rodata", file.display());
    };
    let dir = paths::cache().join("bench");
    fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    for (name, content) in [
        ("version", version.to_string().as_bytes()),
        ("base", rodata.address_of(0).to_string().as_bytes()),
        ("text", text),
        ("rodata", rodata.bytes()),
    ] {
        let path = dir.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--quiet", "--package", "vgpu_unlock"])
        .env("VGPU_UNLOCK_BENCH", &dir)
        .current_dir(paths::repo())
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("cargo bench failed ({status})");
    }
    Ok(())
}
