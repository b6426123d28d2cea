// SPDX-License-Identifier: GPL-2.0
//! What packages are made of: copies of the committed tree, and crates.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{dirs, paths, sh};

/// Where packages are made and kept.
pub fn room() -> PathBuf {
    paths::cache().join("packages")
}

/// Makes `dir` a copy of what `commit` has, and of nothing else that lies about.
///
/// # Errors
/// git has none, or there is no room.
pub fn export(commit: &str, dir: &Path) -> Result<()> {
    dirs::empty(dir)?;
    let tar = dir.with_extension("tar");
    sh::output(git().args(["archive", "--format=tar", "--output"]).arg(&tar).arg(commit))?;
    sh::output(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(dir))?;
    fs::remove_file(&tar).with_context(|| format!("removing {}", tar.display()))
}

/// Puts what was committed last into `dir`, as `NAME.tar.gz` with a directory of that name in it.
///
/// # Errors
/// As [`export`].
pub fn archive(dir: &Path, name: &str) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let (prefix, file) = (format!("--prefix={name}/"), dir.join(format!("{name}.tar.gz")));
    sh::output(git().args(["archive", &prefix, "--output"]).arg(file).arg("HEAD")).map(drop)
}

/// What was committed last. Asked once: there may be another before the packages are made.
///
/// # Errors
/// Nothing is committed.
pub fn commit() -> Result<String> {
    Ok(sh::output(git().args(["rev-parse", "HEAD"]))?.trim().to_owned())
}

/// Whether there is something that is not committed, and so will be in no package.
///
/// # Errors
/// git can't tell.
pub fn has_more() -> Result<bool> {
    Ok(!sh::output(git().args(["status", "--porcelain"]))?.is_empty())
}

fn git() -> Command {
    let mut git = Command::new("git");
    // The repository may be somebody else's than root's.
    git.current_dir(paths::repo()).args(["-c", "safe.directory=*"]);
    git
}

/// Has cargo fetch all crates: packages are built without the network.
///
/// # Errors
/// crates.io can't be reached.
pub fn fetch_crates() -> Result<()> {
    let _bar = sh::progress("fetching crates");
    let mut cargo = Command::new("cargo");
    sh::output(cargo.current_dir(paths::repo()).args(["fetch", "--quiet", "--locked"])).map(drop)
}
