// SPDX-License-Identifier: GPL-2.0
//! vgpu_unlock-rs, which does from within NVIDIA's daemons what the module does from the kernel: to compare. It is
//! somebody else's and nothing of it is here; it is fetched, and built in the cache.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::{initramfs::Initramfs, programs};
use crate::{dirs, paths, sh};

const URL: &str = "https://github.com/mbilker/vgpu_unlock-rs";
/// What figures are of: version 2.5.0, of 2025-11-13.
const COMMIT: &str = "71ec870d4b456c9a8013c114a57372b1a60d36ca";

/// Adds it, and nvidia-vgpu-mgr as a program that it can be preloaded into: init is without shared libraries.
///
/// # Errors
/// It can't be fetched, or something does not compile.
pub fn add(image: &mut Initramfs) -> Result<()> {
    programs::add_as(image, "lib/libvgpu_unlock_rs.so", &library()?)?;
    programs::add_as(image, "shared/nvidia-vgpu-mgr", &sh::cargo_build("guest")?)
}

fn library() -> Result<std::path::PathBuf> {
    let dir = paths::cache().join("vgpu_unlock-rs");
    let (git, source) = (dir.join("git"), dir.join("source"));
    if !git.exists() {
        fetch(&git)?;
    }
    dirs::empty(&source)?;
    let archive = dir.join("source.tar");
    sh::output(at(&git).args(["archive", "--output"]).arg(&archive).arg(COMMIT))
        .with_context(|| format!("{} has no commit {COMMIT}", git.display()))?;
    sh::output(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&source))?;

    let _bar = sh::progress("building vgpu_unlock-rs");
    let target = dir.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--target-dir"]).arg(&target).current_dir(&source);
    // It names no versions that fit; the newest crates want a newer compiler.
    cargo.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
    sh::output(&mut cargo)?;
    let library = target.join("release/libvgpu_unlock_rs.so");
    ensure!(library.exists(), "{} was not built", library.display());
    Ok(library)
}

fn fetch(git: &Path) -> Result<()> {
    let _bar = sh::progress("fetching vgpu_unlock-rs");
    let mut clone = Command::new("git");
    clone.env("GIT_TERMINAL_PROMPT", "0").args(["clone", "--quiet", "--bare", URL]).arg(git);
    sh::output(&mut clone).map(drop).with_context(|| {
        format!("vgpu_unlock-rs can't be fetched: put a bare clone of {URL} into {}", git.display())
    })
}

fn at(git: &Path) -> Command {
    let mut command = Command::new("git");
    // Who has put it there does not matter: nothing of it is run by git.
    command.args(["-c", "safe.directory=*"]).arg("--git-dir").arg(git);
    command
}
