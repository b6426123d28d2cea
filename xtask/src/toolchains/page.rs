// SPDX-License-Identifier: GPL-2.0
//! docs/toolchains.md.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};

use super::{Record, SCENARIO, Toolchain};
use crate::{
    markdown::{NOT_RUN, day, rows_of, safe, table_of, words},
    paths,
};

const PAGE: &str = "docs/toolchains.md";

const HEAD: &str = "\
<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- Written by `cargo xtask toolchains --write`: changes made here are lost. -->
# What was built with which compiler

`cargo xtask toolchains` builds the module in the portable mode with each of these, as a user's machine does. Cold is
with nothing there before, on two cores; warm, with the runtime kept; size is that of its code and constants. A
warning of a compiler, objtool or modpost counts as a failure. With the oldest, the newest and the most different ones,
the scenario `SCENARIO` is run on the kernel.

bindgen is no part of it: what Rust knows of C is written into the repository (`cargo xtask bindings`), of a header that
is the same for every kernel. Where the kernel's own Rust crates are used (linked), the compiler has to be the one that
built the kernel; [matrix.md](matrix.md) has that.
";

/// What a table says of each, by its name: all of its row behind that.
type Said = BTreeMap<String, Vec<String>>;

/// Writes it: what was run here, and what it says of all else.
///
/// # Errors
/// The file cannot be read or written.
pub fn write(toolchains: &[Toolchain]) -> Result<()> {
    let path = paths::repo().join(PAGE);
    let old = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let mut said = rows(&old);
    for toolchain in toolchains {
        if let Some(record) = Record::load(toolchain) {
            said.insert(toolchain.name.clone(), of_record(toolchain, &record));
        }
    }
    fs::write(path, page(toolchains, &said)).with_context(|| format!("writing {PAGE}"))
}

/// What a page says of each.
fn rows(page: &str) -> Said {
    let row = |cells: Vec<&str>| Some((cells.first()?.to_string(), words(cells.get(1..)?)));
    rows_of(page).filter_map(row).collect()
}

fn page(toolchains: &[Toolchain], said: &Said) -> String {
    let head = ["", "rustc", "C", "kernel", "cold", "warm", "size", SCENARIO, "date", ""];
    let rows = toolchains.iter().map(|toolchain| row(toolchain, said.get(&toolchain.name)));
    let table: Vec<_> = std::iter::once(words(&head)).chain(rows).collect();
    format!("{}\n{}", HEAD.replace("SCENARIO", SCENARIO), table_of(&table))
}

fn row(toolchain: &Toolchain, said: Option<&Vec<String>>) -> Vec<String> {
    let mut row = vec![toolchain.name.clone()];
    match said {
        None => row.extend(words(&["", "", "", "", "", "", NOT_RUN, "", toolchain.about])),
        Some(said) => row.extend(said.iter().cloned()),
    }
    // Which one is the newest, for one, is another by and by.
    let failed = row.iter().any(|cell| cell == FAILED);
    if let (Some(about), false) = (row.last_mut(), failed) {
        toolchain.about.clone_into(about);
    }
    row
}

/// What a row says of one that has not built, or not passed.
const FAILED: &str = "**failed**";

fn of_record(toolchain: &Toolchain, record: &Record) -> Vec<String> {
    let date = day(&record.date).to_owned();
    let compiler = if toolchain.clang { "clang" } else { "gcc" };
    let Record { release, rustc, cc, cold, warm, size, passed, problem, .. } = record;
    if let Some(problem) = problem {
        let mut row = vec![String::new(); 6];
        row.extend([FAILED.to_owned(), date, safe(problem)]);
        return row;
    }
    let mut row = vec![rustc.clone(), format!("{compiler} {cc}"), release.clone()];
    row.extend([format!("{cold} s"), format!("{warm} s"), format!("{} kB", (size + 500) / 1000)]);
    row.extend([passed.map_or_else(String::new, |passed| format!("{passed} checks")), date]);
    row.push(toolchain.about.to_owned());
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{root::Root, toolchains::Rustc};

    #[test]
    fn what_failed_is_told_as_such() {
        let toolchain = Toolchain {
            name: "old".to_owned(),
            kernel: "debian-6.12",
            root: Root::Trixie,
            rustc: Rustc::Systems,
            clang: false,
            run: true,
            about: "the oldest",
        };
        let mut record = Record {
            release: "6.12.1".to_owned(),
            rustc: "1.78.0".to_owned(),
            cc: "14.2.0".to_owned(),
            cold: 30,
            warm: 12,
            size: 159_900,
            passed: Some(220),
            date: "2026-11-25T21:00:00Z".to_owned(),
            ..Record::default()
        };
        let page_of = |record: &Record| {
            let said = Said::from([("old".to_owned(), of_record(&toolchain, record))]);
            page(std::slice::from_ref(&toolchain), &said)
        };
        let built = page_of(&record);
        let row = "| old | 1.78.0 | gcc 14.2.0 | 6.12.1 | 30 s | 12 s | 160 kB | 220 checks | 2026-11-25 | the oldest |\n";
        assert!(built.ends_with(row), "{built}");
        record.problem = Some("a | b".to_owned());
        let failed = page_of(&record);
        let row = "| old |  |  |  |  |  |  | **failed** | 2026-11-25 | a \\| b |\n";
        assert!(failed.ends_with(row), "{failed}");

        // What is not run again is as it was, but for what the compiler is today.
        for page_before in [&built, &failed] {
            assert_eq!(&page(std::slice::from_ref(&toolchain), &rows(page_before)), page_before);
        }
        let older = Toolchain { about: "an older one", ..toolchain };
        assert!(page(&[older], &rows(&built)).ends_with("2026-11-25 | an older one |\n"));
    }
}
