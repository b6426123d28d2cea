// SPDX-License-Identifier: GPL-2.0
//! Our module, built by every compiler that users may have: upstream's rustc from the oldest that is supported to
//! the newest there is, distributions' own, and clang in gcc's place.

mod list;
mod miri;
mod page;
mod rewritten;
mod upstream;

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{
    dirs,
    kernel::{self, Compilers, Otherwise, Prepared, Target},
    matrix::{self, Sources},
    paths,
    records::{load, now, save},
    vm::{self, BoardOptions, Line},
};
pub use list::{Rustc, Toolchain, all};
pub use miri::run as miri;
pub use page::write;

/// What is run with what the oldest, the newest and the most different of them have built.
const SCENARIO: &str = "standin";

/// The last build by one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As `uname -r` prints it.
    pub release: String,
    pub rustc: String,
    pub cc: String,
    /// Seconds where nothing was there before, and with the runtime kept.
    pub cold: u64,
    pub warm: u64,
    /// Bytes of code and constants.
    pub size: u64,
    /// How many checks passed of a scenario with it; none where it is only built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it began, in UTC.
    pub date: String,
    /// The hash of all that counts for it.
    pub inputs: String,
}

impl Record {
    /// What was kept of `toolchain`, if anything.
    pub fn load(toolchain: &Toolchain) -> Option<Self> {
        load(&file(toolchain))
    }

    /// Whether all was well, with the same `inputs`.
    fn stands(&self, inputs: &str) -> bool {
        self.problem.is_none() && self.inputs == inputs
    }
}

fn directory() -> PathBuf {
    paths::cache().join("toolchains")
}

fn file(toolchain: &Toolchain) -> PathBuf {
    directory().join(format!("{}.json", toolchain.name))
}

/// Builds with `toolchain`, runs the scenario if it is one of those for which that is done, and keeps what came of
/// it. What was kept before suffices where nothing has changed, unless it is wanted `again`. `watch` sees every
/// line of the guest's.
///
/// # Errors
/// What came of it cannot be kept. A failed build is none: the record says so.
pub fn run(toolchain: &Toolchain, again: bool, watch: &mut dyn FnMut(&Line)) -> Result<Record> {
    let inputs = Sources::read()?.with(&toolchain.name);
    if let Some(old) = Record::load(toolchain).filter(|old| !again && old.stands(&inputs)) {
        return Ok(old);
    }
    let mut record = Record { date: now()?, inputs, ..Record::default() };
    let dir = directory().join(&toolchain.name);
    dirs::empty(&dir)?;
    if let Err(error) = build(toolchain, &dir, &mut record, watch) {
        record.problem = Some(matrix::first_line(&error));
        eprintln!("{error:#}");
    }
    // Hundreds of megabytes each.
    dirs::remove(&dir)?;
    save(&file(toolchain), &record)?;
    Ok(record)
}

fn build(
    toolchain: &Toolchain,
    dir: &Path,
    record: &mut Record,
    watch: &mut dyn FnMut(&Line),
) -> Result<()> {
    let target = target(toolchain)?;
    let otherwise = Otherwise {
        rustc: match toolchain.rustc {
            Rustc::Upstream(version) => Some(upstream::fetched(version, &dir.join("rust"))?),
            Rustc::Systems => None,
        },
        headers: match toolchain.clang {
            true => Some(rewritten::for_clang(&kernel::prepare(target.usual)?, dir)?),
            false => None,
        },
    };
    let prepare = || -> Result<Prepared> {
        let kernel =
            kernel::prepare_otherwise(target.with_its_compilers, &dir.join("runtime"), &otherwise)?;
        Ok(Prepared { builds: dir.join("build"), ..kernel })
    };
    let measured = kernel::build::measured(dir, &prepare)?;
    (record.cold, record.warm, record.size) = (measured.cold, measured.warm, measured.size);
    let kernel = measured.kernel;
    let compilers = Compilers::of(&kernel.inputs());
    (record.rustc, record.cc) = (compilers.rustc, compilers.cc);
    record.release.clone_from(&kernel.release);
    if toolchain.run {
        let scenario = vm::find(SCENARIO)?;
        let outcome = vm::run_on(&kernel, scenario, &BoardOptions::default(), watch)?;
        record.passed = Some(outcome.passed.len());
        record.problem = matrix::problem(scenario, &outcome);
    }
    Ok(())
}

/// A kernel, as it is and with other compilers.
struct Targets {
    usual: &'static Target,
    with_its_compilers: &'static Target,
}

fn target(toolchain: &Toolchain) -> Result<Targets> {
    let usual = kernel::find(toolchain.kernel)?;
    // There are a handful, and they are wanted as long as this runs.
    let with_its_compilers = Box::leak(Box::new(Target { root: toolchain.root, ..*usual }));
    Ok(Targets { usual, with_its_compilers })
}
