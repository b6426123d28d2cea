// SPDX-License-Identifier: GPL-2.0
//! RPM packages, as far as Debian's rpmbuild makes them: it shows that scripts/packages/vgpu-unlock.spec builds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::tree;
use crate::{dirs, paths, root::Root, sh};

/// The packages of what is committed.
///
/// # Errors
/// They can't be built.
pub fn rpms() -> Result<Vec<PathBuf>> {
    let room = tree::room();
    let dir = room.join("rpm");
    tree::fetch_crates()?;
    dirs::empty(&dir)?;
    tree::archive(&dir.join("SOURCES"), &format!("vgpu-unlock-{}", env!("CARGO_PKG_VERSION")))?;
    {
        let _bar = sh::progress("building the RPM packages");
        // Debian has the compilers, but no RPM packages of them that could be asked for.
        let mut command = Root::Packages.program("env")?;
        command
            .args(["CARGO_NET_OFFLINE=true", "rpmbuild", "-ba", "--nodeps", "--define"])
            .arg(format!("_topdir {}", dir.display()))
            .arg(paths::repo().join("scripts/packages/vgpu-unlock.spec"));
        sh::run_logged(&mut command, &room.join("rpm.log"))?;
    }
    let mut packages = vec![];
    for part in ["SRPMS", "RPMS/noarch", "RPMS/x86_64"] {
        packages.extend(files(&dir.join(part))?);
    }
    Ok(packages)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
