// SPDX-License-Identifier: GPL-2.0
//! What long fuzzing came to, as it is kept, and as people read it: the table in docs/fuzzing.md.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;
use fuzz::Target;
use serde::{Deserialize, Serialize};

use super::Run;
use crate::{
    generated::Page,
    markdown::{NOT_RUN, day, one_line, rows_of, safe, table_of, words},
    paths, records,
};

const PAGE: Page = Page { path: "docs/fuzzing.md", part: "fuzzing" };

const HEAD: [&str; 7] =
    ["target", "executions", "seconds", "edges", "corpus", "broken promises", "date"];

/// What a row says behind the target's name.
type Said = [String; HEAD.len() - 1];

/// What came of a target.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    executions: u64,
    seconds: u64,
    edges: u64,
    corpus: u64,
    /// What was said about an input that broke a promise.
    broken: Option<String>,
    date: String,
}

fn file(target: &Target) -> PathBuf {
    paths::cache().join("fuzz/records").join(format!("{}.json", target.name))
}

/// Keeps what came of a target that was run for a number of executions.
///
/// # Errors
/// It can't be written.
pub fn keep(target: &Target, run: &Run) -> Result<()> {
    let record = Record {
        executions: run.progress.executions,
        seconds: run.took.as_secs(),
        edges: run.progress.covered,
        corpus: run.progress.corpus,
        broken: run.crash.as_ref().map(|crash| crash.message.clone()),
        date: records::now()?,
    };
    records::save(&file(target), &record)
}

/// Writes the table in docs/fuzzing.md: what was run here, and what it says of all else.
///
/// # Errors
/// The page cannot be read or written, or has lost the table's place.
pub fn write() -> Result<()> {
    PAGE.rewrite(|table| {
        let mut said = rows(table);
        for target in fuzz::TARGETS {
            if let Some(record) = records::load(&file(target)) {
                said.insert(target.name.to_owned(), of_record(&record));
            }
        }
        Ok(render(&said))
    })
}

fn rows(table: &str) -> BTreeMap<String, Said> {
    let row = |cells: Vec<&str>| {
        let [name, said @ ..] = cells.as_slice() else { return None };
        Some(((*name).to_owned(), words(said).try_into().ok()?))
    };
    rows_of(table).filter_map(row).collect()
}

fn of_record(record: &Record) -> Said {
    [
        record.executions.to_string(),
        record.seconds.to_string(),
        record.edges.to_string(),
        record.corpus.to_string(),
        record.broken.as_ref().map_or("none".to_owned(), |why| safe(&one_line(why))),
        day(&record.date).to_owned(),
    ]
}

fn render(said: &BTreeMap<String, Said>) -> String {
    let mut rows = vec![words(&HEAD)];
    for target in fuzz::TARGETS {
        let mut not_run = Said::default();
        not_run[0] = NOT_RUN.to_owned();
        let mut row = vec![target.name.to_owned()];
        row.extend(said.get(target.name).cloned().unwrap_or(not_run));
        rows.push(row);
    }
    table_of(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_target_and_no_other() {
        let page = PAGE.read().unwrap();
        let [_, table, _] = PAGE.split(&page).unwrap();
        assert_eq!(render(&rows(table)), table, "{}: cargo xtask fuzz --write", PAGE.path);
    }

    #[test]
    fn what_a_table_says_is_kept() {
        let record = |broken: Option<&str>| Record {
            executions: 10_000_000,
            seconds: 61,
            edges: 412,
            corpus: 96,
            broken: broken.map(str::to_owned),
            date: "2026-11-30T10:00:00Z".to_owned(),
        };
        let [first, second, ..] = fuzz::TARGETS;
        let said = BTreeMap::from([
            (first.name.to_owned(), of_record(&record(None))),
            (second.name.to_owned(), of_record(&record(Some("a | b\nc")))),
        ]);
        let table = render(&said);
        assert!(table.contains(&format!(
            "| {} | 10000000 | 61 | 412 | 96 | none | 2026-11-30 |\n",
            first.name
        )));
        assert!(table.contains(NOT_RUN), "{table}");
        assert_eq!(render(&rows(&table)), table);
    }
}
