// SPDX-License-Identifier: GPL-2.0
//! All last results: those of this machine, and those that the repository keeps in docs/matrix.json.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{
    plan::Run,
    record::{Build, Record},
};
use crate::{kernel, paths};

/// The last result of whatever was built or run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    builds: BTreeMap<String, Build>,
    /// By kernel and scenario.
    runs: BTreeMap<(String, String), Record>,
}

/// docs/matrix.json.
#[derive(Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    builds: Vec<Build>,
    #[serde(default)]
    runs: Vec<Record>,
}

/// JSON has no comments.
const LICENCE: &str = "\"licence\": \"SPDX-License-Identifier: GPL-2.0\"";

impl Results {
    /// Of these.
    pub fn new(builds: Vec<Build>, runs: Vec<Record>) -> Self {
        let mut results = Self::default();
        for build in builds {
            let old = results.builds.get(&build.target);
            if old.is_none_or(|old| old.date <= build.date) {
                results.builds.insert(build.target.clone(), build);
            }
        }
        for run in runs {
            let key = (run.target.clone(), run.scenario.clone());
            if results.runs.get(&key).is_none_or(|old| old.date <= run.date) {
                results.runs.insert(key, run);
            }
        }
        results
    }

    /// What the repository keeps.
    ///
    /// # Errors
    /// It is not what [`Results::text`] wrote.
    pub fn committed() -> Result<Self> {
        let path = Self::path();
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// What was built and run here, as far as it is in `runs`.
    pub fn recorded(runs: &[Run]) -> Self {
        Self::new(
            kernel::targets().filter_map(Build::load).collect(),
            runs.iter().filter_map(Record::load).collect(),
        )
    }

    /// Where the repository keeps them.
    pub fn path() -> PathBuf {
        paths::repo().join("docs/matrix.json")
    }

    /// The newer of each.
    pub fn merged(self, other: Self) -> Self {
        Self::new(
            self.builds.into_values().chain(other.builds.into_values()).collect(),
            self.runs.into_values().chain(other.runs.into_values()).collect(),
        )
    }

    /// The last build for a kernel.
    pub fn build(&self, target: &str) -> Option<&Build> {
        self.builds.get(target)
    }

    /// The last result of a run.
    pub fn run(&self, run: &Run) -> Option<&Record> {
        self.runs.get(&(run.target.name.to_owned(), run.scenario.name.to_owned()))
    }

    /// How many seconds `run` takes, by what is known of it.
    pub fn seconds(&self, run: &Run) -> u64 {
        let recorded = self.run(run).map(|record| record.seconds);
        recorded.filter(|seconds| *seconds > 0).unwrap_or_else(|| run.usual_seconds())
    }

    /// What docs/matrix.json is to say: a line each, of what is in the matrix, in its order; nothing that
    /// counts on one machine only.
    ///
    /// # Errors
    /// None that anybody has seen.
    pub fn text(&self, runs: &[Run]) -> Result<String> {
        let mut builds = vec![];
        for build in kernel::targets().filter_map(|target| self.build(target.name)) {
            builds.push(serde_json::to_string(&Build { inputs: String::new(), ..build.clone() })?);
        }
        let mut records = vec![];
        for record in runs.iter().filter_map(|run| self.run(run)) {
            let shared = Record { inputs: String::new(), ..record.clone() };
            records.push(serde_json::to_string(&shared)?);
        }
        let (builds, records) = (builds.join(",\n"), records.join(",\n"));
        Ok(format!("{{\n{LICENCE},\n\"builds\": [\n{builds}\n],\n\"runs\": [\n{records}\n]\n}}\n"))
    }

    /// Reads what [`Results::text`] wrote.
    ///
    /// # Errors
    /// It did not.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = serde_json::from_str(text)?;
        Ok(Self::new(file.builds, file.runs))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::plan::runs, *};

    fn record(run: &Run, date: &str, passed: usize) -> Record {
        Record {
            target: run.target.name.to_owned(),
            scenario: run.scenario.name.to_owned(),
            date: date.to_owned(),
            inputs: "hash".to_owned(),
            passed,
            ..Record::default()
        }
    }

    #[test]
    fn the_newer_result_counts() {
        let run = runs()[0];
        let [old, new] = [("2026-11-24T23:00:00Z", 1), ("2026-11-25T01:00:00Z", 2)]
            .map(|(date, passed)| Results::new(vec![], vec![record(&run, date, passed)]));
        for merged in [old.clone().merged(new.clone()), new.merged(old)] {
            assert_eq!(merged.run(&run).unwrap().passed, 2);
        }
    }

    #[test]
    fn what_is_written_is_read_and_is_always_the_same() {
        let runs = runs();
        let records: Vec<_> = runs.iter().map(|run| record(run, "2026-11-25", 3)).collect();
        let build = Build { target: runs[0].target.name.to_owned(), cold: 7, ..Build::default() };
        let mut backwards = records.clone();
        backwards.reverse();
        // What is no longer in the matrix is no longer written.
        backwards.push(Record { scenario: "gone".to_owned(), ..records[0].clone() });
        let text = Results::new(vec![build.clone()], records).text(&runs).unwrap();
        assert_eq!(Results::new(vec![build], backwards).text(&runs).unwrap(), text);

        let read = Results::parse(&text).unwrap();
        assert_eq!(read.text(&runs).unwrap(), text);
        assert_eq!(read.build(runs[0].target.name).unwrap().cold, 7);
        assert!(runs.iter().all(|run| read.run(run).unwrap().passed == 3));
        assert!(!text.contains("hash"), "that is this machine's");
    }

    #[test]
    fn a_run_that_never_was_takes_as_long_as_usual() {
        let rt = *runs().iter().find(|run| run.target.name == "debian-6.12-rt").unwrap();
        assert_eq!(Results::default().seconds(&rt), 240);
        let known = Record { seconds: 90, ..record(&rt, "2026-11-25", 1) };
        assert_eq!(Results::new(vec![], vec![known]).seconds(&rt), 90);
        let unbuilt = Record { seconds: 0, ..record(&rt, "2026-11-25", 0) };
        assert_eq!(Results::new(vec![], vec![unbuilt]).seconds(&rt), 240);
    }
}
