// SPDX-License-Identifier: GPL-2.0
//! docs/faults.md names checks that there are.

use super::{complain, files, read};

#[test]
fn checks_that_the_table_of_faults_names_are_there() {
    let mut complaints = vec![];
    let sources: Vec<String> = files()
        .iter()
        .filter(|file| file.starts_with("tests/guest/src/scenario/"))
        .map(|file| read(file))
        .collect();
    let scenarios = read("xtask/src/vm/scenario.rs");
    let mut named = 0;
    for row in read("docs/faults.md").lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, scenario, check] = cells[..] else { continue };
        let quoted = |cell: &str| Some(cell.split_once('`')?.1.split_once('`')?.0.to_owned());
        let (Some(scenario), Some(check)) = (quoted(scenario), quoted(check)) else { continue };
        named += 1;
        if !scenarios.contains(&format!("name: \"{scenario}\"")) {
            complaints.push(format!("{row}: there is no scenario {scenario}"));
        }
        if !sources.iter().any(|source| source.contains(&format!("\"{check}\""))) {
            complaints.push(format!("{row}: no scenario checks {check:?}"));
        }
    }
    if named < 15 {
        complaints.push(format!("docs/faults.md names {named} checks only"));
    }
    complain(complaints);
}
