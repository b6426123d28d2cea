// SPDX-License-Identifier: GPL-2.0
//! Builds the fuzzer and runs its targets.
//!
//! The compiler is the stable one of everything else: that the program's way is counted, which only
//! a nightly offers as an option, is a pass of LLVM's like any other.

mod log;
mod page;

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use fuzz::Target;

use log::Log;
pub use log::Progress;
pub use page::{keep, write};

use crate::{paths, sh};

/// Have every edge counted, with the table that says which edge is which, and comparisons told.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The host's own; but given by name, it keeps cargo from instrumenting build scripts, too.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// An input that takes longer has found something, too.
const TIMEOUT_SECONDS: u32 = 10;

/// The program, and where it keeps what it finds.
pub struct Fuzzer {
    program: PathBuf,
    dir: PathBuf,
}

/// When a target has been run for long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Seconds(u64),
    Executions(u64),
}

impl Limit {
    /// As libFuzzer is told.
    fn argument(self) -> String {
        match self {
            // It goes on until more than this has gone by, and 0 would be for ever.
            Limit::Seconds(seconds) => {
                format!("-max_total_time={}", seconds.saturating_sub(1).max(1))
            }
            Limit::Executions(count) => format!("-runs={count}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Seconds(seconds) => write!(f, "{seconds} s"),
            Limit::Executions(count) => write!(f, "{count} executions"),
        }
    }
}

/// What came of a target.
pub struct Run {
    /// Where it came to.
    pub progress: Progress,
    /// What was covered by the corpus at the start.
    pub covered_before: u64,
    /// Inputs in the corpus at the start.
    pub corpus_before: u64,
    /// How long it took.
    pub took: Duration,
    /// What broke a promise.
    pub crash: Option<Crash>,
}

/// An input that breaks a promise.
pub struct Crash {
    /// What was said about it.
    pub message: String,
    /// The input, made as small as was possible in a few seconds.
    pub input: PathBuf,
}

impl Run {
    /// Executions in a second.
    pub fn rate(&self) -> u64 {
        // Whole numbers are exact enough.
        (u128::from(self.progress.executions) * 1000 / self.took.as_millis().max(1)) as u64
    }
}

impl Fuzzer {
    /// Compiles it.
    ///
    /// # Errors
    /// It does not compile.
    pub fn build() -> Result<Self> {
        let _bar = sh::progress("building the fuzzer");
        let target_dir = paths::cache().join("target-fuzz");
        sh::output(
            Command::new("cargo")
                .current_dir(paths::repo())
                .args([
                    "build",
                    "--quiet",
                    "--profile",
                    "fuzz",
                    "--package",
                    "fuzz",
                    "--bin",
                    "fuzz",
                ])
                .args(["--features", "libfuzzer", "--target", TRIPLE, "--target-dir"])
                .arg(&target_dir)
                .env("RUSTFLAGS", INSTRUMENTATION),
        )?;
        let program = target_dir.join(TRIPLE).join("fuzz/fuzz");
        Ok(Self { program, dir: paths::cache().join("fuzz") })
    }

    /// Runs a target for a while, or until it breaks a promise; then makes the input smaller.
    ///
    /// # Errors
    /// The fuzzer can't be run, or sees nothing of where the program goes.
    pub fn run(
        &self,
        target: &Target,
        limit: Limit,
        show: &mut dyn FnMut(&Progress),
    ) -> Result<Run> {
        self.run_in(&self.dir, target, limit, show)
    }

    /// Looks for the planted bug, knowing nothing but its seed, and says how many executions that
    /// took.
    ///
    /// # Errors
    /// It is not found.
    pub fn self_test(&self) -> Result<u64> {
        const LIMIT: Limit = Limit::Seconds(60);
        let dir = self.dir.join("selftest");
        // Of the time before, it must not remember where the bug is.
        let _ = fs::remove_dir_all(&dir);
        let run = self.run_in(&dir, fuzz::SELFTEST, LIMIT, &mut |_| {})?;
        match run.crash {
            Some(crash) if crash.message.contains(fuzz::PLANTED) => Ok(run.progress.executions),
            Some(crash) => bail!("something else was found: {}", crash.message),
            None => bail!("not found by {} executions", run.progress.executions),
        }
    }

    /// Runs a target once, on a file.
    ///
    /// # Errors
    /// It breaks a promise, which is the error; or the file can't be read.
    pub fn replay(&self, target: &Target, input: &Path) -> Result<()> {
        let input = input.canonicalize().with_context(|| format!("reading {}", input.display()))?;
        let output = self.command(target).arg(input).output().context("starting the fuzzer")?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let mut log = Log::default();
            text.lines().for_each(|line| log.read(line));
            bail!("{}: {}", target.name, log.message());
        }
        Ok(())
    }

    fn command(&self, target: &Target) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env(fuzz::TARGET_VARIABLE, target.name)
            .current_dir(&self.dir)
            .arg(format!("-timeout={TIMEOUT_SECONDS}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn run_in(
        &self,
        dir: &Path,
        target: &Target,
        limit: Limit,
        show: &mut dyn FnMut(&Progress),
    ) -> Result<Run> {
        let place = |kind: &str| dir.join(kind).join(target.name);
        let (corpus, seeds, crashes) = (place("corpus"), place("seeds"), place("crashes"));
        let _ = fs::remove_dir_all(&seeds);
        for dir in [&corpus, &seeds, &crashes, &dir.join("words"), &dir.join("log")] {
            fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        }
        for (i, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(seeds.join(i.to_string()), seed).context("writing seeds")?;
        }
        fs::write(place("words"), dictionary(&(target.words)())).context("writing words")?;

        let mut command = self.command(target);
        if !(target.words)().is_empty() {
            // An empty file is refused.
            command.arg(format!("-dict={}", place("words").display()));
        }
        let start = Instant::now();
        let mut child = command
            // Not where one file is run: libFuzzer's minimising can't do with it.
            .arg(format!("-max_len={}", target.max_len))
            .arg(limit.argument())
            // With the separator at its end: it is put in front of a name as it is.
            .arg(format!("-artifact_prefix={}/", crashes.display()))
            .arg("-print_final_stats=1")
            .args([&corpus, &seeds])
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the fuzzer")?;
        let mut log = Log::default();
        let mut text = String::new();
        if let Some(stderr) = child.stderr.take() {
            for line in BufReader::new(stderr).split(b'\n') {
                let line = line.context("reading the fuzzer's output")?;
                let line = String::from_utf8_lossy(&line);
                log.read(&line);
                show(&log.progress);
                text.push_str(&line);
                text.push('\n');
            }
        }
        let status = child.wait().context("waiting for the fuzzer")?;
        let took = start.elapsed();
        fs::write(place("log"), &text).context("writing the log")?;

        let crash = match &log.input {
            Some(input) => {
                let input = self.minimise(target, Path::new(input));
                Some(Crash { message: log.message(), input })
            }
            None if !status.success() => {
                bail!("the fuzzer ended with {status}, see {}", place("log").display())
            }
            None => None,
        };
        // What breaks a promise before any input was run to its end has covered nothing yet.
        if log.counters == 0 || crash.is_none() && log.progress.covered <= 1 {
            bail!("nothing is instrumented, see {}", place("log").display());
        }
        Ok(Run {
            progress: log.progress,
            covered_before: log.covered_before,
            corpus_before: log.corpus_before,
            took,
            crash,
        })
    }

    /// A smaller input that breaks a promise, or the one given.
    fn minimise(&self, target: &Target, input: &Path) -> PathBuf {
        const SECONDS: u32 = 5;
        let smaller = input.with_extension("min");
        let _ = self
            .command(target)
            .args(["-minimize_crash=1", &format!("-max_total_time={SECONDS}")])
            .arg(format!("-exact_artifact_path={}", smaller.display()))
            .arg(input)
            .stderr(Stdio::null())
            .status();
        if smaller.is_file() && self.replay(target, &smaller).is_err() {
            return smaller;
        }
        // What is left there where nothing smaller was found.
        let _ = fs::remove_file(&smaller);
        input.to_owned()
    }
}

/// Words as libFuzzer reads them: in quotation marks, and everything but letters and digits escaped.
fn dictionary(words: &[&str]) -> String {
    let mut lines = String::new();
    for word in words {
        lines.push('"');
        for byte in word.bytes() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => lines.push(char::from(byte)),
                _ => lines.push_str(&format!("\\x{byte:02X}")),
            }
        }
        lines.push_str("\"\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        assert_eq!(dictionary(&["vm/1", "a\"\\"]), "\"vm\\x2F1\"\n\"a\\x22\\x5C\"\n");
        assert_eq!(dictionary(&[]), "");
    }
}
