// SPDX-License-Identifier: GPL-2.0
//! What libFuzzer prints while it runs.

/// How far the fuzzer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Inputs that were run.
    pub executions: u64,
    /// Counters that are not zero: edges that some input of the corpus takes.
    pub covered: u64,
    /// Inputs in the corpus.
    pub corpus: u64,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Log {
    pub progress: Progress,
    /// Counters in the program.
    pub counters: u64,
    /// `covered` and `corpus` when all known inputs were run, and none was made yet.
    pub covered_before: u64,
    pub corpus_before: u64,
    /// The file with the input that broke a promise.
    pub input: Option<String>,
    /// The panic's place and message.
    panic: Vec<String>,
    /// What libFuzzer says that went wrong.
    error: Option<String>,
}

impl Log {
    /// Takes a line.
    pub fn read(&mut self, line: &str) {
        if line.starts_with('#') {
            self.status(line);
        } else if let Some(rest) = line.strip_prefix("INFO: Loaded 1 modules") {
            let counters = rest.trim_start().trim_start_matches('(');
            self.counters = number(counters).unwrap_or(0);
        } else if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            // Also there after a crash, and exact.
            self.progress.executions = number(executions.trim()).unwrap_or(0);
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.input = Some(path.trim().to_owned());
        } else if let Some((_, error)) = line.split_once("ERROR: libFuzzer: ") {
            self.error = Some(error.to_owned());
        } else if line.contains("panicked at ") {
            self.panic = vec![line.to_owned()];
        } else if (1..4).contains(&self.panic.len()) && self.error.is_none() {
            // The message itself has up to three lines: what should be equal, and both sides.
            if !line.starts_with("note:") && !line.is_empty() {
                self.panic.push(line.trim().to_owned());
            }
        }
    }

    /// What went wrong, as far as anybody said.
    pub fn message(&self) -> String {
        if self.panic.is_empty() {
            self.error.clone().unwrap_or_else(|| "the fuzzer failed".to_owned())
        } else {
            self.panic.join(" ")
        }
    }

    /// `#8\tNEW    cov: 16 ft: 16 corp: 7/22b lim: 4 ...`
    fn status(&mut self, line: &str) {
        let field = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            number(rest.trim_start())
        };
        let (Some(executions), Some(covered)) = (number(&line[1..]), field(" cov:")) else {
            return;
        };
        let corpus = field(" corp:").unwrap_or(0);
        self.progress = Progress { executions, covered, corpus };
        if line.contains("INITED") {
            (self.covered_before, self.corpus_before) = (covered, corpus);
        }
    }
}

/// The number that a text begins with.
fn number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Log {
        let mut log = Log::default();
        text.lines().for_each(|line| log.read(line));
        log
    }

    #[test]
    fn a_run_without_findings_is_read() {
        let log = log("INFO: Loaded 1 modules   (7176 inline 8-bit counters): 7176 [0x1, 0x2), \n\
            #2\tINITED cov: 28 ft: 30 corp: 1/1b exec/s: 0 rss: 28Mb\n\
            #3\tNEW    cov: 36 ft: 36 corp: 2/2b lim: 4 exec/s: 0 rss: 28Mb L: 1/1 MS: 1 X-\n\
            #1307082\tDONE   cov: 209 ft: 740 corp: 317/9821b lim: 700 exec/s: 261416 rss: 28Mb\n\
            Done 1307082 runs in 5 second(s)\n\
            stat::number_of_executed_units: 1307083\n");
        assert_eq!(log.counters, 7176);
        assert_eq!((log.covered_before, log.corpus_before), (28, 1));
        assert_eq!(log.progress, Progress { executions: 1_307_083, covered: 209, corpus: 317 });
        assert_eq!(log.input, None);
    }

    #[test]
    fn a_finding_is_read() {
        let log = log("#251919\tREDUCE cov: 16 ft: 16 corp: 7/22b lim: 2435 exec/s: 0\n\
            \n\
            thread '<unnamed>' panicked at tests/fuzz/src/target/sizes.rs:42:17:\n\
            assertion `left == right` failed\n\
            \x20 left: 1\n\
            \x20right: 2\n\
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\
            ==15330== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='/x/'; Test unit written to /x/crash-daa6\n");
        assert_eq!(log.input.as_deref(), Some("/x/crash-daa6"));
        assert!(
            log.message().ends_with("42:17: assertion `left == right` failed left: 1 right: 2")
        );
        assert_eq!(log.progress.covered, 16);
    }

    #[test]
    fn what_is_no_panic_has_a_message_too() {
        let log = log("==1== ERROR: libFuzzer: timeout after 10 seconds\n");
        assert_eq!(log.message(), "timeout after 10 seconds");
        assert!(Log::default().message().contains("failed"));
    }
}
