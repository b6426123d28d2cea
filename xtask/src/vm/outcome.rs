// SPDX-License-Identifier: GPL-2.0
//! What a run amounts to.

use std::{fmt, fs, path::PathBuf, time::Duration};

use super::{
    console,
    protocol::Line,
    qemu::{End, Exit},
};

/// What kept a run from being a success, apart from checks that do not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The guest never spoke.
    Boot(String),
    /// The guest could not get to its checks, or not to all of them.
    Setup(String),
    /// Time ran out.
    Timeout(String),
    /// The guest ended without a verdict.
    Gone(String),
    /// The kernel complained unannounced.
    Kernel(String),
    /// The kernel is tainted by more or less than announced.
    Taint(String),
    /// The guest's own count differs from what was heard.
    Protocol(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Boot(what) => write!(f, "boot failure: {what}"),
            Problem::Setup(what) => write!(f, "set-up failure: {what}"),
            Problem::Timeout(what) => write!(f, "timeout: {what}"),
            Problem::Gone(what) => write!(f, "the guest went without a verdict: {what}"),
            Problem::Kernel(what) => write!(f, "the kernel complained: {what}"),
            Problem::Taint(what) => write!(f, "unexpected taint: {what}"),
            Problem::Protocol(what) => write!(f, "garbled report: {what}"),
        }
    }
}

/// Everything a run has shown.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Names of the checks that hold.
    pub passed: Vec<String>,
    /// Checks that do not, and why.
    pub failed: Vec<(String, String)>,
    /// Checks that were not made, and why.
    pub skipped: Vec<(String, String)>,
    /// What else went wrong.
    pub problems: Vec<Problem>,
    /// The kernel's log.
    pub console: PathBuf,
    /// From power-on to power-off.
    pub took: Duration,
}

impl Outcome {
    /// Whether all is well.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty() && self.problems.is_empty() && !self.passed.is_empty()
    }
}

/// Judges how a machine ended.
pub fn judge(end: End, took: Duration) -> Outcome {
    let log = String::from_utf8_lossy(&fs::read(&end.console).unwrap_or_default()).into_owned();
    judge_log(&end, &log, took)
}

fn judge_log(end: &End, log: &str, took: Duration) -> Outcome {
    let mut outcome = Outcome { console: end.console.clone(), took, ..Outcome::default() };
    let mut spoke = false;
    let mut verdict = None;
    let mut announced = vec![];
    let mut announced_taint = "";
    let mut taint = None;
    for line in &end.lines {
        match line {
            Line::Hello { .. } => spoke = true,
            Line::Ok(name) => outcome.passed.push(name.clone()),
            Line::NotOk { name, reason } => outcome.failed.push((name.clone(), reason.clone())),
            Line::Skip { name, why } => outcome.skipped.push((name.clone(), why.clone())),
            Line::Note(_) | Line::Show(_) => {}
            Line::Announce(words) => announced.push(words.clone()),
            Line::AnnounceTaint(flags) => announced_taint = flags,
            Line::Taint(flags) => taint = Some(flags),
            Line::SetupFailed(why) => outcome.problems.push(Problem::Setup(why.clone())),
            Line::Verdict { passed, failed, skipped } => {
                verdict = Some((*passed, *failed, *skipped));
            }
            Line::Garbled(text) => outcome.problems.push(Problem::Protocol(text.clone())),
        }
    }

    let tail = || format!("its last lines:\n{}", console::tail(log, 12));
    match (&end.exit, spoke, verdict) {
        (Exit::TimedOut(limit), true, None) => {
            outcome.problems.push(Problem::Timeout(format!("no verdict in {limit:?}; {}", tail())));
        }
        (Exit::TimedOut(limit), true, Some(_)) => {
            outcome
                .problems
                .push(Problem::Timeout(format!("no power-off in {limit:?}; {}", tail())));
        }
        (Exit::Qemu(why), false, _) => {
            outcome
                .problems
                .push(Problem::Boot(format!("QEMU: {why}; the kernel's log: {}", tail())));
        }
        (_, false, _) => {
            outcome.problems.push(Problem::Boot(format!("init never spoke; {}", tail())));
        }
        (Exit::PoweredOff | Exit::Qemu(_), true, None) => {
            outcome.problems.push(Problem::Gone(tail()));
        }
        (Exit::Qemu(why), true, Some(_)) => outcome.problems.push(Problem::Gone(why.clone())),
        (Exit::PoweredOff, true, Some(_)) => {}
    }
    let heard =
        [outcome.passed.len(), outcome.failed.len(), outcome.skipped.len()].map(|n| n as u32);
    if let Some(said) = verdict.filter(|(p, f, s)| [*p, *f, *s] != heard) {
        let text = format!("the guest counted {said:?}, {heard:?} were heard");
        outcome.problems.push(Problem::Protocol(text));
    }
    for complaint in console::complaints(log, &announced) {
        outcome.problems.push(Problem::Kernel(complaint));
    }
    if let Some(flags) = taint {
        let unexpected: String =
            flags.chars().filter(|flag| !announced_taint.contains(*flag)).collect();
        if !unexpected.is_empty() {
            let text = format!("{unexpected} (announced: {announced_taint:?})");
            outcome.problems.push(Problem::Taint(text));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lines: &str, exit: Exit, log: &str) -> Outcome {
        let lines = lines.lines().map(Line::parse).collect();
        let end = End { lines, exit, console: PathBuf::new() };
        judge_log(&end, log, Duration::ZERO)
    }

    fn only_problem(lines: &str, exit: Exit, log: &str) -> Problem {
        let outcome = judged(lines, exit, log);
        assert!(!outcome.is_success());
        assert_eq!(outcome.problems.len(), 1, "{:?}", outcome.problems);
        outcome.problems[0].clone()
    }

    const GOOD: &str = "hello a 6.12\nok b\ntaint\nverdict 1 0 0";

    #[test]
    fn a_verdict_and_nothing_else_is_success() {
        assert!(judged(GOOD, Exit::PoweredOff, "").is_success());
    }

    #[test]
    fn no_check_at_all_is_no_success() {
        let outcome = judged("hello a 6.12\nverdict 0 0 0", Exit::PoweredOff, "");
        assert!(!outcome.is_success());
    }

    #[test]
    fn silence_is_a_boot_failure() {
        let limit = Duration::from_secs(1);
        for exit in [Exit::PoweredOff, Exit::TimedOut(limit), Exit::Qemu("no".into())] {
            assert!(matches!(only_problem("", exit, ""), Problem::Boot(_)));
        }
    }

    #[test]
    fn the_end_without_a_verdict_is_told_from_a_timeout() {
        let lines = "hello a 6.12\nok b";
        assert!(matches!(only_problem(lines, Exit::PoweredOff, ""), Problem::Gone(_)));
        let exit = Exit::TimedOut(Duration::from_secs(1));
        assert!(matches!(only_problem(lines, exit, ""), Problem::Timeout(_)));
    }

    #[test]
    fn a_failed_set_up_is_told_from_a_failed_check() {
        let lines = "hello a 6.12\nsetup-failed no board\nverdict 0 0 0";
        let problem = only_problem(lines, Exit::PoweredOff, "");
        assert_eq!(problem, Problem::Setup("no board".into()));

        let lines = "hello a 6.12\nnot ok b:: c\nverdict 0 1 0";
        let outcome = judged(lines, Exit::PoweredOff, "");
        assert!(!outcome.is_success() && outcome.problems.is_empty());
        assert_eq!(outcome.failed, [("b".to_owned(), "c".to_owned())]);
    }

    #[test]
    fn a_complaint_counts_unless_it_was_announced() {
        let log = "[    1.0] WARNING: at a.c:1";
        let problem = only_problem(GOOD, Exit::PoweredOff, log);
        assert_eq!(problem, Problem::Kernel("WARNING: at a.c:1".into()));
        let announced = format!("announce a.c:1\n{GOOD}");
        assert!(judged(&announced, Exit::PoweredOff, log).is_success());
    }

    #[test]
    fn taint_counts_unless_it_was_announced() {
        let lines = "hello a 6.12\nannounce-taint OE\nok b\ntaint POE\nverdict 1 0 0";
        let problem = only_problem(lines, Exit::PoweredOff, "");
        assert!(matches!(problem, Problem::Taint(text) if text.starts_with("P ")));
    }

    #[test]
    fn a_lost_line_is_noticed() {
        let lines = "hello a 6.12\nok b\nverdict 2 0 0";
        assert!(matches!(only_problem(lines, Exit::PoweredOff, ""), Problem::Protocol(_)));
    }
}
