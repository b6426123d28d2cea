// SPDX-License-Identifier: GPL-2.0
//! The module's pure files, changed by cargo-mutants in every way that it knows: which changes do cargo's tests of
//! them miss? The list in [`crate::mutate`] is ours; nobody has chosen what is changed here.

mod page;
mod record;
mod run;
mod tool;

use anyhow::{Result, ensure};

pub use page::{judged, named, write};
pub use record::{Record, Survivor};
pub use run::Runner;

use crate::{kernel::build::files, paths};

/// The pure files.
pub const PART: &str = "module/src/logic";

/// Which of them come first: the more harm a mistake there does, the earlier. All others come behind.
const FIRST: [&str; 9] = [
    "signature.rs",
    "capability/",
    "rm_control/",
    "driver/",
    "params/",
    "profile/",
    "mdev/",
    "gpu/",
    "status/",
];

/// The files, below [`PART`], in their order.
///
/// # Errors
/// The directory can't be read.
pub fn all() -> Result<Vec<String>> {
    let part = paths::repo().join(PART);
    let mut names = vec![];
    for file in files(&part)? {
        names.push(file.strip_prefix(&part)?.to_string_lossy().into_owned());
    }
    let place = |name: &str| FIRST.iter().position(|first| name.starts_with(first));
    names.sort_by_key(|name| (place(name).unwrap_or(FIRST.len()), name.clone()));
    Ok(names)
}

/// Those that have one of `patterns` in their names; all, where none is given.
///
/// # Errors
/// A pattern is in no name.
pub fn select(patterns: &[String]) -> Result<Vec<String>> {
    let mut names = all()?;
    for pattern in patterns {
        let found = names.iter().any(|name| name.contains(pattern.as_str()));
        ensure!(found, "no file of {PART} has {pattern:?} in its name");
    }
    if !patterns.is_empty() {
        names.retain(|name| patterns.iter().any(|pattern| name.contains(pattern.as_str())));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_dangerous_files_come_first_and_each_is_there_once() {
        let all = all().unwrap();
        assert_eq!(all[0], "signature.rs");
        assert!(all.iter().all(|name| name.ends_with(".rs")), "{all:?}");
        for first in FIRST {
            assert!(all.iter().any(|name| name.starts_with(first)), "{first}");
        }
        let mut sorted = all.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), all.len());
    }

    #[test]
    fn files_are_chosen_by_a_part_of_their_names() {
        assert_eq!(select(&[]).unwrap(), all().unwrap());
        assert_eq!(select(&["signature".to_owned()]).unwrap(), ["signature.rs"]);
        let error = select(&["gpu/".to_owned(), "nowhere".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("\"nowhere\""), "{error}");
    }
}
