// SPDX-License-Identifier: GPL-2.0
//! Fetching drivers from several of Debian's suites, without touching the root's own package lists.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{paths, sh};

/// A driver in Debian.
#[derive(Debug)]
pub struct Package {
    /// Package name.
    pub name: &'static str,
    /// The driver's version.
    pub version: &'static str,
}

/// The drivers that are inspected; the newest one is also built and run.
pub const PACKAGES: &[Package] = &[
    Package { name: "nvidia-tesla-450-kernel-dkms", version: "450.248.02" },
    Package { name: "nvidia-tesla-460-kernel-dkms", version: "460.106.00" },
    Package { name: "nvidia-tesla-470-kernel-dkms", version: "470.256.02" },
    Package { name: "nvidia-tesla-kernel-dkms", version: "525.147.05" },
    Package { name: "nvidia-kernel-dkms", version: "535.216.03" },
    Package { name: "nvidia-kernel-dkms", version: "550.163.01" },
];

/// The suites that have them. Sid's index is good for a week only, and a mirror that lags, or a machine whose
/// clock is ahead, would otherwise have no sid at all; its signature is checked all the same.
const SOURCES: &str = "\
    deb http://deb.debian.org/debian trixie non-free\n\
    deb http://deb.debian.org/debian bookworm-backports non-free\n\
    deb [check-valid-until=no] http://deb.debian.org/debian sid non-free\n";

impl Package {
    fn dir(&self) -> PathBuf {
        paths::cache().join("drivers").join(self.version)
    }

    /// The directory with the driver's sources and its blob; fetched where it is missing.
    ///
    /// # Errors
    /// Debian has another version by now, or cannot be reached.
    pub fn source(&self) -> Result<PathBuf> {
        if let Some(source) = self.unpacked()? {
            return Ok(source);
        }
        let deb = self.download()?;
        let partial = self.dir().with_extension(format!("new.{}", std::process::id()));
        // dpkg-deb makes the last directory of the path only.
        fs::create_dir_all(&partial).with_context(|| format!("creating {}", partial.display()))?;
        sh::output(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&partial))?;
        if self.dir().exists() {
            fs::remove_dir_all(self.dir())
                .with_context(|| format!("removing {}", self.dir().display()))?;
        }
        fs::rename(&partial, self.dir())
            .with_context(|| format!("renaming {}", partial.display()))?;
        self.unpacked()?.with_context(|| format!("{} has no sources of a driver", deb.display()))
    }

    /// The only directory below `usr/src`.
    fn unpacked(&self) -> Result<Option<PathBuf>> {
        let sources = self.dir().join("usr/src");
        if !sources.exists() {
            return Ok(None);
        }
        let mut entries =
            fs::read_dir(&sources).with_context(|| format!("reading {}", sources.display()))?;
        Ok(entries.next().transpose()?.map(|entry| entry.path()))
    }

    fn download(&self) -> Result<PathBuf> {
        let debs = paths::cache().join("debs");
        if let Some(deb) = self.downloaded(&debs)? {
            return Ok(deb);
        }
        let _bar = sh::progress(&format!("downloading NVIDIA's driver {}", self.version));
        let apt = Apt::new(&debs)?;
        let versions = apt.versions(self.name)?;
        let prefix = format!("{}-", self.version);
        let Some(version) = versions.iter().find(|version| version.starts_with(&prefix)) else {
            bail!("Debian has no {} {}, only {}", self.name, self.version, versions.join(", "));
        };
        apt.download(self.name, version)?;
        self.downloaded(&debs)?
            .with_context(|| format!("apt-get left no {} in {}", self.name, debs.display()))
    }

    fn downloaded(&self, debs: &Path) -> Result<Option<PathBuf>> {
        if !debs.exists() {
            return Ok(None);
        }
        let prefix = format!("{}_{}-", self.name, self.version);
        for entry in fs::read_dir(debs).with_context(|| format!("reading {}", debs.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&prefix) && name.ends_with(".deb") {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// The closed part of a driver that Debian has, as an object file.
///
/// # Errors
/// It cannot be fetched.
pub fn blob(package: &Package) -> Result<PathBuf> {
    let dir = package.source()?.join("nvidia");
    // The older ones were made for more than one architecture.
    let names = ["nv-kernel.o_binary", "nv-kernel-amd64.o_binary"];
    let found = names.iter().map(|name| dir.join(name)).find(|path| path.exists());
    found.with_context(|| format!("{} has none of {}", dir.display(), names.join(", ")))
}

/// apt with sources and state of its own.
struct Apt<'a> {
    debs: &'a Path,
    options: Vec<String>,
}

impl<'a> Apt<'a> {
    fn new(debs: &'a Path) -> Result<Self> {
        let dir = debs.join("apt");
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = dir.join(part);
            fs::create_dir_all(&part).with_context(|| format!("creating {}", part.display()))?;
        }
        let sources = dir.join("sources.list");
        fs::write(&sources, SOURCES).with_context(|| format!("writing {}", sources.display()))?;
        let options = [
            format!("Dir::Etc::SourceList={}", sources.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", dir.join("lists").display()),
            format!("Dir::Cache={}", dir.join("cache").display()),
            // The unprivileged user that apt downloads as may not write here.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        let apt = Self { debs, options: options.into_iter().collect() };
        sh::output(apt.command("apt-get").args(["-qq", "update"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.debs);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    fn versions(&self, package: &str) -> Result<Vec<String>> {
        let lines = sh::output(self.command("apt-cache").args(["madison", package]))?;
        let version = |line: &str| Some(line.split('|').nth(1)?.trim().to_owned());
        Ok(lines.lines().filter_map(version).collect())
    }

    fn download(&self, package: &str, version: &str) -> Result<()> {
        let wanted = format!("{package}={version}");
        sh::output(self.command("apt-get").args(["-qq", "download", &wanted])).map(drop)
    }
}
