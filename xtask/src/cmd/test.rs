// SPDX-License-Identifier: GPL-2.0
//! `test`: everything, or some of it. Each check is a line, the last line counts them.

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args as ClapArgs, ValueEnum};

use super::fuzz as fuzz_cmd;
use crate::{
    driver,
    fuzzing::Fuzzer,
    kernel,
    matrix::{self, Choice, Day, Results, Run},
    package, paths, sh,
    vm::{self, Line},
};

/// Run all tests, or those of the given kinds. Without a kind, DKMS and packages take turns by the day, as does what
/// is run outside of the stable kernel.
#[derive(ClapArgs)]
pub struct Args {
    /// Kinds of tests; all, unless given.
    kinds: Vec<Kind>,
    /// What is run outside of the stable kernel: a slice by its number, "all", or "today".
    #[arg(long, value_name = "SLICE", env = "VGPU_UNLOCK_SLICE", default_value = "today")]
    slice: Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Formatting, lints and cargo's tests.
    Unit,
    /// A minute of fuzzing.
    Fuzz,
    /// `inspect` on real drivers.
    Inspect,
    /// What can be seen of the built module without loading it.
    Module,
    /// Installing, building and removing with DKMS.
    Dkms,
    /// Building packages, installing, upgrading and removing them.
    Packages,
    /// Scenarios in virtual machines.
    Vm,
}

impl Kind {
    const ALL: [Kind; 7] =
        [Kind::Unit, Kind::Fuzz, Kind::Inspect, Kind::Module, Kind::Dkms, Kind::Packages, Kind::Vm];
}

/// What came of the checks so far.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn record(&mut self, name: &str, result: Result<()>) {
        match result {
            Ok(()) => {
                self.passed += 1;
                println!("ok      {name}");
            }
            Err(error) => {
                self.failed += 1;
                println!("not ok  {name}: {error:#}");
            }
        }
    }

    fn skip(&mut self, name: &str, why: &str) {
        self.skipped += 1;
        println!("skip    {name}: {why}");
    }
}

/// Runs the command.
///
/// # Errors
/// A check fails.
pub fn run(args: &Args) -> Result<()> {
    let mut tally = Tally::default();
    // Those that are asked for have no turns.
    let left_out = match args.slice.second_of_two()?.filter(|_| args.kinds.is_empty()) {
        Some(true) => Some((Kind::Dkms, "DKMS", "scripts/test dkms")),
        Some(false) => Some((Kind::Packages, "packages", "scripts/test packages")),
        None => None,
    };
    for kind in Kind::ALL {
        if !args.kinds.is_empty() && !args.kinds.contains(&kind) {
            continue;
        }
        if let Some((_, name, command)) = left_out.filter(|(other, ..)| *other == kind) {
            tally.skip(name, &format!("it is the others' turn today; {command} runs it"));
            continue;
        }
        match kind {
            Kind::Unit => unit(&mut tally),
            Kind::Fuzz => fuzz(&mut tally),
            Kind::Inspect => inspect_drivers(&mut tally),
            Kind::Module => modules(&mut tally, args.slice),
            Kind::Dkms => {
                script(&mut tally, "DKMS", "DKMS: add, install, remove", kernel::dkms_test::run);
            }
            Kind::Packages => {
                script(&mut tally, "packages", "packages: build and install", package::test);
            }
            Kind::Vm => machines(&mut tally, args.slice),
        }
    }
    let Tally { passed, failed, skipped } = tally;
    let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{passed} passed, {failed} failed{skips}");
    if failed > 0 {
        bail!("{failed} checks failed");
    }
    Ok(())
}

fn unit(tally: &mut Tally) {
    let commands: [(&str, &[&str]); 3] = [
        ("formatting", &["fmt", "--all", "--check"]),
        ("lints", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ("unit tests build", &["test", "--quiet", "--workspace", "--no-run"]),
    ];
    for (name, arguments) in commands {
        let bar = sh::progress(name);
        let mut cargo = Command::new("cargo");
        let result = sh::output(cargo.current_dir(paths::repo()).args(arguments)).map(drop);
        drop(bar);
        tally.record(name, result);
    }
    tally.record("shell lints", shell_lints());
    tally.record("bindings are what the shim says", kernel::bindings::check());
    cargo_tests(tally);
}

fn shell_lints() -> Result<()> {
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.current_dir(paths::repo()).args(["--shell=bash", "dkms.conf"]);
    for dir in ["scripts", "tests/dkms", "tests/packages", ".ci"] {
        let entries = std::fs::read_dir(paths::repo().join(dir));
        for entry in entries.with_context(|| format!("reading {dir}"))? {
            let path = entry?.path();
            if path.is_file() {
                shellcheck.arg(path);
            }
        }
    }
    shellcheck.arg("scripts/packages/crates");
    sh::output(&mut shellcheck).map(drop)
}

/// Every test of the workspace as a check of its own.
fn cargo_tests(tally: &mut Tally) {
    let bar = sh::progress("unit tests");
    let out = Command::new("cargo")
        .current_dir(paths::repo())
        .args(["test", "--workspace", "--no-fail-fast"])
        .output();
    drop(bar);
    let out = match out.context("starting cargo test") {
        Ok(out) => out,
        Err(error) => return tally.record("unit tests", Err(error)),
    };
    let text = String::from_utf8_lossy(&out.stdout);
    let failed_before = tally.failed;
    let mut found = 0;
    for (name, result) in text.lines().filter_map(test_line) {
        found += 1;
        match result {
            "ok" => tally.record(&format!("unit: {name}"), Ok(())),
            "ignored" => tally.skip(&format!("unit: {name}"), "its source says so"),
            _ => {
                let failure = failure_text(&text, name);
                tally.record(&format!("unit: {name}"), Err(anyhow::anyhow!("{failure}")));
            }
        }
    }
    if found == 0 || (!out.status.success() && tally.failed == failed_before) {
        let said = String::from_utf8_lossy(&out.stderr);
        tally.record("unit tests", Err(anyhow::anyhow!("cargo test: {}\n{said}", out.status)));
    }
}

/// Name and result in a line of the test harness.
fn test_line(line: &str) -> Option<(&str, &str)> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    // "ignored, reason"
    Some((name, result.split(',').next().unwrap_or(result)))
}

/// What the harness says about a failed test.
fn failure_text<'a>(text: &'a str, name: &str) -> &'a str {
    let header = format!("---- {name} stdout ----");
    let rest = text.split_once(&header).map_or("", |(_, rest)| rest);
    rest.trim_start().split("\n\n").next().unwrap_or_default().trim()
}

/// A check for each target. First of all, that the fuzzer finds what there is to find.
fn fuzz(tally: &mut Tally) {
    let fuzzer = match Fuzzer::build() {
        Ok(fuzzer) => fuzzer,
        Err(error) => return tally.record("fuzz: the fuzzer builds", Err(error)),
    };
    tally.record("fuzz: the fuzzer finds a planted bug", fuzzer.self_test().map(drop));
    for (target, limit) in fuzz_cmd::shares(&fuzz::TARGETS, fuzz_cmd::SECONDS) {
        let run = fuzz_cmd::one(&fuzzer, target, limit);
        let name = match &run {
            Ok(run) => format!("fuzz: {}", fuzz_cmd::summary(target, run)),
            Err(_) => format!("fuzz: {}", target.name),
        };
        let result = run.and_then(|run| match fuzz_cmd::finding(target, &run) {
            Some(found) => bail!(found),
            None => Ok(()),
        });
        tally.record(&name, result);
    }
}

fn inspect_drivers(tally: &mut Tally) {
    for package in driver::PACKAGES {
        match driver::blob(package) {
            Ok(blob) => {
                for check in driver::real_drivers_test(package.version, &blob) {
                    tally.record(&check.name, check.result);
                }
            }
            Err(error) => tally.record(&format!("inspect {}", package.version), Err(error)),
        }
    }
    tally.record("docs/signatures.md is what the drivers say", driver::signatures::check());
}

/// The checks are a script's, which prints a line each.
fn script(
    tally: &mut Tally,
    kind: &str,
    about: &str,
    run: impl FnOnce(&mut dyn FnMut(&str)) -> Result<()>,
) {
    let bar = sh::progress(about);
    let result = run(&mut |line| match Line::parse(line) {
        Line::Ok(name) => bar.suspend(|| tally.record(&format!("{kind}: {name}"), Ok(()))),
        Line::NotOk { name, reason } => bar.suspend(|| {
            tally.record(&format!("{kind}: {name}"), Err(anyhow::anyhow!(reason)));
        }),
        Line::Show(text) => bar.suspend(|| println!("        {text}")),
        Line::Note(text) => bar.set_message(format!("{kind}: {text}")),
        other => bar.suspend(|| {
            tally.record(&format!("{kind}: output"), Err(anyhow::anyhow!("unexpected: {other:?}")));
        }),
    });
    drop(bar);
    if let Err(error) = result {
        tally.record(kind, Err(error));
    }
}

/// A check for each thing that a kernel wants of its modules, on all kernels that are booted with ours.
fn modules(tally: &mut Tally, slice: Choice) {
    let Some(day) = day(tally, slice) else { return };
    let booted = |target: &&kernel::Target| {
        let mut with_ours = day.runs.iter().filter(|run| run.scenario.unlock);
        with_ours.any(|run| run.target.name == target.name)
    };
    for target in kernel::TARGETS.iter().filter(booted) {
        let checks = kernel::prepare(target).and_then(|kernel| kernel::object::checks(&kernel));
        let name = format!("module for {}: built without a warning", target.name);
        match checks {
            Ok(checks) => {
                tally.record(&name, Ok(()));
                for check in checks {
                    tally.record(&check.name, check.result);
                }
            }
            Err(error) => tally.record(&name, Err(error)),
        }
    }
}

/// All that is run every time, and of the rest of the matrix what has its turn.
fn machines(tally: &mut Tally, slice: Choice) {
    let Some(day) = day(tally, slice) else { return };
    for run in &day.runs {
        machine(tally, run);
    }
    for (kernel, left, command) in left_out(&day.left) {
        let why = format!("left to other days (this is {}): {command}", day.slice);
        tally.skip(&format!("{kernel}: {left}"), &why);
    }
}

/// What has its turn; where there is no telling, that is a failed check.
fn day(tally: &mut Tally, slice: Choice) -> Option<Day> {
    match Results::committed().and_then(|known| Day::new(slice, &known)) {
        Ok(day) => Some(day),
        Err(error) => {
            tally.record("which scenarios have their turn", Err(error));
            None
        }
    }
}

/// For each kernel: what of `left` is on it, and what runs it.
fn left_out(left: &[Run]) -> Vec<(&'static str, String, String)> {
    kernel::TARGETS
        .iter()
        .filter_map(|target| {
            let of_target = left.iter().filter(|run| run.target.name == target.name);
            let names: Vec<_> = of_target.map(|run| run.scenario.name).collect();
            let command = format!(
                "scripts/in-root cargo xtask matrix --kernel {} --scenario {}",
                target.name,
                names.join(" ")
            );
            (!names.is_empty()).then(|| (target.name, names.join(", "), command))
        })
        .collect()
}

/// Runs a scenario. Where it is meant to fail, its being told so is the only check.
fn machine(tally: &mut Tally, run: &Run) {
    let scenario = run.scenario;
    let name = format!("{}/{}", scenario.name, run.target.name);
    let bar = sh::progress(&name);
    let outcome = matrix::run(run, &mut |line| {
        if let Line::Note(part) = line {
            bar.set_message(format!("{name}: {part}"));
        }
    });
    drop(bar);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return tally.record(&name, Err(error)),
    };
    if scenario.expect == vm::Expect::Success {
        for check in &outcome.passed {
            tally.record(&format!("{name}: {check}"), Ok(()));
        }
        for (check, reason) in &outcome.failed {
            tally.record(&format!("{name}: {check}"), Err(anyhow::anyhow!("{reason}")));
        }
        for (check, why) in &outcome.skipped {
            tally.skip(&format!("{name}: {check}"), why);
        }
        for problem in &outcome.problems {
            let console = outcome.console.display();
            let error = anyhow::anyhow!("{problem} (the kernel's log: {console})");
            tally.record(&name, Err(error));
        }
    }
    let why = scenario.unexpected(&outcome);
    let result = why.map_or(Ok(()), |why| Err(anyhow::anyhow!(why)));
    tally.record(&format!("{name}: {} ({:.0?})", scenario.about, outcome.took), result);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_lines_are_read() {
        assert_eq!(test_line("test a::b ... ok"), Some(("a::b", "ok")));
        assert_eq!(test_line("test a ... ignored, slow"), Some(("a", "ignored")));
        assert_eq!(test_line("test src/lib.rs - a (line 3) ... ok").unwrap().1, "ok");
        assert_eq!(test_line("test result: ok. 3 passed; 0 failed"), None);
    }

    #[test]
    fn what_is_left_out_is_said_once_a_kernel_with_its_command() {
        let of = |target: &str, names: &[&str]| -> Vec<Run> {
            let wanted =
                |run: &Run| run.target.name == target && names.contains(&run.scenario.name);
            matrix::runs().into_iter().filter(wanted).collect()
        };
        let left = [of("sid", &["mdev"]), of("debian-7.3", &["mdev", "standin"])].concat();
        let said = left_out(&left);
        let kernels: Vec<_> = said.iter().map(|(kernel, ..)| *kernel).collect();
        assert_eq!(kernels, ["debian-7.3", "sid"]);
        assert_eq!(said[0].1, "standin, mdev");
        let command =
            "scripts/in-root cargo xtask matrix --kernel debian-7.3 --scenario standin mdev";
        assert_eq!(said[0].2, command);
        assert!(left_out(&[]).is_empty());
    }

    #[test]
    fn a_failure_is_quoted() {
        let text = "failures:\n\n---- a::b stdout ----\n\nthread panicked\nleft: 1\n\n\nfailures:";
        assert_eq!(failure_text(text, "a::b"), "thread panicked\nleft: 1");
    }
}
