// SPDX-License-Identifier: GPL-2.0
//! What was run with NVIDIA's own drivers, as a table of docs/matrix.md.

use super::{plan::Run, record::Record, results::Results};
use crate::{
    driver::PACKAGES,
    kernel,
    markdown::{NOT_RUN, day, words},
    vm,
};

/// A row for each driver, kernel and scenario; and one for each driver that no scenario has.
pub fn rows(results: &Results) -> Vec<Vec<String>> {
    let mut rows = vec![words(&["driver", "kernel", "board", "scenario", "checks", "date"])];
    for package in PACKAGES {
        let mut of_driver = vec![];
        for target in kernel::targets() {
            let is_it = |s: &&vm::Scenario| s.real_driver == Some(package.version);
            for scenario in vm::all().filter(is_it).filter(|s| s.is_for(target)) {
                let record = results.run(&Run { target, scenario });
                let release = record.map_or(target.name, |record| &record.release);
                of_driver.push(vec![
                    package.version.to_owned(),
                    release.to_owned(),
                    vm::boards_in_words(scenario.boards),
                    scenario.name.to_owned(),
                    record.map_or_else(|| NOT_RUN.to_owned(), Record::in_full),
                    record.map(|record| day(&record.date).to_owned()).unwrap_or_default(),
                ]);
            }
        }
        if of_driver.is_empty() {
            let looked_at = "looked at only: [signatures.md](signatures.md)";
            of_driver.push(words(&[package.version, "", "", "", looked_at, ""]));
        }
        rows.append(&mut of_driver);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_driver_is_told_of_and_so_is_what_was_not_run() {
        let rows = rows(&Results::default());
        for package in PACKAGES {
            assert!(rows.iter().any(|row| row[0] == package.version), "{}", package.version);
        }
        let real = rows.iter().find(|row| row[1] == "debian-6.1" && row[3] == "real").unwrap();
        assert_eq!(real[4], "not run");
        assert_eq!(real[2], "GTX 1080 Ti (10de:1b06)");
        let boards = rows.iter().find(|row| row[3] == "real-boards").unwrap();
        assert!(boards[2].contains("2 × GTX 1080 Ti") && boards[2].contains("RTX 2080 Ti"));
        let scenarios = vm::all().filter(|s| s.real_driver.is_some());
        let told: usize = scenarios.map(|s| s.targets.len()).sum();
        assert_eq!(rows.iter().filter(|row| !row[3].is_empty()).count(), told + 1);
    }
}
