// SPDX-License-Identifier: GPL-2.0
//! What is kept of a run and of a build: a small file each, below the cache.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::plan::Run;
use crate::{
    kernel::{self, Target},
    markdown::safe,
    paths,
    records::{load, now, save},
};

/// The last run of a scenario on a kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub target: String,
    pub scenario: String,
    /// As `uname -r` prints it; empty where there was no kernel yet.
    pub release: String,
    pub mode: String,
    pub rustc: String,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// The first check that failed, or what else went wrong; none where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// In the machine, from power-on to power-off.
    pub seconds: u64,
    /// When it began, in UTC.
    pub date: String,
    /// The hash of all that counts for it, here: nobody else's machine has the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inputs: String,
}

/// The last build of our module for a kernel, as a user's machine does it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    pub target: String,
    pub release: String,
    pub mode: String,
    pub rustc: String,
    pub gcc: String,
    /// Seconds where nothing was there before.
    pub cold: u64,
    /// Seconds where the runtime had been kept.
    pub warm: u64,
    /// Bytes of code and constants.
    pub size: u64,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    pub date: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inputs: String,
}

impl Record {
    /// One that knows no more than what is going to be run.
    ///
    /// # Errors
    /// There is no telling what day it is.
    pub fn begin(run: &Run) -> Result<Self> {
        Ok(Self {
            target: run.target.name.to_owned(),
            scenario: run.scenario.name.to_owned(),
            release: kernel::state(run.target).unwrap_or_default(),
            mode: run.target.mode.name().to_owned(),
            date: now()?,
            ..Self::default()
        })
    }

    /// Whether all was well, with the same `inputs`.
    pub fn stands(&self, inputs: &str) -> bool {
        self.problem.is_none() && self.inputs == inputs
    }

    /// What came of it, as a table has it.
    pub fn in_full(&self) -> String {
        let skipped = match self.skipped {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        match &self.problem {
            None => format!("{} passed{skipped}", self.passed),
            Some(problem) => format!(
                "**failed**: {} passed, {} failed{skipped}: {}",
                self.passed,
                self.failed,
                safe(problem)
            ),
        }
    }

    /// What was kept of `run`, if anything. What another version of this program wrote otherwise is
    /// run again.
    pub fn load(run: &Run) -> Option<Self> {
        load(&run_file(run.target.name, run.scenario.name))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self) -> Result<()> {
        save(&run_file(&self.target, &self.scenario), self)
    }
}

impl Build {
    /// As [`Record::begin`].
    ///
    /// # Errors
    /// As [`Record::begin`].
    pub fn begin(target: &Target) -> Result<Self> {
        Ok(Self {
            target: target.name.to_owned(),
            release: kernel::state(target).unwrap_or_default(),
            mode: target.mode.name().to_owned(),
            date: now()?,
            ..Self::default()
        })
    }

    /// As [`Record::stands`].
    pub fn stands(&self, inputs: &str) -> bool {
        self.problem.is_none() && self.inputs == inputs
    }

    /// As [`Record::load`].
    pub fn load(target: &Target) -> Option<Self> {
        load(&build_file(target.name))
    }

    /// As [`Record::save`].
    ///
    /// # Errors
    /// As [`Record::save`].
    pub fn save(&self) -> Result<()> {
        save(&build_file(&self.target), self)
    }
}

/// Where all of it is.
pub fn dir() -> PathBuf {
    paths::cache().join("matrix")
}

fn run_file(target: &str, scenario: &str) -> PathBuf {
    dir().join(target).join(format!("{scenario}.json"))
}

fn build_file(target: &str) -> PathBuf {
    // Not `with_extension`: 6.12 is none.
    dir().join(format!("{target}.json"))
}
