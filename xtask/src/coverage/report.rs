// SPDX-License-Identifier: GPL-2.0
//! Lines that were counted, file by file, without the tests at the files' ends.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};

use crate::{
    markdown::{table_of, words},
    paths,
};

/// The pure files.
pub const PART: &str = "module/src/logic";

/// A file, and its lines that have code which is not a test's.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Below the part that is looked at.
    pub name: String,
    /// How many such lines there are.
    pub lines: usize,
    /// Those that nothing has reached, in their order.
    pub missed: Vec<usize>,
}

/// Where a file's tests begin; no code of another kind comes behind.
const TESTS: &str = "#[cfg(test)]\nmod tests {\n";

/// Reads what llvm-cov has written.
///
/// # Errors
/// It is of no file of ours, or a file is not there.
pub fn read(lcov: &str) -> Result<Vec<File>> {
    let part = paths::repo().join(PART);
    let mut files = vec![];
    for (path, counts) in counts(lcov)? {
        let Some(name) = path.strip_prefix(&format!("{}/", part.display())) else { continue };
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        files.push(of_file(name, &text, &counts));
    }
    ensure!(!files.is_empty(), "nothing of {PART} was counted");
    Ok(files)
}

/// By file and line, how often the line was reached.
fn counts(lcov: &str) -> Result<BTreeMap<String, BTreeMap<usize, u64>>> {
    let mut files: BTreeMap<String, BTreeMap<usize, u64>> = BTreeMap::new();
    let mut file = String::new();
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            path.clone_into(&mut file);
        } else if let Some(counted) = line.strip_prefix("DA:") {
            let (number, count) = counted.split_once(',').with_context(|| format!("{line:?}"))?;
            let lines = files.entry(file.clone()).or_default();
            // A file may come more than once, as part of one crate and another.
            *lines.entry(number.parse()?).or_default() += count.parse::<u64>()?;
        }
    }
    Ok(files)
}

fn of_file(name: &str, text: &str, counts: &BTreeMap<usize, u64>) -> File {
    let end = text.find(TESTS).unwrap_or(text.len());
    let end = text[..end].lines().count();
    let counts = || counts.iter().filter(|(line, _)| **line <= end);
    File {
        name: name.to_owned(),
        lines: counts().count(),
        missed: counts().filter(|(_, count)| **count == 0).map(|(line, _)| *line).collect(),
    }
}

/// A row a file, and one for all.
pub fn table(files: &[File]) -> String {
    let row = |name: &str, lines: usize, missed: usize, which: String| {
        vec![name.to_owned(), lines.to_string(), (lines - missed).to_string(), which]
    };
    let mut rows = vec![words(&["file", "lines", "reached", "not reached"])];
    rows.extend(files.iter().map(|f| row(&f.name, f.lines, f.missed.len(), ranges(&f.missed))));
    let lines = files.iter().map(|file| file.lines).sum();
    let missed = files.iter().map(|file| file.missed.len()).sum();
    rows.push(row("all", lines, missed, String::new()));
    table_of(&rows)
}

/// "3, 5 to 7".
fn ranges(lines: &[usize]) -> String {
    let ranges = lines.chunk_by(|a, b| a + 1 == *b).map(|range| match range {
        [first, .., last] => format!("{first} to {last}"),
        _ => range.iter().map(usize::to_string).collect(),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_where_anything_reaches_it_and_tests_do_not() {
        let lcov = "SF:/a\nDA:1,0\nDA:2,0\nDA:3,4\nDA:6,0\nend_of_record\n\
                    SF:/b\nDA:9,1\nend_of_record\nSF:/a\nDA:1,1\nDA:2,0\nend_of_record\n";
        let counts = counts(lcov).unwrap();
        assert_eq!(counts.len(), 2);
        let text = "1\n2\n3\n#[cfg(test)]\nmod tests {\n6\n}\n";
        let file = of_file("a", text, &counts["/a"]);
        assert_eq!(file, File { name: "a".to_owned(), lines: 3, missed: vec![2] });
        assert_eq!(of_file("a", "1\n2\n3\n4\n5\n6\n", &counts["/a"]).missed, [2, 6]);
        super::counts("DA:1").unwrap_err();
    }

    #[test]
    fn the_table_adds_up_and_shows_ranges() {
        let file = |name: &str, lines, missed: &[usize]| File {
            name: name.to_owned(),
            lines,
            missed: missed.to_vec(),
        };
        let table = table(&[file("a.rs", 9, &[3, 5, 6, 7]), file("b.rs", 2, &[])]);
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            ["| a.rs | 9 | 5 | 3, 5 to 7 |", "| b.rs | 2 | 2 |  |", "| all | 11 | 7 |  |"]
        );
    }
}
