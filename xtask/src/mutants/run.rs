// SPDX-License-Identifier: GPL-2.0
//! Running cargo-mutants on a copy of the repository, file by file.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    PART, Record,
    record::{TESTS, code, inputs, survivors},
    tool,
};
use crate::{dirs, mutate::Tree, paths, records::now, sh};

/// Seconds that the tests may take with a mutant; without one it is some, on a machine that does nothing else.
const PATIENCE: &str = "30";

/// Tests that are beside the code.
const BESIDE: &[&str] = &["--lib"];

/// All; neither the benchmark nor examples in comments are among them.
const ALL: &[&str] = &["--lib", "--tests"];

/// Which of module/tests are about what, to be run before all others: each is a program that has to be linked anew.
const NEAREST: [(&str, &[&str]); 7] = [
    ("capability/", &["--test=tables", "--test=unlock"]),
    ("driver/vgpud/", &["--test=vgpud"]),
    ("params/overrides/", &["--test=params_overrides"]),
    ("params/scan.rs", &["--test=params_overrides"]),
    ("rm_control/", &["--test=rm_control"]),
    ("status/", &["--test=status_words"]),
    ("profile/", &["--test=rm_control"]),
];

/// The choices of tests for a file, one after the other: what costs little first, so that all are run only where this
/// has noticed nothing.
fn choices(name: &str) -> Result<Vec<&'static [&'static str]>> {
    let path = paths::repo().join(PART).join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut choices = vec![];
    if text.contains(TESTS) {
        choices.push(BESIDE);
    }
    let nearest = NEAREST.iter().filter(|(area, _)| name.starts_with(area));
    choices.extend(nearest.map(|(_, tests)| *tests));
    choices.push(ALL);
    Ok(choices)
}

/// What cargo-mutants exits with when it has done what it was told: all caught, some survived, some timed out.
const DONE: [i32; 3] = [0, 2, 3];

/// Tries mutants.
pub struct Runner {
    program: PathBuf,
    tree: Tree,
    inputs: String,
}

impl Runner {
    /// Makes the copy, and sees to it that all tests pass in it.
    ///
    /// # Errors
    /// cargo-mutants can't be had, or a test fails with nothing changed.
    pub fn new() -> Result<Self> {
        let runner = Self {
            program: tool::program()?,
            tree: Tree::at(tool::cache().join("tree"))?,
            inputs: inputs()?,
        };
        let _bar = sh::progress("running the tests with nothing changed");
        let mut cargo = runner.command("cargo");
        cargo.args(["test", "--locked", "--package", "vgpu_unlock", "--lib", "--tests"]);
        sh::output(&mut cargo).context("the tests fail with nothing changed")?;
        Ok(runner)
    }

    /// A program in the copy, with all that cargo is to know.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.tree.path())
            .env("CARGO_TARGET_DIR", tool::cache().join("target"))
            // What nobody reads takes its time to be linked.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            // The same cases each time, and no search for the smallest one.
            .env("PROPTEST_RNG_SEED", "1")
            .env("PROPTEST_MAX_SHRINK_ITERS", "0");
        command
    }

    /// What was kept of a file, if another run would show nothing new.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn kept(&self, name: &str) -> Result<Option<Record>> {
        let code = code(name)?;
        Ok(Record::load(name).filter(|record| record.stands(&code, &self.inputs)))
    }

    /// Tries the mutants of a file, but for those that are known to be noticed, unless `again`.
    ///
    /// # Errors
    /// cargo-mutants fails, or what it says can't be read.
    pub fn run(&self, name: &str, again: bool, watch: &mut dyn FnMut(&str)) -> Result<Record> {
        let code = code(name)?;
        if again {
            dirs::remove(&out(name))?;
        }
        let old = Record::load(name).filter(|record| record.code == code && !again);
        let mut record = old.unwrap_or_default();
        record.code = code;
        record.inputs.clone_from(&self.inputs);
        record.date = None;
        for choice in choices(name)? {
            watch(&choice.join(" "));
            let done = self.mutants(name, choice, &mut record);
            // What has been found until it failed, or was ended, is kept.
            record.save(name)?;
            done?;
        }
        let path = paths::repo().join(PART).join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        record.survivors = survivors(&record.survived, &text);
        record.date = Some(now()?);
        record.save(name)?;
        Ok(record)
    }

    /// Has cargo-mutants try a file's mutants, but for those that are settled.
    fn mutants(&self, name: &str, choice: &[&str], record: &mut Record) -> Result<()> {
        let out = out(name);
        let lists = out.join("mutants.out");
        // An earlier run of the same code that was ended has found something, too.
        if fs::read_to_string(out.join("code")).is_ok_and(|code| code == record.code) {
            absorb(&lists, record)?;
            record.save(name)?;
        }
        dirs::empty(&lists)?;
        fs::write(out.join("code"), &record.code).context("writing whose results these are")?;
        // Where --iterate looks for what need not be tried.
        let settled: Vec<&str> = record.settled().flat_map(|mutant| [mutant, "\n"]).collect();
        fs::write(lists.join("caught.txt"), settled.concat()).context("writing what is settled")?;

        let mut command = self.command(&self.program);
        command.args(["mutants", "--in-place", "--no-config", "--iterate", "--no-shuffle"]);
        command.args(["--baseline", "skip", "--timeout", PATIENCE, "--colors", "never"]);
        command.args(["--package", "vgpu_unlock", "--cargo-arg=--locked"]);
        command.args(["--file", &format!("{PART}/{name}")]).arg("--output").arg(&out);
        command.args(choice.iter().map(|arg| format!("--cargo-arg={arg}")));
        let output = command.output().with_context(|| format!("starting {command:?}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let done = output.status.code().is_some_and(|code| DONE.contains(&code));
        ensure!(done, "{command:?} failed ({}):\n{said}", output.status);

        record.survived.clear();
        let before = record.mutants();
        absorb(&lists, record)?;
        record.survived = read(&lists.join("missed.txt"))?;
        let tried = tried(&lists.join("mutants.json"))?;
        let found = record.mutants() - before;
        ensure!(found == tried, "{name}: {tried} mutants were tried, and {found} came to an end");
        fs::remove_file(out.join("code")).context("removing whose results these are")
    }
}

/// Where cargo-mutants writes what it finds in a file.
fn out(name: &str) -> PathBuf {
    tool::cache().join("out").join(name.replace('/', "+"))
}

/// Takes over what cargo-mutants has settled.
fn absorb(lists: &Path, record: &mut Record) -> Result<()> {
    let known: BTreeSet<String> = record.settled().cloned().collect();
    let all = [
        ("caught.txt", &mut record.caught),
        ("unviable.txt", &mut record.unviable),
        ("timeout.txt", &mut record.timed_out),
    ];
    for (list, set) in all {
        set.extend(read(&lists.join(list))?.into_iter().filter(|mutant| !known.contains(mutant)));
    }
    Ok(())
}

/// The lines of one of cargo-mutants' lists; none, where it is not there.
fn read(list: &Path) -> Result<BTreeSet<String>> {
    if !list.exists() {
        return Ok(BTreeSet::new());
    }
    let text = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// How many mutants cargo-mutants has begun with.
fn tried(list: &Path) -> Result<usize> {
    if !list.exists() {
        return Ok(0);
    }
    let text = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
    let list: Vec<Value> = serde_json::from_str(&text).context("cargo-mutants' list of mutants")?;
    Ok(list.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tests_are_run_in_the_end_and_what_is_nearest_exists() {
        for name in super::super::all().unwrap() {
            assert_eq!(choices(&name).unwrap().last(), Some(&ALL), "{name}");
        }
        assert_eq!(choices("signature.rs").unwrap(), [BESIDE, ALL]);
        assert_eq!(choices("driver/vgpud/code.rs").unwrap(), [&["--test=vgpud"], ALL]);
        for (area, tests) in NEAREST {
            assert!(super::super::all().unwrap().iter().any(|name| name.starts_with(area)));
            for test in tests {
                let test = test.strip_prefix("--test=").unwrap();
                let there = |place: String| paths::repo().join("module/tests").join(place).exists();
                assert!(there(format!("{test}.rs")) || there(format!("{test}/main.rs")), "{test}");
            }
        }
    }

    #[test]
    fn what_is_settled_is_taken_over_once() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-mutants-{}", std::process::id()));
        dirs::empty(&dir).unwrap();
        let mut record = Record::default();
        record.unviable.insert("u".to_owned());
        // The list that we have made has all that was settled.
        fs::write(dir.join("caught.txt"), "u\nc\n").unwrap();
        fs::write(dir.join("timeout.txt"), "t\n").unwrap();
        absorb(&dir, &mut record).unwrap();
        absorb(&dir, &mut record).unwrap();
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let sets = [&record.caught, &record.unviable, &record.timed_out];
        assert_eq!(sets, [&set("c"), &set("u"), &set("t")]);
        assert_eq!(tried(&dir.join("none")).unwrap(), 0);
        dirs::remove(&dir).unwrap();
    }
}
