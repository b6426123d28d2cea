// SPDX-License-Identifier: GPL-2.0
//! What came of the mutations, as people read it: the table in docs/mutations.md.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Catcher, Mutation, Record, all};
use crate::{
    generated::Page,
    markdown::{NOT_RUN, day, rows_of, safe, table_of, words},
};

const PAGE: Page = Page { path: "docs/mutations.md", part: "mutations" };

/// What a row says of a run: who noticed, on which kernel, when.
type Said = [String; 3];

/// Writes the table in docs/mutations.md: what was run here, and what it says of all else.
///
/// # Errors
/// The page cannot be read or written, or has lost the table's place.
pub fn write() -> Result<()> {
    PAGE.rewrite(|table| {
        let mut said = rows(table);
        for mutation in all() {
            if let Some(record) = Record::load(mutation) {
                said.insert(mutation.name.to_owned(), of_record(mutation, &record));
            }
        }
        Ok(render(&said))
    })
}

/// What a table says of each mutation, by its name.
fn rows(table: &str) -> BTreeMap<String, Said> {
    let row = |cells: Vec<&str>| {
        let [name, _, said @ ..] = cells.as_slice() else { return None };
        Some(((*name).to_owned(), words(said).try_into().ok()?))
    };
    rows_of(table).filter_map(row).collect()
}

fn of_record(mutation: &Mutation, record: &Record) -> Said {
    let noticed = match &record.caught {
        Some(why) => format!("{}: {}", catcher(mutation), safe(why)),
        None => format!("**survived** {}", catcher(mutation)),
    };
    let kernel = record.kernel.clone().unwrap_or("none".to_owned());
    [noticed, kernel, day(&record.date).to_owned()]
}

/// Who has to notice, as the table has it.
fn catcher(mutation: &Mutation) -> String {
    match mutation.catcher {
        Catcher::Scenario(name) => format!("`{name}`"),
        Catcher::Test { .. } => format!("`{}`", mutation.catcher),
    }
}

fn render(said: &BTreeMap<String, Said>) -> String {
    let mut rows = vec![words(&["mutation", "what is broken", "caught by", "kernel", "date"])];
    for mutation in all() {
        let not_run = || [NOT_RUN.to_owned(), String::new(), String::new()];
        // What somebody else has noticed does not count.
        let said = said.get(mutation.name).filter(|said| said[0].contains(&catcher(mutation)));
        let said = said.cloned().unwrap_or_else(not_run);
        let mut row = vec![mutation.name.to_owned(), safe(mutation.what)];
        row.extend(said);
        rows.push(row);
    }
    table_of(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_says_is_kept() {
        let mut all = all();
        let (first, second) = (all.next().unwrap(), all.next().unwrap());
        let record = |caught: Option<&str>| Record {
            caught: caught.map(str::to_owned),
            kernel: Some("6.12.1-amd64".to_owned()),
            date: "2026-11-25T10:00:00Z".to_owned(),
            inputs: String::new(),
        };
        let said = BTreeMap::from([
            (first.name.to_owned(), of_record(first, &record(Some("a | b: *c*")))),
            (second.name.to_owned(), of_record(second, &record(None))),
        ]);
        let table = render(&said);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[2].ends_with("`: a \\| b: \\*c\\* | 6.12.1-amd64 | 2026-11-25 |"), "{table}");
        assert!(lines[3].contains("| **survived** `"), "{table}");
        assert!(lines[4].ends_with(" | not run |  |  |"), "{table}");
        assert_eq!(render(&rows(&table)), table);

        let other = table.replace(&catcher(first), "`another`");
        let line = render(&rows(&other)).lines().nth(2).unwrap().to_owned();
        assert!(line.ends_with(" | not run |  |  |"), "{line}");
    }

    #[test]
    fn the_page_has_every_mutation_as_it_is_now() {
        let page = PAGE.read().unwrap();
        let [_, table, _] = PAGE.split(&page).unwrap();
        assert!(table == render(&rows(table)), "{}: cargo xtask mutate --write", PAGE.path);
    }
}
