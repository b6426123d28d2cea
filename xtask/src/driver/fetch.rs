// SPDX-License-Identifier: GPL-2.0
//! Fetching drivers from Debian's archive.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    apt::{self, Apt},
    paths,
};

/// A driver in Debian.
#[derive(Debug)]
pub struct Package {
    /// Package name.
    pub name: &'static str,
    /// The driver's version.
    pub version: &'static str,
    /// It is built with the patches that come with it: its open part is too old for our kernels.
    pub patched: bool,
}

const fn package(name: &'static str, version: &'static str) -> Package {
    Package { name, version, patched: false }
}

/// The drivers that are inspected; some are also built and run.
pub const PACKAGES: &[Package] = &[
    Package { patched: true, ..package("nvidia-tesla-450-kernel-dkms", "450.248.02") },
    Package { patched: true, ..package("nvidia-tesla-460-kernel-dkms", "460.106.00") },
    Package { patched: true, ..package("nvidia-tesla-470-kernel-dkms", "470.256.02") },
    package("nvidia-tesla-kernel-dkms", "525.147.05"),
    package("nvidia-kernel-dkms", "535.216.03"),
    package("nvidia-tesla-535-kernel-dkms", "535.274.02"),
    package("nvidia-kernel-dkms", "550.163.01"),
    package("nvidia-kernel-dkms", "555.58.02"),
];

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
        apt::unpack(std::slice::from_ref(&deb), &self.dir(), |_| Ok(()))?;
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
        if let Some(deb) = apt::downloaded(&paths::cache().join("debs"), self.name, self.version)? {
            return Ok(deb);
        }
        let apt = Apt::new()?;
        let versions = apt.versions(self.name)?;
        let prefix = format!("{}-", self.version);
        let Some(version) = versions.iter().find(|version| version.starts_with(&prefix)) else {
            bail!("Debian has no {} {}, only {}", self.name, self.version, versions.join(", "));
        };
        apt.download(self.name, version)
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
