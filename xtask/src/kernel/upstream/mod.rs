// SPDX-License-Identifier: GPL-2.0
//! Linux as it comes from kernel.org, without what distributions add: Debian's archive has its tarballs.

pub mod exports;
mod macros;
mod text;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{apt::Apt, paths, sh};
use exports::{Exports, Scanner};

/// The source package of Debian's kernels.
const PACKAGE: &str = "linux";

/// How many releases are tried.
const TRIES: usize = 12;

/// What everything is exported by, in any kernel.
const SURE: [&str; 3] = ["kfree", "__fentry__", "register_module_notifier"];

/// What distributions export by patches of their own, and upstream never has.
const NEVER: [&str; 1] = ["task_work_add"];

/// What there is of a series.
enum Source {
    /// A release of it.
    Tarball(PathBuf),
    /// Nothing, but of this one, which is older.
    Older(String),
}

/// What upstream exports in a series: 6.12, say. If Debian's archive has none of its releases, it is what an
/// older series exports.
///
/// # Errors
/// The archive cannot be reached, or has nothing as old.
pub fn exports(series: &str) -> Result<Exports> {
    let list = directory()?.join(format!("exports-{series}.json"));
    let kept = fs::read_to_string(&list).ok().and_then(|text| serde_json::from_str(&text).ok());
    if let Some(exports) = kept.filter(Exports::is_current) {
        return Ok(exports);
    }
    let exports = match source(series)? {
        Source::Tarball(tarball) => {
            let exports = scan(&tarball)?;
            // It is large, and has said all that it has to say.
            fs::remove_file(&tarball).with_context(|| format!("removing {}", tarball.display()))?;
            exports
        }
        Source::Older(older) => exports(&older)?,
    };
    fs::write(&list, serde_json::to_string(&exports)?)
        .with_context(|| format!("writing {}", list.display()))?;
    Ok(exports)
}

/// The tarball of the newest release of a series that can be had. It is the caller's to remove.
///
/// # Errors
/// The archive cannot be reached, or has no release of the series.
pub fn tarball(series: &str) -> Result<PathBuf> {
    match source(series)? {
        Source::Tarball(path) => Ok(path),
        Source::Older(older) => bail!("Debian has no source of Linux {series}, but of {older}"),
    }
}

/// As [`tarball`], or what there is instead.
fn source(series: &str) -> Result<Source> {
    let dir = directory()?;
    let wanted = numbers(series).with_context(|| format!("{series} is no series"))?;
    if let Some(path) = here(&dir, &wanted)? {
        return Ok(Source::Tarball(path));
    }
    let apt = Apt::for_kernel_sources()?;
    let mut errors = vec![];
    // A mirror may know of more than it has.
    for (release, version) in candidates(apt.versions(PACKAGE)?, &wanted).into_iter().take(TRIES) {
        if !release.starts_with(&wanted) {
            let older: Vec<String> = release.iter().take(2).map(u32::to_string).collect();
            return Ok(Source::Older(older.join(".")));
        }
        match apt.download_source(PACKAGE, &version, &dir) {
            Ok(()) => {
                let path = here(&dir, &release)?;
                let path =
                    path.with_context(|| format!("apt-get left nothing in {}", dir.display()))?;
                return Ok(Source::Tarball(path));
            }
            Err(error) => errors.push(format!("{version}: {error:#}")),
        }
    }
    bail!("Debian has no source of Linux {series}, nor of an older one\n{}", errors.join("\n"))
}

fn directory() -> Result<PathBuf> {
    let dir = paths::cache().join("upstream");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    Ok(dir)
}

/// The tarball of that release, or of any of a series, that was fetched before.
fn here(dir: &Path, wanted: &[u32]) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let release = name.strip_prefix("linux_").and_then(|n| n.strip_suffix(".orig.tar.xz"));
        if release.and_then(numbers).is_some_and(|release| release.starts_with(wanted)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The numbers of a release; a candidate for one has none.
fn numbers(release: &str) -> Option<Vec<u32>> {
    release.split('.').map(|number| number.parse().ok()).collect()
}

/// The releases that are no newer than a series, the newest first, and a version of the package of each.
fn candidates(versions: Vec<String>, series: &[u32]) -> Vec<(Vec<u32>, String)> {
    let release = |version: &String| numbers(version.split('-').next()?);
    let with_release = versions.into_iter().filter_map(|v| Some((release(&v)?, v)));
    let no_newer = |(release, _): &(Vec<u32>, String)| {
        release.iter().zip(series).find(|(a, b)| a != b).is_none_or(|(a, b)| a < b)
    };
    let mut found: Vec<_> = with_release.filter(no_newer).collect();
    found.sort_by(|a, b| b.cmp(a));
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

/// Reads a tarball once.
fn scan(tarball: &Path) -> Result<Exports> {
    let _bar = sh::progress(&format!("looking for exports in {}", tarball.display()));
    let mut xz = Command::new("xz")
        .args(["-dcq", "-T0"])
        .arg(tarball)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting xz")?;
    let stdout = xz.stdout.take().context("xz has no output")?;
    let mut scanner = Scanner::default();
    let mut archive = tar::Archive::new(stdout);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        // The first part is the tarball's own.
        let Some((_, path)) = path.split_once('/') else { continue };
        if exports::counts(path) {
            let mut text = vec![];
            entry.read_to_end(&mut text).with_context(|| format!("reading {path}"))?;
            scanner.file(path, &String::from_utf8_lossy(&text));
        }
    }
    // Behind its end, there may be more of nothing.
    io::copy(&mut archive.into_inner(), &mut io::sink()).context("reading what xz says")?;
    let status = xz.wait().context("waiting for xz")?;
    ensure!(status.success(), "xz -dc {}: {status}", tarball.display());
    let name = tarball.file_name().unwrap_or_default().to_string_lossy();
    let exports = scanner.done(&name);
    for symbol in SURE {
        ensure!(exports.offers(symbol).is_ok(), "{name} does not export {symbol}");
    }
    for symbol in NEVER {
        ensure!(exports.offers(symbol).is_err(), "{name} exports {symbol}");
    }
    Ok(exports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_series_comes_first_and_then_what_is_older() {
        let versions = [
            "6.12.9-1",
            "7.3~rc7-1~exp1",
            "6.12.118-1",
            "6.12.118-2~bpo12+1",
            "6.1.192-2",
            "7.2.13-1",
        ];
        for (series, expected) in [
            ("6.12", &["6.12.118-2~bpo12+1", "6.12.9-1", "6.1.192-2"][..]),
            ("6.1", &["6.1.192-2"]),
            ("7.3", &["7.2.13-1", "6.12.118-2~bpo12+1", "6.12.9-1", "6.1.192-2"]),
            ("5.10", &[]),
        ] {
            let versions = versions.map(str::to_owned).to_vec();
            let found = candidates(versions, &numbers(series).unwrap());
            let found: Vec<_> = found.iter().map(|(_, version)| version.as_str()).collect();
            assert_eq!(found, expected, "{series}");
        }
    }

    #[test]
    fn a_series_is_not_the_beginning_of_another() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-upstream-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let tarball = dir.join("linux_6.12.118.orig.tar.xz");
        fs::write(&tarball, "").unwrap();
        let found = |series: &str| here(&dir, &numbers(series).unwrap()).unwrap();
        assert_eq!(found("6.12"), Some(tarball.clone()));
        assert_eq!(found("6.12.118"), Some(tarball));
        assert_eq!(found("6.1"), None);
        assert_eq!(found("6.12.1"), None);
        fs::remove_dir_all(&dir).unwrap();
    }
}
