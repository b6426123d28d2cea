// SPDX-License-Identifier: GPL-2.0
//! Results as people read them: docs/matrix.md, the table in README.md, and what a command prints.

use std::fs;

use anyhow::{Context, Result};

use super::{
    drivers,
    plan::{Run, runs},
    record::Record,
    results::Results,
};
use crate::{
    generated::Page,
    kernel::{self, Target},
    markdown::{NOT_RUN, day, safe, table_of, words},
    paths,
    vm::{self, Scenario},
};

/// README.md, with what is run on each kernel.
const README: Page = Page { path: "README.md", part: "matrix" };
const PAGE: &str = "docs/matrix.md";

const HEAD: &str = "\
<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- Written by `cargo xtask matrix --write` from matrix.json: changes made here are lost. -->
# What was run on which kernel

`cargo xtask matrix` builds the module for each kernel, boots it in a virtual machine (QEMU without KVM), and
runs the scenarios that are meant for it; `cargo xtask vm` says what each of them shows. Cold is what a user's
machine takes to build the module where nothing was there before, on two cores; warm, with the runtime kept; size
is that of its code and constants.
";

const DRIVERS: &str = "\
## NVIDIA's own drivers

Debian's builds of NVIDIA's drivers have the board checks and the capability tables of the vGPU host packages, and no
vGPU types. The boards are emulated: configuration space, BARs, and what the driver reads in them.
";

/// Writes docs/matrix.json, docs/matrix.md and the table in README.md from all that is known.
///
/// # Errors
/// A file cannot be read or written, or README.md has lost the table's place.
pub fn write() -> Result<()> {
    let runs = runs();
    let results = Results::committed()?.merged(Results::recorded(&runs));
    let text = results.text(&runs)?;
    // What was read would be what is written, had it not gone through a file.
    let results = Results::parse(&text)?;
    let write = |name: &str, text: &str| {
        fs::write(paths::repo().join(name), text).with_context(|| format!("writing {name}"))
    };
    write("docs/matrix.json", &text)?;
    write(PAGE, &page(&results))?;
    README.rewrite(|_| Ok(table(&results)))
}

/// The kernels of these runs, in columns.
pub fn overview(results: &Results, runs: &[Run]) -> String {
    let rows = kernels(results, runs);
    let mut widths = vec![];
    for row in &rows {
        widths.resize(row.len(), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").replace("**", "").trim_end())
    };
    rows.iter().map(line).collect()
}

/// What README.md says.
fn table(results: &Results) -> String {
    format!(
        "{}\nKilobytes of the module's code and constants; seconds on two cores, to the end of the build.\n\
         [docs/matrix.md]({PAGE}) says what was run.\n",
        table_of(&kernels(results, &runs()))
    )
}

/// docs/matrix.md.
fn page(results: &Results) -> String {
    let runs = runs();
    let mut page = format!("{HEAD}\n{}", table_of(&kernels(results, &runs)));
    page += &format!("\n## Checks that passed\n\n{}", table_of(&scenarios(results)));
    page += &format!("\n{DRIVERS}\n{}", table_of(&drivers::rows(results)));
    for target in kernel::targets() {
        page += &format!("\n## {}\n\n", target.name);
        if let Some(build) = results.build(target.name) {
            page += &match &build.problem {
                Some(problem) => {
                    format!("**does not build**, {}: {}\n\n", day(&build.date), safe(problem))
                }
                None => format!(
                    "{}, {}: rustc {}, gcc {}, built {}\n\n",
                    build.release,
                    build.mode,
                    build.rustc,
                    build.gcc,
                    day(&build.date)
                ),
            };
        }
        let of_target = runs.iter().filter(|run| run.target.name == target.name);
        let mut rows = vec![words(&["scenario", "checks", "kernel", "seconds", "date"])];
        rows.extend(of_target.map(|run| match results.run(run) {
            None => words(&[run.scenario.name, NOT_RUN, "", "", ""]),
            Some(record) => vec![
                run.scenario.name.to_owned(),
                record.in_full(),
                record.release.clone(),
                record.seconds.to_string(),
                day(&record.date).to_owned(),
            ],
        }));
        page += &table_of(&rows);
    }
    page
}

/// A row for each kernel of `runs`, below their headings.
fn kernels(results: &Results, runs: &[Run]) -> Vec<Vec<String>> {
    let mut rows = vec![words(&[
        "kernel",
        "mode",
        "rustc",
        "cold",
        "warm",
        "size",
        "scenarios passed",
        "date",
    ])];
    for target in kernel::targets() {
        let of_target: Vec<_> =
            runs.iter().filter(|run| run.target.name == target.name).copied().collect();
        if !of_target.is_empty() {
            rows.push(kernel(results, target, &of_target));
        }
    }
    rows
}

fn kernel(results: &Results, target: &Target, runs: &[Run]) -> Vec<String> {
    let records: Vec<_> = runs.iter().filter_map(|run| results.run(run)).collect();
    let build = results.build(target.name);
    let built = build.filter(|build| build.problem.is_none());
    let passed = records.iter().filter(|record| record.problem.is_none()).count();
    let mut said = vec![format!("{passed} of {}", runs.len())];
    match records.len() - passed {
        0 => {}
        failed => said.push(format!("**{failed} failed**")),
    }
    match runs.len() - records.len() {
        0 => {}
        missing => said.push(format!("{missing} {NOT_RUN}")),
    }
    if let Some(problem) = build.and_then(|build| build.problem.as_ref()) {
        said.insert(0, format!("**does not build**: {}", safe(problem)));
    }
    let release = build.map(|build| build.release.as_str()).filter(|release| !release.is_empty());
    let release = release.or(records.last().map(|record| record.release.as_str()));
    let mut dates: Vec<&str> = records.iter().map(|record| day(&record.date)).collect();
    dates.extend(build.map(|build| day(&build.date)));
    let dates = match (dates.iter().min(), dates.iter().max()) {
        (Some(first), Some(last)) if first == last => (*first).to_owned(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => NOT_RUN.to_owned(),
    };
    let release = release.unwrap_or(target.name);
    vec![
        // What its version says is what a module is to take it for.
        match target.own {
            Some(_) => format!("{release} (built by us: {})", target.name),
            None => release.to_owned(),
        },
        target.mode.name().to_owned(),
        built.map(|build| build.rustc.clone()).unwrap_or_default(),
        built.map(|build| format!("{} s", build.cold)).unwrap_or_default(),
        built.map(|build| format!("{} s", build.warm)).unwrap_or_default(),
        built.map(|build| format!("{} kB", (build.size + 500) / 1000)).unwrap_or_default(),
        said.join(", "),
        dates,
    ]
}

/// A row for each scenario, a column for each kernel.
fn scenarios(results: &Results) -> Vec<Vec<String>> {
    let mut head = vec!["scenario".to_owned()];
    head.extend(
        kernel::targets().map(|target| target.name.trim_start_matches("debian-").to_owned()),
    );
    let row = |scenario: &'static Scenario| {
        let cell = |target: &'static Target| {
            if !scenario.is_for(target) {
                return String::new();
            }
            results.run(&Run { target, scenario }).map_or(NOT_RUN.to_owned(), in_short)
        };
        let mut row = vec![scenario.name.to_owned()];
        row.extend(kernel::targets().map(cell));
        row
    };
    std::iter::once(head).chain(vm::all().map(row)).collect()
}

fn in_short(record: &Record) -> String {
    match record.problem {
        None => record.passed.to_string(),
        Some(_) => "**failed**".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::Build, *};

    fn made_up() -> Results {
        let build = Build {
            target: "debian-6.1".to_owned(),
            release: "6.1.0-56-amd64".to_owned(),
            rustc: "1.85.1".to_owned(),
            gcc: "14.2.0".to_owned(),
            cold: 41,
            warm: 12,
            size: 118_700,
            date: "2026-11-25T10:00:00Z".to_owned(),
            ..Build::default()
        };
        let unbuilt = Build {
            target: "debian-7.3".to_owned(),
            problem: Some("a.c:3: error: 'b' | *c*".to_owned()),
            date: "2026-11-24T10:00:00Z".to_owned(),
            ..Build::default()
        };
        let run = Record {
            target: "debian-6.1".to_owned(),
            scenario: "standin".to_owned(),
            release: "6.1.0-56-amd64".to_owned(),
            passed: 61,
            seconds: 70,
            date: "2026-11-23T10:00:00Z".to_owned(),
            ..Record::default()
        };
        let failed = Record {
            scenario: "rm-control".to_owned(),
            failed: 2,
            skipped: 1,
            problem: Some("a check: 1 is not 2".to_owned()),
            ..run.clone()
        };
        Results::new(vec![build, unbuilt], vec![run, failed])
    }

    fn line<'a>(text: &'a str, begin: &str) -> &'a str {
        text.lines()
            .find(|line| line.starts_with(begin))
            .unwrap_or_else(|| panic!("{begin}: {text}"))
    }

    #[test]
    fn failures_are_shown_and_so_is_what_never_ran() {
        let results = made_up();
        for text in [table(&results), page(&results)] {
            let all = runs().iter().filter(|run| run.target.name == "debian-6.1").count();
            let not_run = all - 2;
            assert_eq!(
                line(&text, "| 6.1.0-56-amd64 "),
                format!(
                    "| 6.1.0-56-amd64 | portable | 1.85.1 | 41 s | 12 s | 119 kB | \
                     1 of {all}, **1 failed**, {not_run} not run | 2026-11-23 to 2026-11-25 |"
                )
            );
            assert_eq!(
                line(&text, "| debian-7.3 "),
                "| debian-7.3 | portable |  |  |  |  | **does not build**: a.c:3: error: 'b' \\| \\*c\\*, \
                 0 of 4, 4 not run | 2026-11-24 |"
            );
            assert_eq!(
                line(&text, "| sid "),
                "| sid | portable |  |  |  |  | 0 of 3, 3 not run | not run |"
            );
        }
        let page = page(&results);
        let section = page.split_once("\n## debian-6.1\n").unwrap().1;
        assert_eq!(
            line(section, "| standin "),
            "| standin | 61 passed | 6.1.0-56-amd64 | 70 | 2026-11-23 |"
        );
        assert_eq!(
            line(section, "| rm-control "),
            "| rm-control | **failed**: 61 passed, 2 failed, 1 skipped: a check: 1 is not 2 | \
             6.1.0-56-amd64 | 70 | 2026-11-23 |"
        );
        assert_eq!(line(section, "| mdev "), "| mdev | not run |  |  |  |");
        let section = page.split_once("\n## debian-7.3\n").unwrap().1;
        assert!(
            line(section, "**does not build**")
                .starts_with("**does not build**, 2026-11-24: a.c:3")
        );
        assert!(line(&page, "| rm-control ").contains("| **failed** |"));
        assert!(line(&page, "| standin ").contains("| not run | 61 | not run |"));
    }

    #[test]
    fn every_row_has_the_heads_cells() {
        for results in [made_up(), Results::default()] {
            for rows in [kernels(&results, &runs()), scenarios(&results)] {
                assert!(rows.len() > kernel::targets().count().min(20));
                assert!(rows.iter().all(|row| row.len() == rows[0].len()));
            }
        }
        let runs = runs();
        let some: Vec<_> = runs.iter().filter(|run| run.target.name == "sid").copied().collect();
        assert_eq!(overview(&Results::default(), &some).lines().count(), 2);
    }

    #[test]
    fn the_repositorys_tables_are_what_matrix_json_says() {
        let results = Results::committed().unwrap();
        let cure = "cargo xtask matrix --write";
        let text = fs::read_to_string(Results::path()).unwrap();
        assert_eq!(text, results.text(&runs()).unwrap(), "docs/matrix.json: {cure}");
        let written = fs::read_to_string(paths::repo().join(PAGE)).unwrap();
        assert_eq!(written, page(&results), "{PAGE}: {cure}");
        let readme = README.read().unwrap();
        let [_, part, _] = README.split(&readme).unwrap();
        assert_eq!(part, table(&results), "{}: {cure}", README.path);
    }
}
