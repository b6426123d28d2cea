// SPDX-License-Identifier: GPL-2.0
//! The table in docs/coverage.md.

use anyhow::Result;

use super::{Coverage, table};
use crate::{generated::Page, markdown, records};

const PAGE: Page = Page { path: "docs/coverage.md", part: "coverage" };

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
    PAGE.rewrite(|_| Ok(part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_with_lines_that_nothing_reaches_is_judged() {
        let page = PAGE.read().unwrap();
        let [_, table, judged] = PAGE.split(&page).unwrap();
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
