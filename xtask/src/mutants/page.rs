// SPDX-License-Identifier: GPL-2.0
//! What came of the mutants, as people read it: the tables in docs/mutants.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Record, Survivor, all};
use crate::{
    generated::Page,
    markdown::{NOT_RUN, day, rows_of, table_of, words},
};

const PAGE: Page = Page { path: "docs/mutants.md", part: "mutants" };

/// What stands between the two tables.
const SURVIVED: &str = "\nWhat survived, and the line that it changes:\n\n";

/// What the page says of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    /// Mutants, caught, unviable, timed out, survived; none where it was not run.
    counts: Option<[usize; 5]>,
    date: String,
    /// Each survivor's name, with its file's in front, as the page has it; and its line.
    survivors: Vec<[String; 2]>,
}

/// By the files' names.
type Files = BTreeMap<String, Said>;

/// Writes the tables in docs/mutants.md: what was run here, and what they say of all else.
///
/// # Errors
/// The page cannot be read or written, or has lost the tables' place.
pub fn write() -> Result<()> {
    PAGE.rewrite(|tables| {
        let mut said = parse(tables);
        for name in all()? {
            if let Some(record) = Record::load(&name).filter(|record| record.date.is_some()) {
                said.insert(name.clone(), of_record(&name, &record));
            }
        }
        render(&said)
    })
}

/// The survivors that the page judges, by the names that [`named`] gives them.
///
/// # Errors
/// The page cannot be read, or has lost the tables' place.
pub fn judged() -> Result<BTreeSet<String>> {
    let page = PAGE.read()?;
    let [_, _, judged] = PAGE.split(&page)?;
    Ok(judgements(judged).into_keys().collect())
}

/// Code in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', r"\|"))
}

/// A survivor's name in the tables.
pub fn named(file: &str, survivor: &Survivor) -> String {
    code(&format!("{file}: {}", survivor.name))
}

fn of_record(name: &str, record: &Record) -> Said {
    let Record { caught, unviable, timed_out, survived, survivors, date, .. } = record;
    let ends = [caught, unviable, timed_out, survived].map(BTreeSet::len);
    let [caught, unviable, timed_out, survived] = ends;
    Said {
        counts: Some([record.mutants(), caught, unviable, timed_out, survived]),
        date: day(date.as_deref().unwrap_or_default()).to_owned(),
        survivors: survivors.iter().map(|s| [named(name, s), code(&s.line)]).collect(),
    }
}

/// What the tables say.
fn parse(tables: &str) -> Files {
    let (table, survivors) = tables.split_once(SURVIVED).unwrap_or((tables, ""));
    let mut files = Files::new();
    for cells in rows_of(table) {
        let [name, counts @ .., date] = cells.as_slice() else { continue };
        // The last row is of all of them.
        if !name.ends_with(".rs") {
            continue;
        }
        let counts: Vec<usize> = counts.iter().filter_map(|count| count.parse().ok()).collect();
        if let Ok(counts) = counts.try_into() {
            let said = Said { counts: Some(counts), date: (*date).to_owned(), survivors: vec![] };
            files.insert((*name).to_owned(), said);
        }
    }
    for cells in rows_of(survivors) {
        let [name, line] = cells.as_slice() else { continue };
        let file = name.trim_start_matches('`').split(':').next().unwrap_or_default();
        if let Some(said) = files.get_mut(file) {
            said.survivors.push([(*name).to_owned(), (*line).to_owned()]);
        }
    }
    files
}

/// The tables: every file that there is, in alphabetical order.
fn render(files: &Files) -> Result<String> {
    let head = ["file", "mutants", "caught", "unviable", "timed out", "survived", "date"];
    let mut rows = vec![words(&head)];
    let mut survivors = vec![words(&["survivor", "line"])];
    let mut sums = [0; 5];
    let row = |name: &str, counts: [usize; 5], date: &str| {
        let mut row = vec![name.to_owned()];
        row.extend(counts.map(|count| count.to_string()));
        row.push(date.to_owned());
        row
    };
    let names: BTreeSet<String> = all()?.into_iter().collect();
    for name in names {
        let not_run = Said::default();
        let said = files.get(&name).unwrap_or(&not_run);
        match said.counts {
            Some(counts) => {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum += count;
                }
                rows.push(row(&name, counts, &said.date));
            }
            None => rows.push(words(&[&name, NOT_RUN, "", "", "", "", ""])),
        }
        survivors.extend(said.survivors.iter().map(|row| row.to_vec()));
    }
    rows.push(row("all", sums, ""));
    Ok(format!("{}{SURVIVED}{}", table_of(&rows), table_of(&survivors)))
}

/// What the part below the tables says of each survivor, and why.
fn judgements(part: &str) -> BTreeMap<String, [String; 2]> {
    let row = |cells: Vec<&str>| match cells.as_slice() {
        [name, what, why] if name.starts_with('`') => {
            Some(((*name).to_owned(), [(*what).to_owned(), (*why).to_owned()]))
        }
        _ => None,
    };
    rows_of(part).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tables_say_is_kept() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let survivor = |name: &str| Survivor { name: name.to_owned(), line: "a || b".to_owned() };
        let record = Record {
            date: Some("2026-11-25T10:00:00Z".to_owned()),
            caught: set(&["a", "b", "c"]),
            timed_out: set(&["d"]),
            survived: set(&["e", "f"]),
            survivors: vec![survivor("replace | with & in g"), survivor("replace || with && in h")],
            ..Record::default()
        };
        let page = Files::from([("signature.rs".to_owned(), of_record("signature.rs", &record))]);
        let tables = render(&page).unwrap();
        for line in [
            "| signature.rs | 6 | 3 | 0 | 1 | 2 | 2026-11-25 |",
            "| all | 6 | 3 | 0 | 1 | 2 |  |",
            r"| `signature.rs: replace \| with & in g` | `a \|\| b` |",
            "| gpu/board.rs | not run |  |  |  |  |  |",
        ] {
            assert!(tables.lines().any(|found| found == line), "{line}\n{tables}");
        }
        assert_eq!(parse(&tables), page);
    }

    #[test]
    fn the_page_has_every_file_as_it_is_now() {
        let page = PAGE.read().unwrap();
        let [_, tables, _] = PAGE.split(&page).unwrap();
        let now = render(&parse(tables)).unwrap();
        assert!(tables == now, "{}: cargo xtask mutants --write", PAGE.path);
    }

    #[test]
    fn every_survivor_is_judged_and_nothing_else_is() {
        let page = PAGE.read().unwrap();
        let [_, tables, judged] = PAGE.split(&page).unwrap();
        let survivors: BTreeSet<String> = parse(tables)
            .into_values()
            .flat_map(|said| said.survivors)
            .map(|[name, _]| name)
            .collect();
        let judged = judgements(judged);
        assert_eq!(survivors, judged.keys().cloned().collect());
        for (name, [what, why]) in judged {
            assert!(["equivalent", "gap"].contains(&what.as_str()), "{name}: {what}");
            assert!(why.len() > 20, "{name}: {why}");
        }
    }
}
