// SPDX-License-Identifier: GPL-2.0
//! The table in docs/coverage.md.

use std::fs;

use anyhow::{Context, Result};

use super::{Coverage, table};
use crate::{generated, markdown, paths, records};

const PAGE: &str = "docs/coverage.md";

/// Between these, the page is written by us.
const BEGIN: &str = "<!-- coverage: begin -->\n";
const END: &str = "<!-- coverage: end -->\n";

/// Writes what was found into docs/coverage.md.
///
/// # Errors
/// The page cannot be read or written, or has lost the table's place.
pub fn write(coverage: &Coverage) -> Result<()> {
    let now = records::now()?;
    let part = format!(
        "Of {}, with {} inputs of fuzzing's.\n\n{}",
        markdown::day(&now),
        coverage.inputs,
        table(&coverage.files)
    );
    let page = generated::with(&read()?, BEGIN, END, &part).context(PAGE)?;
    fs::write(paths::repo().join(PAGE), page).with_context(|| format!("writing {PAGE}"))
}

fn read() -> Result<String> {
    fs::read_to_string(paths::repo().join(PAGE)).with_context(|| format!("reading {PAGE}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_with_lines_that_nothing_reaches_is_judged() {
        let page = read().unwrap();
        let [_, table, judged] = generated::parts(&page, BEGIN, END).unwrap();
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
            let (name, missed) = (cells.next()?, cells.nth(2)?);
            (name.ends_with(".rs") && !missed.trim().is_empty()).then(|| name.to_owned())
        };
        let missed: BTreeSet<String> = table.lines().filter_map(row).collect();
        let named = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
        let judged: BTreeSet<String> = judged.lines().filter_map(named).collect();
        assert_eq!(missed, judged);
    }
}
