// SPDX-License-Identifier: GPL-2.0
//! What a run's outcome can depend on, as a hash: where it is the same, running it again shows nothing new.

use std::fs;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{kernel::build::files, paths};

/// Files and directories of the repository.
const PARTS: [&str; 5] = ["Kbuild", "module", "scripts", "tests", "xtask/src/vm"];

/// What of these no machine has anything of.
const ELSEWHERE: [&str; 5] =
    ["tests/dkms", "tests/field_cases", "tests/fuzz", "tests/overrides", "tests/structures"];

/// The hash of the repository's part, as it was when this was read.
pub struct Sources(String);

impl Sources {
    /// As the repository is now.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read() -> Result<Self> {
        Self::of(&PARTS, &ELSEWHERE)
    }

    /// As [`Sources::read`], of other parts, and what of these does not count.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn of(parts: &[&str], elsewhere: &[&str]) -> Result<Self> {
        let repo = paths::repo();
        let mut contents = vec![];
        for part in parts {
            for file in files(&repo.join(part))? {
                let name = file.strip_prefix(&repo)?;
                if !elsewhere.iter().any(|dir| name.starts_with(dir)) {
                    let bytes = fs::read(&file);
                    let bytes = bytes.with_context(|| format!("reading {}", file.display()))?;
                    contents.push((name.to_owned(), bytes));
                }
            }
        }
        contents.sort();
        let parts = contents
            .iter()
            .flat_map(|(name, bytes)| [name.as_os_str().as_encoded_bytes(), bytes.as_slice()]);
        Ok(Self(hash(parts)))
    }

    /// With a kernel's own inputs.
    pub fn with(&self, kernel: &str) -> String {
        hash([&self.0, kernel].into_iter())
    }
}

/// The hash of some things in their order.
pub fn hash(parts: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        // With its length, or what is moved from one to the next would go unseen.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_changes_the_hash() {
        let of = |parts: &[&str]| hash(parts.iter());
        let first = of(&["a", "bc", "d", "e"]);
        assert_eq!(of(&["a", "bc", "d", "e"]), first);
        for other in [
            of(&["a", "b", "d", "e"]),
            of(&["ab", "c", "d", "e"]),
            of(&["a", "bc", "d", "e", ""]),
            of(&["a", "bc"]),
        ] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn the_repository_and_the_kernel_both_count() {
        for path in PARTS.iter().chain(&ELSEWHERE) {
            assert!(paths::repo().join(path).exists(), "{path}");
        }
        let sources = Sources::read().unwrap();
        let first = sources.with("6.12");
        assert_eq!(Sources::read().unwrap().with("6.12"), first);
        assert_ne!(sources.with("6.1"), first);
        assert_ne!(Sources(String::new()).with("6.12"), first);
    }
}
