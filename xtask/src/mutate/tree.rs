// SPDX-License-Identifier: GPL-2.0
//! The copy of the repository that is broken, and a cache of its own, in which nothing that is built of it meets
//! what is built of the repository.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::Mutation;
use crate::{dirs, kernel::build::files, paths, sh};

/// What of the cache is not made of the repository.
const SHARED: [&str; 3] = ["debs", "drivers", "kernels"];

/// The copy.
pub struct Tree(PathBuf);

impl Tree {
    /// The repository as it is now, with a cache that goes with it.
    ///
    /// # Errors
    /// As [`Tree::at`]; or what is shared can't be.
    pub fn new() -> Result<Self> {
        let tree = Self::at(Self::cache().join("tree"))?;
        for name in SHARED {
            let link = Self::cache().join(name);
            if link.symlink_metadata().is_err() {
                symlink(paths::cache().join(name), &link)
                    .with_context(|| format!("making {}", link.display()))?;
            }
        }
        Ok(tree)
    }

    /// The repository as it is now, copied to `path`. What has not changed since the last time keeps its time, so that
    /// no more is built than has to be.
    ///
    /// # Errors
    /// git does not say which files there are, or one can't be copied.
    pub fn at(path: PathBuf) -> Result<Self> {
        let repo = paths::repo();
        let list = sh::output(
            Command::new("git")
                .args(["-c", "safe.directory=*", "ls-files"])
                .args(["--cached", "--others", "--exclude-standard"])
                .current_dir(&repo),
        )?;
        let names = list.lines().map(PathBuf::from).filter(|name| repo.join(name).is_file());
        let tree = Self(path);
        tree.become_copy(&repo, &names.collect())?;
        Ok(tree)
    }

    fn become_copy(&self, from: &Path, names: &BTreeSet<PathBuf>) -> Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("creating {}", self.0.display()))?;
        for old in files(&self.0)? {
            if !names.contains(old.strip_prefix(&self.0)?) {
                fs::remove_file(&old).with_context(|| format!("removing {}", old.display()))?;
            }
        }
        for name in names {
            dirs::update(&from.join(name), &self.0.join(name))?;
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The cache that goes with it.
    pub fn cache() -> PathBuf {
        paths::cache().join("mutate")
    }

    /// Breaks it, until what is returned is dropped.
    ///
    /// # Errors
    /// What is to be changed is not there once.
    pub fn with<'a>(&'a mut self, mutation: &Mutation) -> Result<Broken<'a>> {
        let file = self.0.join(mutation.file);
        let whole =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let count = whole.matches(mutation.find).count();
        ensure!(count == 1, "{} has {count} places like {:?}", mutation.file, mutation.find);
        let broken = Broken { tree: self, file, whole };
        let text = broken.whole.replace(mutation.find, mutation.replace);
        fs::write(&broken.file, text)
            .with_context(|| format!("writing {}", broken.file.display()))?;
        Ok(broken)
    }
}

/// The copy, broken.
pub struct Broken<'a> {
    pub tree: &'a Tree,
    file: PathBuf,
    whole: String,
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        // Where that fails, the next run makes the copy the repository's again.
        let _ = fs::write(&self.file, &self.whole);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Catcher, *};

    const MUTATION: Mutation = Mutation {
        name: "a",
        what: "b",
        file: "a/b",
        find: "two",
        replace: "2",
        catcher: Catcher::Scenario("standin"),
    };

    #[test]
    fn a_copy_is_broken_mended_and_brought_up_to_date() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-mutate-{}", std::process::id()));
        let (from, to) = (dir.join("from"), dir.join("to"));
        dirs::empty(&from.join("a")).unwrap();
        dirs::empty(&to).unwrap();
        for (name, text) in [("a/b", "one two\nthree"), ("c", "two two")] {
            fs::write(from.join(name), text).unwrap();
        }
        fs::write(to.join("left"), "").unwrap();
        let names = ["a/b", "c"].map(PathBuf::from).into();
        let mut tree = Tree(to.clone());
        tree.become_copy(&from, &names).unwrap();
        assert!(!to.join("left").exists());
        let there = || fs::read_to_string(to.join("a/b")).unwrap();
        assert_eq!(there(), "one two\nthree");
        let broken = tree.with(&MUTATION).unwrap();
        assert_eq!(there(), "one 2\nthree");
        drop(broken);
        assert_eq!(there(), "one two\nthree");
        for file in ["c", "none"] {
            assert!(tree.with(&Mutation { file, ..MUTATION }).is_err(), "{file}");
        }
        // A run that was ended left it broken.
        fs::write(to.join("a/b"), "one 2\nthree").unwrap();
        tree.become_copy(&from, &names).unwrap();
        assert_eq!(there(), "one two\nthree");
        dirs::remove(&dir).unwrap();
    }
}
