// SPDX-License-Identifier: GPL-2.0
//! Kernels to build against and to boot: fetched from Debian, prepared by the script that users
//! have too.

mod archive;
pub mod build;
pub mod dkms_test;
mod target;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

pub use target::{TARGETS, Target, available, find};

use crate::{paths, sh};
use archive::Release;

/// A kernel with everything that building for it and booting it take.
#[derive(Debug)]
pub struct Prepared {
    /// Which one it is.
    pub target: &'static Target,
    /// As `uname -r` prints it.
    pub release: String,
    /// The prepared tree; scripts/build-module takes it.
    pub tree: PathBuf,
    /// Where the Rust runtime comes from: `bundled`, `linked` or `shipped`.
    pub mode: String,
    /// The kernel's image.
    pub vmlinuz: PathBuf,
    /// The directory that holds `lib/modules/<release>`.
    pub modules_dir: PathBuf,
}

/// Fetches and prepares `target`; does next to nothing where that was done before.
///
/// # Errors
/// The archive cannot be reached, or scripts/prepare-runtime refuses.
pub fn prepare(target: &'static Target) -> Result<Prepared> {
    let release = fetched(target)?;
    let dir = directory(target);
    let packages = dir.join("packages");
    let tree = dir.join("tree");
    let bar = sh::progress(&format!("preparing the Rust runtime of {}", release.release));
    sh::output(
        Command::new(paths::repo().join("scripts/prepare-runtime"))
            .arg("--headers")
            .arg(packages.join("usr/src").join(format!("linux-headers-{}", release.release)))
            .arg("--source")
            .arg(packages.join("usr/src").join(format!("linux-source-{}.tar.xz", target.series)))
            .arg(&release.release)
            .arg(&tree),
    )
    .with_context(|| format!("preparing {}", target.name))?;
    drop(bar);

    Ok(Prepared {
        target,
        mode: mode(&tree)?,
        vmlinuz: image(&packages, &release.release)?,
        modules_dir: packages.join("usr"),
        release: release.release,
        tree,
    })
}

/// Forgets which point release `target` is at and fetches the newest.
///
/// # Errors
/// The archive cannot be reached.
pub fn update(target: &'static Target) -> Result<()> {
    let newest = archive::newest(target)?;
    match recorded(target) {
        Some(old) if old.version == newest.version => Ok(()),
        _ => fetch_release(target, &newest),
    }
}

/// The release and mode that `target` was prepared with, if it was.
pub fn state(target: &Target) -> Option<(String, String)> {
    let release = recorded(target)?.release;
    Some((release, mode(&directory(target).join("tree")).ok()?))
}

fn directory(target: &Target) -> PathBuf {
    paths::cache().join("kernels").join(target.name)
}

/// What is unpacked says which release it is; written last.
fn recorded(target: &Target) -> Option<Release> {
    let text = fs::read_to_string(directory(target).join("packages/release.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// The point release of `target` that is here, or the newest, which is here then.
fn fetched(target: &Target) -> Result<Release> {
    if let Some(release) = recorded(target) {
        return Ok(release);
    }
    let release = archive::newest(target)?;
    fetch_release(target, &release)?;
    Ok(release)
}

fn fetch_release(target: &Target, release: &Release) -> Result<()> {
    let packages = directory(target).join("packages");
    archive::unpack(target, release, &packages)?;
    let record = packages.join("release.json");
    fs::write(&record, serde_json::to_string(release)?)
        .with_context(|| format!("writing {}", record.display()))
}

fn mode(tree: &Path) -> Result<String> {
    let path = tree.join("runtime");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mode = text.lines().find_map(|line| line.strip_prefix("mode="));
    Ok(mode.with_context(|| format!("{} has no mode", path.display()))?.to_owned())
}

fn image(packages: &Path, release: &str) -> Result<PathBuf> {
    let places = [
        format!("boot/vmlinuz-{release}"),
        format!("usr/lib/modules/{release}/vmlinuz"),
        format!("usr/lib/modules/{release}/vmlinuz.unsigned"),
    ];
    match places.iter().map(|place| packages.join(place)).find(|path| path.exists()) {
        Some(path) => Ok(path),
        None => bail!("no kernel image in {}", packages.display()),
    }
}
