// SPDX-License-Identifier: GPL-2.0
//! The line protocol that the host reads; its other end is xtask's `vm/protocol.rs`.

use std::{
    fmt::Display,
    fs::{File, OpenOptions},
    io::Write,
};

use anyhow::{Context, Result};

/// What was found, said line by line as it is found.
pub struct Report {
    host: File,
    /// Prefix of every check's name: which part of the scenario it belongs to.
    part: String,
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Report {
    pub fn open(path: &str) -> Result<Self> {
        let host = OpenOptions::new()
            .write(true)
            .open(path)
            .with_context(|| format!("opening {path}, where the host listens"))?;
        Ok(Self { host, part: String::new(), passed: 0, failed: 0, skipped: 0 })
    }

    /// The host learns from the silence when a line is lost.
    fn line(&mut self, line: impl Display) {
        let line = line.to_string().replace('\n', " / ");
        let _ = writeln!(self.host, "{line}");
    }

    pub fn hello(&mut self, scenario: &str, release: &str) {
        self.line(format_args!("hello {scenario} {release}"));
    }

    /// What follows belongs to `part`.
    pub fn part(&mut self, part: &str) {
        self.part = format!("{part}: ");
        self.line(format_args!("note {part}"));
    }

    /// Runs one check. Returns whether it passed.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> bool {
        let name = format!("{}{name}", self.part);
        match check() {
            Ok(()) => {
                self.passed += 1;
                self.line(format_args!("ok {name}"));
                true
            }
            Err(error) => {
                self.failed += 1;
                self.line(format_args!("not ok {name}:: {error:#}"));
                false
            }
        }
    }

    pub fn skip(&mut self, name: &str, why: &str) {
        self.skipped += 1;
        let part = self.part.clone();
        self.line(format_args!("skip {part}{name}:: {why}"));
    }

    /// Text for a person who watches.
    pub fn show(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format_args!("show {line}"));
        }
    }

    /// These taint flags are meant to be set at the end.
    pub fn announce_taint(&mut self, flags: &str) {
        self.line(format_args!("announce-taint {flags}"));
    }

    pub fn taint(&mut self, flags: String) {
        self.line(format_args!("taint {flags}"));
    }

    pub fn setup_failed(&mut self, error: &anyhow::Error) {
        let part = self.part.clone();
        self.line(format_args!("setup-failed {part}{error:#}"));
    }

    pub fn verdict(&mut self) {
        let (passed, failed, skipped) = (self.passed, self.failed, self.skipped);
        self.line(format_args!("verdict {passed} {failed} {skipped}"));
        // A reader that is gone cannot be told; the host notices the missing line.
        let _ = rustix::termios::tcdrain(&self.host);
    }
}

/// Fails unless `actual` is `expected`.
pub fn equal<T: PartialEq + std::fmt::Debug>(actual: T, expected: T) -> Result<()> {
    anyhow::ensure!(actual == expected, "expected {expected:?}, got {actual:?}");
    Ok(())
}
