// SPDX-License-Identifier: GPL-2.0
//! What came of a file's mutants: a small file each, below the cache. It is written after every run of cargo-mutants, so
//! that the next one goes on where this one was ended.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{PART, tool};
use crate::{matrix, paths, records};

/// A change that no test has noticed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Survivor {
    /// What cargo-mutants calls it, without its place.
    pub name: String,
    /// The line that is changed, or the first of them.
    pub line: String,
}

/// The last state of a file's mutants. Names are cargo-mutants' own, with line and column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The hash of the file without its tests, and the version of cargo-mutants.
    pub code: String,
    /// The hash of all that the tests are built of, when the survivors were tried.
    pub inputs: String,
    /// When that was, in UTC; none while there are mutants that have not been tried.
    pub date: Option<String>,
    pub caught: BTreeSet<String>,
    pub unviable: BTreeSet<String>,
    pub timed_out: BTreeSet<String>,
    pub survived: BTreeSet<String>,
    pub survivors: Vec<Survivor>,
}

impl Record {
    /// What was kept of a file's mutants, if anything.
    pub fn load(name: &str) -> Option<Self> {
        records::load(&file(name))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, name: &str) -> Result<()> {
        records::save(&file(name), self)
    }

    /// What needs no further look while the file's code is the same.
    pub fn settled(&self) -> impl Iterator<Item = &String> {
        self.caught.iter().chain(&self.unviable).chain(&self.timed_out)
    }

    /// How many there are.
    pub fn mutants(&self) -> usize {
        self.settled().count() + self.survived.len()
    }

    /// Whether another run would show nothing new: all were tried with this code, and those that survived with these
    /// inputs. What was caught counts as caught until the code changes.
    pub fn stands(&self, code: &str, inputs: &str) -> bool {
        let tried = self.date.is_some() && self.code == code;
        tried && (self.survived.is_empty() || self.inputs == inputs)
    }
}

fn file(name: &str) -> PathBuf {
    tool::cache().join("records").join(name.replace('/', "+")).with_extension("json")
}

/// Where a file's tests begin; no code of another kind comes behind.
pub const TESTS: &str = "#[cfg(test)]\nmod tests {\n";

/// The hash of a file's code.
///
/// # Errors
/// The file can't be read.
pub fn code(name: &str) -> Result<String> {
    let path = paths::repo().join(PART).join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let code = text.split(TESTS).next().unwrap_or_default();
    Ok(matrix::hash([tool::VERSION, code].into_iter()))
}

/// The hash of all that the tests are built of.
///
/// # Errors
/// A file can't be read.
pub fn inputs() -> Result<String> {
    let parts = ["Cargo.lock", "Cargo.toml", "module", "tests/structures"];
    Ok(matrix::Sources::of(&parts, &[])?.with(tool::VERSION))
}

/// Splits "file:line:column: what" into line and what.
pub fn place(mutant: &str) -> Option<(usize, &str)> {
    let mut parts = mutant.splitn(4, ':');
    let line = parts.nth(1)?.parse().ok()?;
    Some((line, parts.nth(1)?.trim_start()))
}

/// The survivors by name, with the lines that they change.
pub fn survivors(survived: &BTreeSet<String>, text: &str) -> Vec<Survivor> {
    let lines: Vec<&str> = text.lines().collect();
    let survivor = |mutant: &String| {
        let (line, name) = place(mutant).unwrap_or((0, mutant));
        let line = line.checked_sub(1).and_then(|at| lines.get(at)).unwrap_or(&"");
        Survivor { name: name.to_owned(), line: line.trim().to_owned() }
    };
    let mut survivors: Vec<Survivor> = survived.iter().map(survivor).collect();
    survivors.sort();
    survivors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_has_its_place_in_front_of_its_name() {
        let name = "replace <impl A for B>::c -> d::E with f::g()";
        assert_eq!(place(&format!("a/b.rs:12:5: {name}")), Some((12, name)));
        for wrong in ["", "a/b.rs", "a/b.rs: replace", "a/b.rs:x:5: replace"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
        let survived = ["a.rs:2:1: b", "a.rs:1:9: b", "odd"].map(str::to_owned).into();
        let found: Vec<_> =
            survivors(&survived, "one\n  two").into_iter().map(|s| (s.name, s.line)).collect();
        let of = |name: &str, line: &str| (name.to_owned(), line.to_owned());
        assert_eq!(found, [of("b", "one"), of("b", "two"), of("odd", "")]);
    }

    #[test]
    fn only_survivors_are_tried_again_with_other_tests() {
        let mut record =
            Record { code: "c".to_owned(), inputs: "i".to_owned(), ..Record::default() };
        assert!(!record.stands("c", "i"), "not all were tried");
        record.date = Some("2026".to_owned());
        record.caught.insert("a".to_owned());
        assert!(record.stands("c", "other"));
        assert!(!record.stands("other", "i"));
        record.survived.insert("b".to_owned());
        assert!(record.stands("c", "i"));
        assert!(!record.stands("c", "other"));
        assert_eq!(record.mutants(), 2);
    }

    #[test]
    fn a_files_tests_are_not_its_code() {
        for name in super::super::all().unwrap() {
            let text = fs::read_to_string(paths::repo().join(PART).join(&name)).unwrap();
            let code = text.split(TESTS).next().unwrap();
            assert!(!code.contains("#[test]"), "{name}");
            assert!(
                text.split(TESTS).nth(1).is_none_or(|tests| tests.ends_with("\n}\n")),
                "{name}"
            );
        }
    }
}
