// SPDX-License-Identifier: GPL-2.0
//! The module, broken on purpose: whether the scenarios and tests notice.
//!
//! A mutation changes one place of a copy of the repository. What is to notice it is run there, first with nothing
//! changed, for a check that fails anyway notices nothing.

mod catch;
mod list;
mod page;
mod record;
mod tree;

use std::fmt;

use anyhow::{Context, Result};

pub use catch::Seen;
pub use list::all;
pub use page::write;
pub use record::{Record, Sources, kept, run};
pub use tree::Tree;

use crate::{kernel::Target, vm};

/// One way to break the module.
#[derive(Debug)]
pub struct Mutation {
    pub name: &'static str,
    /// What is broken, and what it would cost a user.
    pub what: &'static str,
    /// The file, from the repository's root.
    pub file: &'static str,
    /// What stands there, once.
    pub find: &'static str,
    /// What takes its place.
    pub replace: &'static str,
    /// Who has to notice.
    pub catcher: Catcher,
}

/// Who has to notice a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catcher {
    /// A scenario, on [`KERNEL`].
    Scenario(&'static str),
    /// A test of the module's own crate.
    Test {
        /// The file below module/tests; none where the test is beside what it tests.
        file: Option<&'static str>,
        /// Its name, with all modules in front.
        name: &'static str,
    },
}

const fn scenario(name: &'static str) -> Catcher {
    Catcher::Scenario(name)
}

/// A test beside what it tests.
const fn unit(name: &'static str) -> Catcher {
    Catcher::Test { file: None, name }
}

/// A test below module/tests.
const fn test(file: &'static str, name: &'static str) -> Catcher {
    Catcher::Test { file: Some(file), name }
}

impl fmt::Display for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Catcher::Scenario(name) => write!(f, "scenario {name}"),
            Catcher::Test { file: None, name } => write!(f, "test {name}"),
            Catcher::Test { file: Some(file), name } => write!(f, "test {file}::{name}"),
        }
    }
}

/// The kernel that scenarios are run on.
pub fn kernel() -> Result<&'static Target> {
    crate::kernel::find(vm::STABLE.first().context("no kernel is the stable one")?)
}

/// Looks mutations up by their names; all, where none is given.
///
/// # Errors
/// There is no such mutation.
pub fn select(names: &[String]) -> Result<Vec<&'static Mutation>> {
    if names.is_empty() {
        return Ok(all().collect());
    }
    let find = |name: &String| {
        all().find(|mutation| mutation.name == name).with_context(|| {
            let names: Vec<&str> = all().map(|mutation| mutation.name).collect();
            format!("no mutation {name}; there are {}", names.join(", "))
        })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::{kernel::build::files, paths};

    fn read(file: &str) -> String {
        let file = paths::repo().join(file);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    #[test]
    fn every_mutation_changes_one_place_of_what_is_there() {
        for Mutation { name, file, find, replace, .. } in all() {
            assert!(file.starts_with("module/src/"), "{name}: {file} is not the module's");
            assert_eq!(read(file).matches(find).count(), 1, "{name}: {find:?} in {file}");
            assert_ne!(find, replace, "{name}");
        }
    }

    #[test]
    fn mutations_have_names_of_their_own_and_say_what_they_cost() {
        let names: BTreeSet<_> = all().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 20, "{}", names.len());
        for Mutation { name, what, .. } in all() {
            let letters = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(name.chars().all(letters), "{name}");
            assert!(what.len() > 30 && !what.ends_with('.') && !what.contains('|'), "{name}");
        }
    }

    #[test]
    fn whoever_has_to_notice_exists() {
        let sources: String = ["module/src", "module/tests"]
            .iter()
            .flat_map(|dir| files(&paths::repo().join(dir)).unwrap())
            .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for mutation in all() {
            match mutation.catcher {
                Catcher::Scenario(name) => {
                    let scenario = vm::find(name).unwrap();
                    assert!(scenario.targets.contains(&kernel().unwrap().name), "{name}");
                    assert!(scenario.unlock, "{name} has nothing of the module");
                }
                Catcher::Test { file, name } => {
                    let last = name.rsplit("::").next().unwrap();
                    assert!(sources.contains(&format!("fn {last}(")), "{name}");
                    if let Some(file) = file {
                        let tests = paths::repo().join("module/tests");
                        let there = |place: &str| tests.join(place).exists();
                        assert!(there(&format!("{file}.rs")) || there(file), "{file}");
                    }
                }
            }
        }
    }

    #[test]
    fn mutations_are_chosen_by_their_names() {
        assert_eq!(select(&[]).unwrap().len(), all().count());
        let first = all().next().unwrap().name;
        let chosen = select(&[first.to_owned()]).unwrap();
        assert_eq!(chosen.iter().map(|mutation| mutation.name).collect::<Vec<_>>(), [first]);
        let error = select(&["none".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("no mutation none; there are "), "{error}");
    }
}
