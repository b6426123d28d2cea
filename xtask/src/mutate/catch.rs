// SPDX-License-Identifier: GPL-2.0
//! Running what has to notice, and what it says.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use super::{Catcher, Tree, kernel};
use crate::{markdown::one_line, sh};

/// What was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All is well.
    Nothing,
    /// The first check that does not hold, or else what the machine came to.
    Failure(String),
}

/// What `vm` begins the line of a check with that does not hold.
const FAILED: &str = "not ok  ";

/// How long a test may take, in seconds.
const PATIENCE: &str = "600";

/// What `timeout` exits with where time ran out.
const TIMED_OUT: i32 = 124;

/// Runs `catcher` in `tree`; `watch` is told which part it has come to.
///
/// # Errors
/// The tree does not build, or the machine does not boot: nothing was looked at.
pub fn catch(catcher: Catcher, tree: &Tree, watch: &mut dyn FnMut(&str)) -> Result<Seen> {
    match catcher {
        Catcher::Scenario(name) => scenario(name, tree, watch),
        Catcher::Test { file, name } => test(file, name, tree),
    }
}

/// Has this program run a scenario as if `tree` were its repository.
fn scenario(name: &str, tree: &Tree, watch: &mut dyn FnMut(&str)) -> Result<Seen> {
    let log = Tree::cache().join("vm.log");
    let errors = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    // Not by its path, where another one may have been built meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["vm", "--kernel", kernel()?.name, "--scenario", name])
        .env("CARGO_MANIFEST_DIR", tree.path().join("xtask"))
        .env("VGPU_UNLOCK_CACHE", Tree::cache())
        .stdout(Stdio::piped())
        .stderr(errors)
        // With its machine and its board, which it starts.
        .process_group(0);
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    let stdout = child.stdout.take().context("its standard output")?;
    let mut lines = vec![];
    for line in BufReader::new(stdout).lines() {
        let line = line.context("reading what the scenario says")?;
        if let Some(part) = line.strip_prefix("--- ") {
            watch(part);
        }
        let failed = line.starts_with(FAILED);
        lines.push(line);
        // One is enough, and those behind it may wait long for what does not come any more.
        if failed {
            end(&child);
            break;
        }
    }
    let status = child.wait().context("waiting for the scenario")?;
    let errors = fs::read_to_string(&log).unwrap_or_default();
    judge_scenario(status.success(), &lines, &errors)
}

/// Ends a scenario that is not over, with all that it has started.
fn end(child: &Child) {
    let kill = format!("kill -KILL -{}", child.id());
    // It may just be over.
    let _ = sh::output(Command::new("sh").args(["-c", &kill]));
}

/// What a scenario has come to, by what `vm` prints.
fn judge_scenario(success: bool, lines: &[String], errors: &str) -> Result<Seen> {
    if success {
        return Ok(Seen::Nothing);
    }
    let mut failures = lines.iter().filter_map(|line| line.strip_prefix(FAILED));
    if let Some(first) = failures.next() {
        return Ok(Seen::Failure(one_line(first)));
    }
    // "mdev on debian-6.12: timeout: …", where a machine has run.
    let ran = lines.iter().any(|line| line.contains(" passed, ") && line.contains(" failed, "));
    let said = errors.split_once("Error: ").map_or(errors, |(_, said)| said);
    let why = said.split_once(": ").map_or("", |(_, why)| why);
    ensure!(ran && !why.is_empty() && !why.starts_with("boot failure"), "{}", said.trim());
    // A guest that goes or hangs says less than its kernel.
    let complaint = lines.iter().find(|line| line.starts_with("the kernel complained: "));
    let why = complaint.map_or(why, |line| line.as_str());
    Ok(Seen::Failure(
        one_line(why).trim_end_matches(" its last lines:").trim_end_matches([';', ':']).to_owned(),
    ))
}

fn test(file: Option<&str>, name: &str, tree: &Tree) -> Result<Seen> {
    let cargo = |program: &str| {
        let mut cargo = Command::new(program);
        if program == "timeout" {
            cargo.args([PATIENCE, "cargo"]);
        }
        cargo.current_dir(tree.path()).args(["test", "--package", "vgpu_unlock"]);
        cargo.arg("--target-dir").arg(Tree::cache().join("target"));
        match file {
            Some(file) => cargo.args(["--test", file]),
            None => cargo.arg("--lib"),
        };
        cargo
    };
    sh::output(cargo("cargo").args(["--quiet", "--no-run"]))?;
    let mut run = cargo("timeout");
    let out = run.args(["--", "--exact", name]).output().context("starting cargo test")?;
    judge_test(name, out.status.code(), &String::from_utf8_lossy(&out.stdout))
}

/// What a test has come to, by what its harness prints.
fn judge_test(name: &str, code: Option<i32>, said: &str) -> Result<Seen> {
    let result = |line: &str| {
        let (found, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        (found == name).then(|| result.to_owned())
    };
    match (said.lines().find_map(result).as_deref(), code) {
        (Some("ok"), Some(0)) => Ok(Seen::Nothing),
        (Some("FAILED"), _) => Ok(Seen::Failure("it fails".to_owned())),
        (_, Some(TIMED_OUT)) => Ok(Seen::Failure("it does not end".to_owned())),
        (_, Some(0)) => bail!("there is no test {name}"),
        // A stack that overflows ends the harness.
        _ => Ok(Seen::Failure("it breaks off".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_scenario_is_judged_by_what_it_prints() {
        let failure = |text: &str| Seen::Failure(text.to_owned());
        let ran = "ok      a\n1 passed, 0 failed, 0 skipped in 9s; the kernel's log: b";
        for (success, said, errors, seen) in [
            (true, ran, "", Some(Seen::Nothing)),
            (
                false,
                "ok      a\nnot ok  part: b: 1 is not 2\nnot ok  c: d\n1 passed, 2 failed, 0 skipped",
                "... building\nError: mdev on debian-6.12: 2 checks failed",
                Some(failure("part: b: 1 is not 2")),
            ),
            (
                false,
                ran,
                "... x\nError: mdev on debian-6.12: the kernel complained: BUG: a\nmore",
                Some(failure("the kernel complained: BUG: a")),
            ),
            (
                false,
                "the guest went without a verdict: its last lines:\nPanic\nthe kernel complained: BUG: b\n\
                 0 passed, 0 failed, 0 skipped",
                "Error: mdev on debian-6.12: the guest went without a verdict: its last lines:\nPanic",
                Some(failure("the kernel complained: BUG: b")),
            ),
            (
                false,
                ran,
                "Error: mdev on debian-6.12: timeout: no verdict in 300s; its last lines:\na",
                Some(failure("timeout: no verdict in 300s")),
            ),
            (false, ran, "Error: mdev on debian-6.12: boot failure: init never spoke", None),
            (false, "", "Error: building vgpu_unlock: failed", None),
            (false, "", "", None),
        ] {
            assert_eq!(judge_scenario(success, &lines(said), errors).ok(), seen, "{said} {errors}");
        }
    }

    #[test]
    fn a_test_is_judged_by_its_harness() {
        let failure = |text: &str| Some(Seen::Failure(text.to_owned()));
        for (code, said, seen) in [
            (Some(0), "running 1 test\ntest a::b ... ok\n", Some(Seen::Nothing)),
            (Some(101), "test a::b ... FAILED\n", failure("it fails")),
            (Some(124), "running 1 test\n", failure("it does not end")),
            (Some(101), "running 1 test\n", failure("it breaks off")),
            (None, "", failure("it breaks off")),
            (Some(0), "running 0 tests\n", None),
            (Some(0), "test a::bc ... ok\n", None),
        ] {
            assert_eq!(judge_test("a::b", code, said).ok(), seen, "{code:?} {said}");
        }
    }
}
