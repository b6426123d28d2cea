// SPDX-License-Identifier: GPL-2.0
//! A kernel's packages from Debian's archive, unpacked without installing them.

use std::{fs, os::unix, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Target, release::Release};
use crate::{
    apt::{self, Apt},
    sh,
};

/// The newest release of `target` that the archive has.
///
/// # Errors
/// It has none.
pub fn newest(apt: &Apt, target: &Target) -> Result<Release> {
    let (name, version) = apt.newest(&format!("linux-headers-{}", target.releases))?;
    Ok(Release { release: name.trim_start_matches("linux-headers-").to_owned(), version })
}

/// Fetches the packages of `release` and unpacks them as `into`.
///
/// # Errors
/// A package cannot be had, or there is no room for what is unpacked.
pub fn unpack(apt: &Apt, target: &Target, release: &Release, into: &Path) -> Result<()> {
    let version = &release.version;
    let headers = format!("linux-headers-{}", release.release);
    // What the headers are made of lies in other packages, and these have still others.
    let mut names = vec![headers];
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        for needed in apt.depends(&name, version)? {
            let ours = ["linux-headers-", "linux-kbuild-"].iter().any(|p| needed.starts_with(p));
            if ours && !names.contains(&needed) {
                names.push(needed);
            }
        }
        at += 1;
    }
    names.extend(target.image.iter().map(|prefix| format!("{prefix}{}", release.release)));
    names.extend(target.source.map(str::to_owned));
    let mut debs = vec![];
    for name in &names {
        // Signed images have a version of their own.
        let version = apt.versions(name)?.into_iter().find(|v| v.starts_with(version.as_str()));
        let version =
            version.with_context(|| format!("no {name} of version {}", release.version))?;
        debs.push(apt.download(name, &version)?);
    }
    apt::unpack(&debs, into, |dir| finish(dir, into, release))
}

/// Does what installing would have done.
fn finish(dir: &Path, will_be: &Path, release: &Release) -> Result<()> {
    // Before Debian 13, modules lay in /lib.
    if dir.join("lib/modules").exists() {
        let to = dir.join("usr/lib");
        fs::create_dir_all(&to).with_context(|| format!("creating {}", to.display()))?;
        sh::output(Command::new("cp").arg("-a").arg(dir.join("lib/modules")).arg(&to))?;
        fs::remove_dir_all(dir.join("lib")).context("removing what was copied")?;
    }
    sh::output(Command::new("depmod").arg("-b").arg(dir.join("usr")).arg(&release.release))?;
    // Headers name what they are made of by where it is installed.
    let makefile = dir.join(format!("usr/src/linux-headers-{}/Makefile", release.release));
    let text = fs::read_to_string(&makefile)
        .with_context(|| format!("reading {}", makefile.display()))?
        .replace("/usr/src/", &format!("{}/usr/src/", will_be.display()));
    fs::write(&makefile, text).with_context(|| format!("writing {}", makefile.display()))?;
    // As a package's own link to it says.
    let lib = dir.join("lib");
    if !lib.exists() {
        unix::fs::symlink("usr/lib", &lib).with_context(|| format!("linking {}", lib.display()))?;
    }
    Ok(())
}
