// SPDX-License-Identifier: GPL-2.0
//! What came of a mutation: a small file each, below the cache.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Catcher, Mutation, Seen, Tree, catch::catch, kernel};
use crate::{
    kernel as kernels, matrix,
    records::{load, now, save},
};

/// What the outcome can depend on, as it was when this was read.
pub struct Sources {
    scenarios: matrix::Sources,
    tests: matrix::Sources,
}

impl Sources {
    /// As the repository is now.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read() -> Result<Self> {
        // What the module's own tests are built of.
        let tests = ["Cargo.lock", "Cargo.toml", "module", "tests/structures"];
        Ok(Self { scenarios: matrix::Sources::read()?, tests: matrix::Sources::of(&tests, &[])? })
    }
}

/// The last run of what has to notice a mutation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it said, where it noticed.
    pub caught: Option<String>,
    /// The kernel's release; none where no machine was needed.
    pub kernel: Option<String>,
    /// When it began, in UTC.
    pub date: String,
    /// The hash of all that counts for it.
    pub inputs: String,
}

impl Record {
    fn begin(catcher: Catcher, inputs: &str) -> Result<Self> {
        let target = kernel()?;
        let release = match catcher {
            Catcher::Scenario(_) => Some(
                kernels::state(target).with_context(|| format!("{} is not here", target.name))?,
            ),
            Catcher::Test { .. } => None,
        };
        Ok(Self { caught: None, kernel: release, date: now()?, inputs: inputs.to_owned() })
    }

    /// What was kept of a mutation, if anything.
    pub fn load(mutation: &Mutation) -> Option<Self> {
        load(&file(mutation.name))
    }
}

fn file(name: &str) -> PathBuf {
    Tree::cache().join("records").join(format!("{name}.json"))
}

/// What has to be the same for a result to stand.
fn inputs(sources: &Sources, catcher: Catcher, changed: [&str; 3]) -> Result<String> {
    let (sources, kernel) = match catcher {
        Catcher::Scenario(_) => {
            (&sources.scenarios, kernels::known_inputs(kernel()?).unwrap_or_default())
        }
        Catcher::Test { .. } => (&sources.tests, String::new()),
    };
    Ok(sources.with(&format!("{kernel}\n{catcher}\n{}", changed.join("\n"))))
}

fn inputs_of(sources: &Sources, mutation: &Mutation) -> Result<String> {
    let Mutation { file, find, replace, catcher, .. } = mutation;
    inputs(sources, *catcher, [file, find, replace])
}

/// What was kept of a mutation, if running it again with these sources would show nothing new.
///
/// # Errors
/// There is no kernel to run scenarios on.
pub fn kept(mutation: &Mutation, sources: &Sources) -> Result<Option<Record>> {
    let now = inputs_of(sources, mutation)?;
    Ok(Record::load(mutation).filter(|record| record.inputs == now))
}

/// Runs what has to notice a mutation, and keeps what came of it. It has to notice nothing where nothing is broken,
/// which is tried where that is not known. `watch` is told which part it has come to.
///
/// # Errors
/// It fails anyway; the broken module does not build, or its machine does not boot.
pub fn run(
    mutation: &Mutation,
    tree: &mut Tree,
    sources: &Sources,
    watch: &mut dyn FnMut(&str),
) -> Result<Record> {
    let catcher = mutation.catcher;
    if matches!(catcher, Catcher::Scenario(_)) {
        kernels::prepare(kernel()?)?;
    }
    whole(catcher, tree, sources, watch)?;
    let mut record = Record::begin(catcher, &inputs_of(sources, mutation)?)?;
    let broken = tree.with(mutation)?;
    if let Seen::Failure(why) = catch(catcher, broken.tree, watch)? {
        record.caught = Some(why);
    }
    drop(broken);
    save(&file(mutation.name), &record)?;
    Ok(record)
}

/// Sees to it that `catcher` notices nothing where nothing is broken.
fn whole(
    catcher: Catcher,
    tree: &Tree,
    sources: &Sources,
    watch: &mut dyn FnMut(&str),
) -> Result<()> {
    let inputs = inputs(sources, catcher, [""; 3])?;
    let file = Tree::cache().join("whole").join(format!("{catcher}.json"));
    if load(&file).is_some_and(|record: Record| record.inputs == inputs) {
        return Ok(());
    }
    let record = Record::begin(catcher, &inputs)?;
    watch("with nothing broken");
    match catch(catcher, tree, watch)? {
        Seen::Nothing => save(&file, &record),
        Seen::Failure(why) => bail!("{catcher} fails with nothing broken: {why}"),
    }
}
