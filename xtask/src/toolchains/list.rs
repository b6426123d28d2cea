// SPDX-License-Identifier: GPL-2.0
//! Which ones there are.

use anyhow::Result;

use super::upstream;
use crate::root::Root;

/// The oldest rustc that is supported: scripts/lib.sh says so, too.
pub const OLDEST: u32 = 78;

/// Which rustc it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rustc {
    /// The one of the system.
    Systems,
    /// Upstream's last release of 1.N.
    Upstream(u32),
}

/// Compilers.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// What the command line calls it.
    pub name: String,
    /// The kernel that is built for.
    pub kernel: &'static str,
    /// The system whose compilers they are.
    pub root: Root,
    pub rustc: Rustc,
    /// The kernel's headers say that clang has built it.
    pub clang: bool,
    /// What they have built is run, too.
    pub run: bool,
    /// What is worth knowing of it.
    pub about: &'static str,
}

/// All of them.
///
/// # Errors
/// Upstream cannot be asked what its newest release is.
pub fn all() -> Result<Vec<Toolchain>> {
    let newest = upstream::newest()?;
    let upstreams = (OLDEST..=newest).map(|minor| Toolchain {
        name: format!("rustc-1.{minor}"),
        kernel: "debian-6.12",
        root: Root::Trixie,
        rustc: Rustc::Upstream(minor),
        clang: false,
        run: minor == OLDEST || minor == newest,
        about: match minor {
            OLDEST => "upstream's, the oldest that is supported",
            _ if minor == newest => "upstream's, the newest there is",
            _ => "upstream's",
        },
    });
    Ok(upstreams.chain(systems()).collect())
}

fn systems() -> impl Iterator<Item = Toolchain> {
    [
        (
            "debian-12",
            "debian-6.1",
            Root::User12,
            false,
            "Debian 12's own: rustc-web, and the gcc that its kernel was built by",
        ),
        (
            "debian-sid",
            "debian-6.12",
            Root::Sid,
            false,
            "Debian sid's: a gcc that is newer than the one that the kernel was built by",
        ),
        (
            "clang",
            "debian-6.12",
            Root::Clang,
            true,
            "clang and lld: the kernel's headers were rewritten to say that it was built by clang, which it was not",
        ),
    ]
    .into_iter()
    .map(|(name, kernel, root, clang, about)| Toolchain {
        name: name.to_owned(),
        kernel,
        root,
        rustc: Rustc::Systems,
        clang,
        run: true,
        about,
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::{kernel, paths};

    #[test]
    fn each_has_a_kernel_and_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for toolchain in systems() {
            kernel::find(toolchain.kernel).unwrap();
            assert!(names.insert(toolchain.name));
        }
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn the_scripts_know_the_same_oldest_one() {
        let lib = fs::read_to_string(paths::repo().join("scripts/lib.sh")).unwrap();
        assert!(lib.contains(&format!("\"$minor\" -ge {OLDEST} ")), "usable_rustc");
        assert!(lib.contains(&format!("'rustc 1.{OLDEST} or newer with its source'")), "cure");
    }
}
