// SPDX-License-Identifier: GPL-2.0
//! `matrix`: every scenario on every kernel.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::Args as ClapArgs;
use indicatif::HumanDuration;

use super::kernel::select;
use crate::{
    matrix::{self, Record, Results, Run, Sources},
    sh,
    vm::{self, Line},
};

/// Build for every kernel, boot it, run the scenarios that are meant for it, and keep what came of it.
///
/// It goes on after a failure, and where it was ended: what passed is run again when something has changed.
#[derive(ClapArgs)]
pub struct Args {
    /// Targets; all, unless given.
    #[arg(long = "kernel", value_name = "TARGET", num_args = 1..)]
    kernels: Vec<String>,
    /// Scenarios; all that are not run by command only, unless given.
    #[arg(long = "scenario", value_name = "NAME", num_args = 1..)]
    scenarios: Vec<String>,
    /// Also what passed and has not changed since.
    #[arg(long)]
    again: bool,
    /// Run nothing; show what there is to run, and what came of it the last time.
    #[arg(long)]
    list: bool,
    /// Run nothing; write docs/matrix.json, and from it docs/matrix.md and the table in README.md.
    #[arg(long, conflicts_with_all = ["list", "again", "kernels", "scenarios"])]
    write: bool,
}

/// Runs the command.
///
/// # Errors
/// A kernel or scenario does not exist; something does not build, or does not pass.
pub fn run(args: &Args) -> Result<()> {
    if args.write {
        return matrix::write();
    }
    let runs = chosen(args)?;
    if args.list {
        let sources = Sources::read()?;
        runs.iter().for_each(|run| list(run, &sources));
        return Ok(());
    }
    let mut unbuilt = BTreeSet::new();
    let mut target = "";
    for (at, run) in runs.iter().enumerate() {
        if run.target.name != target {
            target = run.target.name;
            if !builds(run, args.again)? {
                unbuilt.insert(target);
            }
        }
        if !unbuilt.contains(target) {
            one(run, at, &runs, args.again)?;
        }
    }
    println!("\n{}", matrix::overview(&Results::recorded(&runs), &runs).trim_end());
    let bad = |run: &&Run| Record::load(run).is_none_or(|record| record.problem.is_some());
    let bad = runs.iter().filter(|run| unbuilt.contains(run.target.name) || bad(run)).count();
    ensure!(bad == 0, "{bad} of {} runs did not pass", runs.len());
    Ok(())
}

fn chosen(args: &Args) -> Result<Vec<Run>> {
    let targets = select(&args.kernels)?;
    let scenarios: Vec<_> =
        args.scenarios.iter().map(|name| vm::find(name)).collect::<Result<_>>()?;
    let wanted = |run: &Run| {
        let named = scenarios.iter().any(|s| s.name == run.scenario.name);
        // On a kernel of our own, too, all is run by command.
        let usual = !run.scenario.by_command || run.target.own.is_some();
        targets.iter().any(|target| target.name == run.target.name)
            && (named || scenarios.is_empty() && usual)
    };
    let runs: Vec<_> = matrix::runs().into_iter().filter(wanted).collect();
    if runs.is_empty() {
        let scenario = scenarios.first().context("a kernel without scenarios")?;
        bail!("{} is run on {} only", scenario.name, scenario.targets.join(", "));
    }
    Ok(runs)
}

fn list(run: &Run, sources: &Sources) {
    let state = match Record::load(run) {
        None => "not run".to_owned(),
        Some(Record { problem: Some(problem), date, .. }) => format!("{date}: failed: {problem}"),
        Some(Record { passed, date, seconds, .. }) => {
            let again = if matrix::kept(run, sources).is_none() {
                "; something has changed since"
            } else {
                ""
            };
            format!("{date}: {passed} passed in {seconds} s{again}")
        }
    };
    println!("{:18} {:18} {state}", run.target.name, run.scenario.name);
}

/// Builds for a run's kernel.
fn builds(run: &Run, again: bool) -> Result<bool> {
    let name = run.target.name;
    let bar = sh::progress(&format!("building for {name} as a user's machine does"));
    let (build, error) = matrix::build(run.target, again)?;
    drop(bar);
    match &build.problem {
        Some(problem) => println!("not ok  {name} does not build: {problem}"),
        None => println!(
            "ok      {name} ({}, {}, rustc {}): built in {} s, in {} s with the runtime kept, {} bytes",
            build.release, build.mode, build.rustc, build.cold, build.warm, build.size
        ),
    }
    // All of it, beside its most telling line.
    if let Some(error) = error {
        println!("        {error:#}");
    }
    Ok(build.problem.is_none())
}

/// Runs the one that is at `at` of all, or says what came of it before.
fn one(run: &Run, at: usize, all: &[Run], again: bool) -> Result<()> {
    let name = format!("{}/{}", run.scenario.name, run.target.name);
    let sources = Sources::read()?;
    if let Some(kept) = matrix::kept(run, &sources).filter(|_| !again) {
        println!("kept    {name}: {} passed, {}", kept.passed, kept.date);
        return Ok(());
    }
    let left = all.iter().skip(at).filter(|run| again || matrix::kept(run, &sources).is_none());
    let known = Results::committed()?.merged(Results::recorded(all));
    let seconds: u64 = left.map(|run| known.seconds(run)).sum();
    let left = HumanDuration(Duration::from_secs(seconds));
    let said = format!("{} of {}, about {left} left: {name}", at + 1, all.len());
    let bar = sh::progress(&said);
    let result = matrix::run(run, &mut |line| {
        if let Line::Note(part) = line {
            bar.set_message(format!("{said}: {part}"));
        }
    });
    drop(bar);
    let Record { passed, failed, skipped, problem, seconds, .. } =
        Record::load(run).context("what came of the last run is not there")?;
    match problem {
        None => println!("ok      {name}: {passed} passed, {skipped} skipped in {seconds} s"),
        Some(problem) => println!("not ok  {name}: {passed} passed, {failed} failed: {problem}"),
    }
    match result {
        Ok(outcome) => {
            for (check, reason) in &outcome.failed {
                println!("        {check}: {reason}");
            }
            Ok(())
        }
        // It is in the record, shortened.
        Err(error) => {
            println!("        {error:#}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(kernels: &[&str], scenarios: &[&str]) -> Args {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Args {
            kernels: own(kernels),
            scenarios: own(scenarios),
            again: false,
            list: false,
            write: false,
        }
    }

    #[test]
    fn kernels_and_scenarios_are_chosen() {
        let all = chosen(&args(&[], &[])).unwrap();
        let others = |run: &&Run| run.target.own.is_some() || run.scenario.by_command;
        let runs = matrix::runs();
        assert_eq!(all.len() + runs.iter().filter(others).count(), runs.len());
        let named = |names: &[&str]| chosen(&args(&["debian-6.12"], names)).unwrap().len();
        assert_eq!(named(&["storm"]), 1);
        assert_eq!(chosen(&args(&["sid"], &[])).unwrap().len(), 3);
        let names = |runs: Vec<Run>| -> Vec<_> {
            runs.iter().map(|run| (run.target.name, run.scenario.name)).collect()
        };
        let two = chosen(&args(&["debian-6.12", "sid"], &["demo", "mdev"])).unwrap();
        let wanted = [("debian-6.12", "mdev"), ("debian-6.12", "demo"), ("sid", "mdev")];
        assert_eq!(names(two), wanted);
        for (kernels, scenarios, words) in [
            (&["7.3"][..], &[][..], "no target 7.3; there are"),
            (&[], &["rm"], "no scenario rm; there are"),
            (&["sid"], &["rm-cost-time"], "rm-cost-time is run on debian-6.12 only"),
        ] {
            let error = chosen(&args(kernels, scenarios)).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
