// SPDX-License-Identifier: GPL-2.0
//! Systems that things are built in: the one that all of this runs in, and others with other compilers, made
//! when they are wanted.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{dirs, paths, sh};

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The one that this runs in (scripts/make-root).
    Trixie,
    /// Debian's unstable: the newest compilers.
    Sid,
    /// Debian 13 with what makes packages.
    Packages,
    /// Debian 13 with clang and its linker in gcc's place.
    Clang,
    /// A user's Debian 12, with no more than what users are told to install, and what it boots with.
    User12,
    /// A user's Debian 13.
    User13,
}

/// A system that has to be made.
struct Recipe {
    name: &'static str,
    suite: &'static str,
    sources: &'static [&'static str],
    packages: &'static [&'static str],
    /// What a user's machine gets as an update in a test; it is there, and not installed. Other systems have none.
    update: &'static [&'static str],
}

const SID: Recipe = Recipe {
    name: "sid",
    suite: "sid",
    sources: &["deb [check-valid-until=no] http://deb.debian.org/debian sid main"],
    packages: &[
        "gcc",
        "make",
        "rustc",
        "rust-src",
        "libc6-dev",
        "libelf1t64",
        "kmod",
        "xz-utils",
        "perl-base",
    ],
    update: &[],
};

/// The same suite as the one that all of this runs in, so that the compiler is the same; nobody else's system grows
/// by what packages need.
const PACKAGES: Recipe = Recipe {
    name: "packages",
    suite: "trixie",
    sources: &[
        "deb http://deb.debian.org/debian trixie main",
        "deb [check-valid-until=no] http://security.debian.org/debian-security trixie-security main",
    ],
    packages: &["build-essential", "cargo", "debhelper", "dh-dkms", "lintian", "rpm", "rustc"],
    update: &[],
};

/// What builds modules for a kernel that was built by clang.
const CLANG: Recipe = Recipe {
    name: "clang",
    suite: "trixie",
    sources: PACKAGES.sources,
    packages: &[
        "clang",
        "lld",
        "llvm",
        "make",
        "rustc",
        "rust-src",
        "libc6-dev",
        "libelf1t64",
        "kmod",
        "xz-utils",
        "perl-base",
    ],
    update: &[],
};

const USER_12: Recipe = Recipe {
    name: "user-12",
    suite: "bookworm",
    sources: &[
        "deb http://deb.debian.org/debian bookworm main",
        "deb [check-valid-until=no] http://security.debian.org/debian-security bookworm-security main",
    ],
    packages: &[
        "dkms",
        "linux-headers-amd64",
        "rustc-web",
        "rust-web-src",
        "linux-image-amd64",
        "systemd-sysv",
        "procps",
    ],
    update: &["linux-headers-6.12-amd64", "linux-image-6.12-amd64"],
};

const USER_13: Recipe = Recipe {
    name: "user-13",
    suite: "trixie",
    sources: &[
        "deb http://deb.debian.org/debian trixie main",
        "deb [check-valid-until=no] http://deb.debian.org/debian trixie-backports main",
        "deb [check-valid-until=no] http://security.debian.org/debian-security trixie-security main",
    ],
    packages: &[
        "dkms",
        "linux-headers-amd64",
        "rustc",
        "rust-src",
        "linux-image-amd64",
        "systemd-sysv",
        "procps",
    ],
    update: &["linux-headers-amd64/trixie-backports", "linux-image-amd64/trixie-backports"],
};

/// What of a user's machine is left out, for nobody looks at it: drivers, documentation, and what of rustc's source
/// is not core's. Of modules, what vGPUs take is there: DKMS takes a kernel without any for one that is gone.
const NOT_LOOKED_AT: &[&str] = &[
    "path-exclude=/lib/modules/*/kernel/*",
    "path-include=/lib/modules/*/kernel/drivers/vfio/*",
    "path-include=/lib/modules/*/kernel/drivers/iommu/*",
    "path-include=/lib/modules/*/kernel/virt/*",
    "path-include=/lib/modules/*/kernel/lib/*",
    "path-include=/lib/modules/*/kernel/crypto/*",
    "path-exclude=/usr/lib/modules/*/kernel/*",
    "path-include=/usr/lib/modules/*/kernel/drivers/vfio/*",
    "path-include=/usr/lib/modules/*/kernel/drivers/iommu/*",
    "path-include=/usr/lib/modules/*/kernel/virt/*",
    "path-include=/usr/lib/modules/*/kernel/lib/*",
    "path-include=/usr/lib/modules/*/kernel/crypto/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/src/rustc-?.??.?/vendor/*",
    "path-exclude=/usr/src/rustc-?.??.?/compiler/*",
    "path-exclude=/usr/src/rustc-?.??.?/tests/*",
];

impl Root {
    fn recipe(self) -> Option<&'static Recipe> {
        match self {
            Root::Trixie => None,
            Root::Sid => Some(&SID),
            Root::Packages => Some(&PACKAGES),
            Root::Clang => Some(&CLANG),
            Root::User12 => Some(&USER_12),
            Root::User13 => Some(&USER_13),
        }
    }

    /// Where it is; it is made first where it has to be.
    ///
    /// # Errors
    /// The system cannot be made.
    pub fn path(self) -> Result<PathBuf> {
        self.recipe().map_or_else(|| Ok(PathBuf::from("/")), Recipe::made)
    }

    /// A command that runs `script`, one of this repository's, in this system.
    ///
    /// # Errors
    /// The system cannot be made.
    pub fn command(self, script: &str) -> Result<Command> {
        self.program(paths::repo().join(script))
    }

    /// A command that runs a program in this system. The repository and the cache are where they are outside.
    ///
    /// # Errors
    /// The system cannot be made.
    pub fn program(self, program: impl AsRef<OsStr>) -> Result<Command> {
        if self.recipe().is_none() {
            return Ok(Command::new(program));
        }
        let root = self.path()?;
        let mut command = Command::new(paths::repo().join("scripts/in-root"));
        command.env("VGPU_UNLOCK_ROOT", root).arg(program);
        Ok(command)
    }
}

impl Recipe {
    /// Where it is; it is made first where it is not there, or was made of something else.
    fn made(&self) -> Result<PathBuf> {
        let root = paths::cache().join("roots").join(self.name);
        let stamp = root.join(".vgpu-unlock-root");
        let mut wanted = format!("{:?} {:?}", self.sources, self.packages);
        if !self.update.is_empty() {
            wanted += &format!(" {:?} {NOT_LOOKED_AT:?}", self.update);
        }
        if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(root);
        }
        self.make(&root)?;
        fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(root)
    }

    fn make(&self, root: &Path) -> Result<()> {
        let _bar = sh::progress(&format!("making a system of Debian's {}", self.suite));
        let partial = root.with_extension("new");
        for old in [root, &partial] {
            dirs::remove(old)?;
        }
        let parent = paths::cache().join("roots");
        fs::create_dir_all(&parent).with_context(|| format!("creating {}", parent.display()))?;
        let log = parent.join(format!("{}.log", self.name));
        let mut command = Command::new("mmdebstrap");
        command.args(["--variant=apt", "--aptopt=Acquire::Check-Valid-Until \"false\""]);
        if !self.update.is_empty() {
            command.args(NOT_LOOKED_AT.iter().map(|option| format!("--dpkgopt={option}")));
            // Initial RAM disks of kernels that are never booted from here would take a minute each.
            command.arg(
                "--essential-hook=mkdir \"$1/etc/initramfs-tools\" && \
                 echo update_initramfs=no >\"$1/etc/initramfs-tools/update-initramfs.conf\"",
            );
            command.arg("--dpkgopt=force-confold");
            // What can be installed, apt knows as it does for users.
            command.args(["--skip=cleanup/apt/lists", "--aptopt=Acquire::GzipIndexes \"true\""]);
            command.arg(format!(
                "--customize-hook=mkdir -p \"$1/var/cache/update/partial\" && \
                 chroot \"$1\" apt-get -y --no-install-recommends --download-only \
                 -o APT::Sandbox::User=root -o Dir::Cache::archives=/var/cache/update install {}",
                self.update.join(" ")
            ));
        }
        command.arg(format!("--include={}", self.packages.join(",")));
        sh::run_logged(command.arg(self.suite).arg(&partial).args(self.sources), &log)?;
        fs::rename(&partial, root).with_context(|| format!("renaming to {}", root.display()))
    }
}
