// SPDX-License-Identifier: GPL-2.0
//! cargo-mutants itself, from crates.io, built in the cache.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{paths, sh};

/// The newest one that the root's rustc can build: 27 wants 1.88.
pub const VERSION: &str = "26.0.0";

/// Where everything of this command is.
pub fn cache() -> PathBuf {
    paths::cache().join("mutants")
}

/// The program, which is fetched and built where it is not there.
///
/// # Errors
/// It can't be had, or does not build.
pub fn program() -> Result<PathBuf> {
    let dir = cache().join(format!("cargo-mutants-{VERSION}"));
    let program = dir.join("bin/cargo-mutants");
    if !program.exists() {
        let _bar = sh::progress(&format!("building cargo-mutants {VERSION}"));
        fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
        let mut install = Command::new("cargo");
        // Its own lock file, so that it is the same for everybody; unoptimized, for it waits for cargo anyway.
        install.args(["install", "cargo-mutants", "--version", VERSION, "--locked", "--debug"]);
        install.arg("--root").arg(&dir).current_dir(&dir);
        // Not among what is built of ours.
        install.env("CARGO_TARGET_DIR", dir.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
        sh::run_logged(&mut install, &dir.join("log"))?;
        crate::dirs::remove(&dir.join("target"))?;
    }
    Ok(program)
}
