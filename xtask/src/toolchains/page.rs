// SPDX-License-Identifier: GPL-2.0
//! docs/toolchains.md.

use std::fs;

use anyhow::{Context, Result};

use super::{Record, SCENARIO, Toolchain};
use crate::{
    markdown::{NOT_RUN, day, safe, table_of, words},
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

/// Writes it from all that is kept here.
///
/// # Errors
/// The file cannot be written.
pub fn write(toolchains: &[Toolchain]) -> Result<()> {
    let rows = toolchains.iter().map(|toolchain| (toolchain, Record::load(toolchain)));
    let rows: Vec<_> = rows.collect();
    fs::write(paths::repo().join(PAGE), page(&rows)).with_context(|| format!("writing {PAGE}"))
}

fn page(rows: &[(&Toolchain, Option<Record>)]) -> String {
    let head = ["", "rustc", "C", "kernel", "cold", "warm", "size", SCENARIO, "date", ""];
    let rows = rows.iter().map(|(toolchain, record)| row(toolchain, record.as_ref()));
    let table: Vec<_> = std::iter::once(words(&head)).chain(rows).collect();
    format!("{}\n{}", HEAD.replace("SCENARIO", SCENARIO), table_of(&table))
}

fn row(toolchain: &Toolchain, record: Option<&Record>) -> Vec<String> {
    let Some(record) = record else {
        let mut row = words(&[&toolchain.name, "", "", "", "", "", "", NOT_RUN, ""]);
        row.push(toolchain.about.to_owned());
        return row;
    };
    let date = day(&record.date).to_owned();
    let compiler = if toolchain.clang { "clang" } else { "gcc" };
    let Record { release, rustc, cc, cold, warm, size, passed, problem, .. } = record;
    let mut row = vec![toolchain.name.clone()];
    if let Some(problem) = problem {
        row.resize(7, String::new());
        row.extend(["**failed**".to_owned(), date, safe(problem)]);
        return row;
    }
    row.extend([rustc.clone(), format!("{compiler} {cc}"), release.clone()]);
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
        let row = |record: &Record| row(&toolchain, Some(record)).join(" | ");
        assert_eq!(
            row(&record),
            "old | 1.78.0 | gcc 14.2.0 | 6.12.1 | 30 s | 12 s | 160 kB | 220 checks | 2026-11-25 | the oldest"
        );
        record.problem = Some("a | b".to_owned());
        assert_eq!(row(&record), "old |  |  |  |  |  |  | **failed** | 2026-11-25 | a \\| b");
    }
}
