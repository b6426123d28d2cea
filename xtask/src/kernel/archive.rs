// SPDX-License-Identifier: GPL-2.0
//! Asking Debian's archive for a kernel, and unpacking it without installing it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Target;
use crate::{paths, sh};

/// One point release of a target.
#[derive(Debug, Serialize, Deserialize)]
pub struct Release {
    /// As `uname -r` prints it.
    pub release: String,
    /// The packages' version.
    pub version: String,
}

/// The newest release of `target` that the package lists have.
///
/// # Errors
/// The lists cannot be fetched, or have no such kernel.
pub fn newest(target: &Target) -> Result<Release> {
    let bar = sh::progress("asking Debian for its newest kernels");
    sh::output(Command::new("apt-get").args(["-qq", "-o", LOCK, "update"]))?;
    drop(bar);

    // Headers of one release can exist in several versions; the source is the newest one's.
    let source = format!("linux-source-{}", target.series);
    let versions = madison(&[source.clone()])?;
    let version = &versions.first().with_context(|| format!("no package {source}"))?.1;

    let pattern = format!(r"^linux-headers-{}\.[0-9]+[^-]*-amd64$", target.series);
    let found = sh::output(Command::new("apt-cache").args(["search", "--names-only", &pattern]))?;
    let headers: Vec<String> =
        found.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
    let (name, version) = madison(&headers)?
        .into_iter()
        .find(|(_, v)| v == version)
        .with_context(|| format!("no headers of version {version}"))?;
    Ok(Release { release: name.trim_start_matches("linux-headers-").to_owned(), version })
}

/// Downloads the packages of `release` and unpacks them below `into`.
///
/// # Errors
/// A download fails, or there is no room for what is unpacked.
pub fn unpack(target: &Target, release: &Release, into: &Path) -> Result<()> {
    let debs = paths::cache().join("debs");
    fs::create_dir_all(&debs).with_context(|| format!("creating {}", debs.display()))?;
    let mut packages: Vec<String> =
        target.packages.iter().map(|prefix| format!("{prefix}{}", release.release)).collect();
    packages.push(format!("linux-source-{}", target.series));

    // Complete or not there, also when another process does the same.
    let partial = into.with_extension(format!("new.{}", std::process::id()));
    fs::create_dir_all(&partial).with_context(|| format!("creating {}", partial.display()))?;
    for package in &packages {
        let deb = download(package, &release.version, &debs)?;
        let _bar = sh::progress(&format!("unpacking {package}"));
        sh::output(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&partial))?;
    }
    // The image's own installation would have done this.
    sh::output(Command::new("depmod").arg("-b").arg(partial.join("usr")).arg(&release.release))?;
    if into.exists() {
        fs::remove_dir_all(into).with_context(|| format!("removing {}", into.display()))?;
    }
    fs::rename(&partial, into).with_context(|| format!("renaming to {}", into.display()))
}

/// Waits for another apt instead of failing.
const LOCK: &str = "DPkg::Lock::Timeout=600";

fn download(package: &str, version: &str, debs: &Path) -> Result<PathBuf> {
    // As apt-get names the file: an epoch's colon is escaped, kernels have none.
    let find = || -> Option<PathBuf> {
        let path = debs.join(format!("{package}_{version}_amd64.deb"));
        let all = debs.join(format!("{package}_{version}_all.deb"));
        [path, all].into_iter().find(|path| path.exists())
    };
    if let Some(deb) = find() {
        return Ok(deb);
    }
    let _bar = sh::progress(&format!("downloading {package} {version}"));
    sh::output(
        Command::new("apt-get")
            .current_dir(debs)
            // The unprivileged user that apt downloads as may not write here.
            .args(["-qq", "-o", "APT::Sandbox::User=root", "download"])
            .arg(format!("{package}={version}")),
    )?;
    find()
        .with_context(|| format!("apt-get left no {package}_{version}_*.deb in {}", debs.display()))
}

/// Name and version of every package called so that apt could install, newest first.
fn madison(packages: &[String]) -> Result<Vec<(String, String)>> {
    let lines = sh::output(Command::new("apt-cache").arg("madison").args(packages))?;
    Ok(lines
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('|').map(str::trim);
            let (name, version, origin) = (fields.next()?, fields.next()?, fields.next()?);
            // Sources are listed too; their name is that of the source package.
            origin.ends_with("Packages").then(|| (name.to_owned(), version.to_owned()))
        })
        .collect())
}
