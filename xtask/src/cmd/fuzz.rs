// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask fuzz`: what do the pure files make of bytes that nobody thought of?

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args as ClapArgs, builder::PossibleValuesParser};
use fuzz::Target;

use crate::{
    fuzzing::{self, Fuzzer, Limit, Run},
    sh,
};

/// Fuzz the module's pure files. What is found stays in the cache, and is where the next run begins.
#[derive(ClapArgs)]
pub struct Args {
    /// Seconds for all targets together.
    #[arg(long, value_name = "N", default_value_t = SECONDS)]
    seconds: u64,
    /// Executions of each target, instead, which are kept for `--write`.
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    executions: Option<u64>,
    /// Run nothing; write the table in docs/fuzzing.md.
    #[arg(long)]
    write: bool,
    /// Run one target on this file only, once.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Targets; all, unless given.
    #[arg(value_name = "TARGET", value_parser = PossibleValuesParser::new(names()))]
    targets: Vec<String>,
}

/// How long all targets are run, unless someone says something else.
pub const SECONDS: u64 = 60;

fn names() -> impl Iterator<Item = &'static str> {
    fuzz::TARGETS.into_iter().chain([fuzz::SELFTEST]).map(|target| target.name)
}

/// Runs the command.
///
/// # Errors
/// A promise is broken, or the fuzzer does not build or run.
pub fn run(args: &Args) -> Result<()> {
    if args.write {
        return fuzzing::write();
    }
    let chosen: Vec<&Target> = args.targets.iter().filter_map(|name| fuzz::find(name)).collect();
    if let Some(input) = &args.input {
        let [target] = chosen[..] else { bail!("--input wants one target, whose input it is") };
        Fuzzer::build()?.replay(target, input)?;
        println!("{}: no promise is broken", target.name);
        return Ok(());
    }
    let fuzzer = Fuzzer::build()?;
    println!("the planted bug was found after {} executions", fuzzer.self_test()?);
    let chosen = if chosen.is_empty() { fuzz::TARGETS.to_vec() } else { chosen };
    let mut broken = vec![];
    let limits: Vec<(&Target, Limit)> = match args.executions {
        Some(count) => chosen.iter().map(|target| (*target, Limit::Executions(count))).collect(),
        None => shares(&chosen, args.seconds).collect(),
    };
    for (target, limit) in limits {
        let run = one(&fuzzer, target, limit)?;
        if args.executions.is_some() {
            fuzzing::keep(target, &run)?;
        }
        println!("{}", summary(target, &run));
        if let Some(found) = finding(target, &run) {
            println!("{found}");
            broken.push(target.name);
        }
    }
    if !broken.is_empty() {
        bail!("promises are broken: {}", broken.join(", "));
    }
    Ok(())
}

/// Each target with its part of the time, which is a second at least.
pub fn shares<'a>(
    targets: &[&'a Target],
    seconds: u64,
) -> impl Iterator<Item = (&'a Target, Limit)> {
    let count = targets.len() as u64;
    let until = move |n: u64| seconds * n / count;
    let share = move |n: u64| Limit::Seconds((until(n + 1) - until(n)).max(1));
    targets.iter().zip(0..).map(move |(&target, n)| (target, share(n)))
}

/// Runs one target, and shows that it lives.
///
/// # Errors
/// As [`Fuzzer::run`].
pub fn one(fuzzer: &Fuzzer, target: &Target, limit: Limit) -> Result<Run> {
    let bar = sh::progress(&format!("fuzzing {} for {limit}", target.name));
    fuzzer.run(target, limit, &mut |progress| {
        bar.set_message(format!(
            "fuzzing {} for {limit}: {} executions, {} edges",
            target.name, progress.executions, progress.covered
        ));
    })
}

/// A line about a run.
pub fn summary(target: &Target, run: &Run) -> String {
    format!(
        "{:10} {:>10} executions, {:>7}/s, edges {:>4} -> {:>4}, corpus {:>5} -> {:>5}",
        target.name,
        run.progress.executions,
        run.rate(),
        run.covered_before,
        run.progress.covered,
        run.corpus_before,
        run.progress.corpus
    )
}

/// What a run has found, and how to have it again.
pub fn finding(target: &Target, run: &Run) -> Option<String> {
    let crash = run.crash.as_ref()?;
    let input = crash.input.display();
    Some(format!(
        "{}\ninput: {input}\nto reproduce: cargo xtask fuzz --input {input} {}",
        crash.message, target.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_divided_without_a_rest() {
        for seconds in [60, 61, 600] {
            let seconds_of = |limit| match limit {
                Limit::Seconds(seconds) => seconds,
                Limit::Executions(count) => panic!("{count} executions"),
            };
            let shares: Vec<u64> =
                shares(&fuzz::TARGETS, seconds).map(|(_, limit)| seconds_of(limit)).collect();
            assert_eq!(shares.len(), fuzz::TARGETS.len());
            assert_eq!(shares.iter().sum::<u64>(), seconds);
        }
        assert!(shares(&fuzz::TARGETS, 0).all(|(_, limit)| limit == Limit::Seconds(1)));
    }
}
