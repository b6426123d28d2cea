// SPDX-License-Identifier: GPL-2.0
//! DKMS with our package, in throw-away copies of users' machines: tests/dkms.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, ensure};

use crate::{paths, root::Root};

/// What the checks call them, and which they are.
pub const SYSTEMS: [(&str, Root); 2] = [("debian-12", Root::User12), ("debian-13", Root::User13)];

/// What the checks print, behind the system's name, when all that is measured is done: they wait then.
const MEASURED: &str = "measured";

/// Runs the checks in all systems and hands every line they print to `report`, as it comes.
///
/// The lines are those of the guest's protocol: `ok`, `not ok`, `note` and `show`. What is measured is measured
/// while nothing else runs, the rest is done in all systems at the same time.
///
/// # Errors
/// A system cannot be made. A failed check is none.
pub fn run(report: &mut dyn FnMut(&str)) -> Result<()> {
    let mut waiting = Vec::new();
    for (name, root) in SYSTEMS {
        let mut checks = Checks::start(name, root)?;
        checks.report_until(&format!("note {name}: {MEASURED}"), report)?;
        waiting.push(checks);
    }
    let (sender, receiver) = mpsc::channel();
    let running: Vec<_> = waiting
        .into_iter()
        .map(|checks| {
            let sender = sender.clone();
            thread::spawn(move || checks.go_on(&sender))
        })
        .collect();
    drop(sender);
    for line in receiver {
        report(&line);
    }
    for checks in running {
        checks.join().map_err(|_| anyhow::anyhow!("reading what the checks print panicked"))??;
    }
    Ok(())
}

/// The checks in one system.
struct Checks {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Checks {
    fn start(name: &'static str, root: Root) -> Result<Self> {
        let mut child = Command::new(paths::repo().join("tests/dkms/run"))
            .arg(name)
            .arg(root.path()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting tests/dkms/run")?;
        let stdout = child.stdout.take().context("tests/dkms/run has no output")?;
        Ok(Self { name, child, lines: BufReader::new(stdout).lines() })
    }

    fn report_until(&mut self, last: &str, report: &mut dyn FnMut(&str)) -> Result<()> {
        for line in self.lines.by_ref() {
            let line = line.context("reading the output of tests/dkms/run")?;
            if line == last {
                break;
            }
            report(&line);
        }
        Ok(())
    }

    /// Lets them go on to their end.
    fn go_on(mut self, lines: &mpsc::Sender<String>) -> Result<()> {
        // They wait for the end of their input.
        drop(self.child.stdin.take());
        for line in self.lines {
            // Nobody listens any more only when there was an error elsewhere.
            let _ = lines.send(line.context("reading the output of tests/dkms/run")?);
        }
        let status = self.child.wait().context("waiting for tests/dkms/run")?;
        ensure!(status.success(), "tests/dkms/run {} failed ({status})", self.name);
        Ok(())
    }
}
