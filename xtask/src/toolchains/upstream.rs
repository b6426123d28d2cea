// SPDX-License-Identifier: GPL-2.0
//! Upstream's compilers, as static.rust-lang.org has them: what a channel's manifest names, with its checksums.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use toml::Value;

use crate::{dirs, paths, sh};

const PLACE: &str = "https://static.rust-lang.org/dist";

/// Among the tools of every Debian; it needs no more than apt does.
const DOWNLOAD: &str = "/usr/lib/apt/apt-helper";

/// A part of a release, and the platform that it is for.
type Part = (&'static str, &'static str);

const HOST: &str = "x86_64-unknown-linux-gnu";

/// What is taken of a release: the compiler, and what core is built from.
const PARTS: [Part; 2] = [("rustc", HOST), ("rust-src", "*")];

/// What takes programs apart: Miri, and what it compiles the standard library with.
const MIRI: [Part; 5] = [
    ("rustc", HOST),
    ("rust-std", HOST),
    ("cargo", HOST),
    ("rust-src", "*"),
    ("miri-preview", HOST),
];

/// The newest release is 1.N; returns N.
///
/// # Errors
/// It cannot be asked, or does not say so.
pub fn newest() -> Result<u32> {
    let _bar = sh::progress("asking for Rust's newest release");
    minor(&manifest("stable")?).context("the manifest of Rust's stable channel names no version")
}

/// Fetches the last release of 1.`minor` into `dir`, and returns its rustc.
///
/// # Errors
/// It cannot be had, or is not what its manifest says.
pub fn fetched(minor: u32, dir: &Path) -> Result<PathBuf> {
    let _bar = sh::progress(&format!("fetching rustc 1.{minor}"));
    unpack(&manifest(&format!("1.{minor}"))?, &PARTS, dir)?;
    Ok(dir.join("bin/rustc"))
}

/// Fetches the newest Miri, which there is of nightly releases only, into `dir`; returns its day.
///
/// # Errors
/// As [`fetched`].
pub fn miri(dir: &Path) -> Result<String> {
    let _bar = sh::progress("fetching Miri");
    let manifest = manifest("nightly")?;
    unpack(&manifest, &MIRI, dir)?;
    let day = manifest.get("date").and_then(Value::as_str);
    Ok(day.context("the manifest of Rust's nightly channel has no date")?.to_owned())
}

/// Unpacks parts of what `manifest` is of into `dir`, which is empty before.
fn unpack(manifest: &Value, parts: &[Part], dir: &Path) -> Result<()> {
    dirs::empty(dir)?;
    for (part, platform) in parts {
        let (url, hash) = archive(manifest, part, platform)
            .with_context(|| format!("this release of Rust has no {part} for {platform}"))?;
        let file = dir.join("archive.tar.xz");
        download(url, &file, Some(hash))?;
        // An archive has a directory for each of its parts, and these have what belongs into the sysroot.
        sh::output(
            Command::new("tar")
                .arg("-xf")
                .arg(&file)
                .arg("-C")
                .arg(dir)
                .args(["--strip-components=2"]),
        )?;
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(())
}

/// What a manifest says of a part: where it is, and its SHA-256.
fn archive<'a>(manifest: &'a Value, part: &str, platform: &str) -> Option<(&'a str, &'a str)> {
    let part = manifest.get("pkg")?.get(part)?.get("target")?.get(platform)?;
    Some((part.get("xz_url")?.as_str()?, part.get("xz_hash")?.as_str()?))
}

fn minor(manifest: &Value) -> Option<u32> {
    let version = manifest.get("pkg")?.get("rustc")?.get("version")?.as_str()?;
    version.strip_prefix("1.")?.split('.').next()?.parse().ok()
}

fn manifest(channel: &str) -> Result<Value> {
    let file = paths::cache().join("toolchains").join(format!("channel-{channel}.toml"));
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
    }
    download(&format!("{PLACE}/channel-rust-{channel}.toml"), &file, None)?;
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    toml::from_str(&text).with_context(|| format!("reading {}", file.display()))
}

fn download(url: &str, file: &Path, hash: Option<&str>) -> Result<()> {
    let mut helper = Command::new(DOWNLOAD);
    helper.args(["download-file", url]).arg(file);
    if let Some(hash) = hash {
        helper.arg(format!("SHA256:{hash}"));
    }
    sh::output(&mut helper)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_there_is() {
        let manifest: Value = toml::from_str(
            "[pkg.rustc]\nversion = \"1.99.1 (58cf8f9c3 2026-10-13)\"\n\
             [pkg.rustc.target.x86_64-unknown-linux-gnu]\nxz_url = \"u\"\nxz_hash = \"h\"\n\
             [pkg.rust-src.target.\"*\"]\nxz_url = \"v\"\n",
        )
        .unwrap();
        assert_eq!(minor(&manifest), Some(99));
        let of = |(part, platform)| archive(&manifest, part, platform);
        assert_eq!(PARTS.map(of), [Some(("u", "h")), None]);
        for none in ["", "[pkg.rustc]\nversion = \"2.0.0\"", "[pkg.rustc]\nversion = 1.0"] {
            assert_eq!(minor(&toml::from_str(none).unwrap()), None, "{none}");
        }
    }
}
