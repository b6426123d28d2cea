// SPDX-License-Identifier: GPL-2.0
//! Doing it, and keeping what came of it.

use std::{fs, path::PathBuf};

use anyhow::{Error, Result};

use super::{
    inputs::Sources,
    plan::Run,
    record::{self, Build, Record},
};
use crate::{
    dirs,
    kernel::{self, Compilers, Target},
    markdown::one_line,
    vm::{self, BoardOptions, Expect, Line, Outcome, Scenario},
};

/// Runs a scenario on its kernel and keeps what came of it. `watch` sees every line of the guest's.
///
/// # Errors
/// As [`vm::run`]; that is kept, too. What came of it cannot be written.
pub fn run(run: &Run, watch: &mut dyn FnMut(&Line)) -> Result<Outcome> {
    let mut record = Record::begin(run)?;
    let result = kernel::prepare(run.target).and_then(|kernel| {
        let inputs = kernel.inputs();
        record.rustc = Compilers::of(&inputs).rustc;
        record.inputs = Sources::read()?.with(&inputs);
        record.release = kernel.release;
        vm::run(run.target, run.scenario, &BoardOptions::default(), watch)
    });
    match &result {
        Ok(outcome) => judge(&mut record, run.scenario, outcome),
        Err(error) => record.problem = Some(first_line(error)),
    }
    record.save()?;
    result
}

/// Where a scenario is meant to fail, its being told so is the only check.
fn judge(record: &mut Record, scenario: &Scenario, outcome: &Outcome) {
    record.seconds = outcome.took.as_secs_f64().round() as u64;
    if scenario.expect != Expect::Success {
        let unexpected = scenario.unexpected(outcome);
        record.passed = usize::from(unexpected.is_none());
        record.failed = usize::from(unexpected.is_some());
        record.problem = unexpected.as_deref().map(one_line);
        return;
    }
    record.passed = outcome.passed.len();
    record.failed = outcome.failed.len();
    record.skipped = outcome.skipped.len();
    record.problem = problem(scenario, outcome);
}

/// What is wrong with the outcome of a scenario that is meant to succeed, if anything: the first check that failed, or
/// else what happened.
pub fn problem(scenario: &Scenario, outcome: &Outcome) -> Option<String> {
    let failed = outcome.failed.first().map(|(check, reason)| format!("{check}: {reason}"));
    scenario.unexpected(outcome).map(|why| one_line(&failed.unwrap_or(why)))
}

/// Prepares `target` for runs, builds our module for it as a user's machine does, from nothing and with the
/// runtime kept, and keeps how that went. What was kept before suffices where nothing has changed, unless
/// it is wanted `again`.
///
/// # Errors
/// What came of it cannot be written. A failed build is none: it says so itself, and the whole error is
/// beside it.
pub fn build(target: &'static Target, again: bool) -> Result<(Build, Option<Error>)> {
    let mut build = Build::begin(target)?;
    let result = kernel::prepare(target).and_then(|kernel| {
        let inputs = kernel.inputs();
        let compilers = Compilers::of(&inputs);
        build.release = kernel.release;
        build.rustc = compilers.rustc;
        build.gcc = compilers.cc;
        build.inputs = Sources::read()?.with(&inputs);
        match Build::load(target).filter(|old| !again && old.stands(&build.inputs)) {
            Some(old) => build = old,
            None => measure(target, &mut build)?,
        }
        Ok(())
    });
    build.problem = result.as_ref().err().map(first_line);
    build.save()?;
    Ok((build, result.err()))
}

fn measure(target: &'static Target, build: &mut Build) -> Result<()> {
    let aside = Aside::new(target)?;
    let prepare = || kernel::prepare_in(target, &aside.0.join("runtime"));
    let measured = kernel::build::measured(&aside.0, &prepare)?;
    (build.cold, build.warm, build.size) = (measured.cold, measured.warm, measured.size);
    Ok(())
}

/// A directory in which nothing is, and which is gone afterwards.
struct Aside(PathBuf);

impl Aside {
    fn new(target: &Target) -> Result<Self> {
        let dir = record::dir().join("aside").join(target.name);
        // There may be one of a run that was ended.
        dirs::empty(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays goes the next time.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The result of `run`, if running it again with these sources would show nothing new. Nobody knows where
/// the kernel has not been prepared yet.
pub fn kept(run: &Run, sources: &Sources) -> Option<Record> {
    let now = sources.with(&kernel::known_inputs(run.target)?);
    Record::load(run).filter(|record| record.stands(&now))
}

/// The line of `error` that says most: what a compiler calls an error, or else what a program said first.
/// What make says about itself comes last. It has room in a table, and none of this machine's places.
pub fn first_line(error: &Error) -> String {
    let text = format!("{error:#}");
    let said: Vec<&str> = text.lines().skip(1).filter(|line| !line.trim().is_empty()).collect();
    let others = || said.iter().filter(|line| !line.starts_with("make"));
    let is_error = |line: &&&str| line.to_lowercase().contains("error");
    let line = others().find(is_error).or_else(|| others().next()).or(said.last()).copied();
    one_line(line.unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;
    use crate::paths;

    #[test]
    fn an_error_is_told_by_the_line_that_says_most() {
        let cache = paths::cache();
        let log = format!(
            "make failed (exit status: 2); the end of log:\n  CC a.o\n\n{}/a.c:3: error: no b\nmake: Error 2",
            cache.display()
        );
        for (error, line) in [
            (anyhow!(log).context("preparing 7.3"), "a.c:3: error: no b".to_owned()),
            (
                anyhow!("x failed (77):\nvgpu_unlock: kernel 4.19 is not supported\n"),
                "vgpu_unlock: kernel 4.19 is not supported".to_owned(),
            ),
            (
                anyhow!("x failed (2):\nmake: Entering b\nmake: *** killed"),
                "make: *** killed".to_owned(),
            ),
            (anyhow!("no such target"), "no such target".to_owned()),
            (anyhow!("{}", "ä".repeat(300)), format!("{}…", "ä".repeat(160))),
        ] {
            assert_eq!(first_line(&error), line);
        }
    }

    #[test]
    fn what_came_of_a_run_is_kept() {
        let text = |name: &str, why: &str| (name.to_owned(), why.to_owned());
        let outcome = Outcome {
            passed: vec!["a".to_owned(), "b".to_owned()],
            failed: vec![text("c", "1 is not 2\nmore"), text("d", "")],
            skipped: vec![text("e", "none")],
            took: Duration::from_millis(61_700),
            ..Outcome::default()
        };
        let mut record = Record::default();
        judge(&mut record, vm::find("standin").unwrap(), &outcome);
        assert_eq!((record.passed, record.failed, record.skipped, record.seconds), (2, 2, 1, 62));
        assert_eq!(record.problem.as_deref(), Some("c: 1 is not 2"));

        // What is meant to fail has failed, and nothing else counts.
        let mut record = Record::default();
        judge(&mut record, vm::find("selftest-check").unwrap(), &outcome);
        assert_eq!((record.passed, record.failed, record.problem), (1, 0, None));
        let mut record = Record::default();
        judge(&mut record, vm::find("selftest-hang").unwrap(), &outcome);
        assert_eq!((record.passed, record.failed), (0, 1));
        assert_eq!(record.problem.as_deref(), Some("\"timeout\" went unnoticed"));
    }
}
