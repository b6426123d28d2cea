// SPDX-License-Identifier: GPL-2.0
//! Systems that things are built in: the one that all of this runs in, and others with other compilers, made
//! when they are wanted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{paths, sh};

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The one that this runs in (scripts/make-root).
    Trixie,
    /// Debian's unstable: the newest compilers.
    Sid,
}

/// A system that has to be made.
struct Recipe {
    name: &'static str,
    suite: &'static str,
    sources: &'static [&'static str],
    packages: &'static [&'static str],
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
};

impl Root {
    fn recipe(self) -> Option<&'static Recipe> {
        match self {
            Root::Trixie => None,
            Root::Sid => Some(&SID),
        }
    }

    /// A command that runs `script`, one of this repository's, in this system.
    ///
    /// # Errors
    /// The system cannot be made.
    pub fn command(self, script: &str) -> Result<Command> {
        let path = paths::repo().join(script);
        let Some(recipe) = self.recipe() else { return Ok(Command::new(path)) };
        let root = recipe.made()?;
        let mut command = Command::new(paths::repo().join("scripts/in-root"));
        command.env("VGPU_UNLOCK_ROOT", root).arg(path);
        Ok(command)
    }
}

impl Recipe {
    /// Where it is; it is made first where it is not there, or was made of something else.
    fn made(&self) -> Result<PathBuf> {
        let root = paths::cache().join("roots").join(self.name);
        let stamp = root.join(".vgpu-unlock-root");
        let wanted = format!("{:?} {:?}", self.sources, self.packages);
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
            if old.exists() {
                fs::remove_dir_all(old).with_context(|| format!("removing {}", old.display()))?;
            }
        }
        let parent = paths::cache().join("roots");
        fs::create_dir_all(&parent).with_context(|| format!("creating {}", parent.display()))?;
        let log = parent.join(format!("{}.log", self.name));
        sh::run_logged(
            Command::new("mmdebstrap")
                .args(["--variant=apt", "--aptopt=Acquire::Check-Valid-Until \"false\""])
                .arg(format!("--include={}", self.packages.join(",")))
                .arg(self.suite)
                .arg(&partial)
                .args(self.sources),
            &log,
        )?;
        fs::rename(&partial, root).with_context(|| format!("renaming to {}", root.display()))
    }
}
