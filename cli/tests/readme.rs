// SPDX-License-Identifier: GPL-2.0
//! What the README shows of files and of output.

use std::{collections::BTreeSet, process::Command};

const README: &str = include_str!("../../README.md");

/// The blocks that begin with this line, without it.
fn blocks(first: &str) -> Vec<&'static str> {
    let begins = format!("\n```{first}\n");
    let behind = README.split(&*begins).skip(1);
    behind.map(|text| text.split_once("```\n").expect("a block ends").0).collect()
}

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vgpu-unlock")).args(arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn files_that_are_shown_are_right() {
    let files = blocks("toml");
    assert_eq!(files.len(), 1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("overrides.toml");
    std::fs::write(&file, files[0]).unwrap();
    // A root without boards, so that nothing is said about this host's.
    let root = dir.path().to_str().unwrap();
    let (right, said) = run(&["apply", "--check", "--root", root, file.to_str().unwrap()]);
    assert!(right && said.ends_with("is right: 3 settings of 2 targets\n"), "{said}");
}

#[test]
fn plans_that_are_shown_are_made_by_a_run() {
    let block = README.split("\n$ vgpu-unlock plan").nth(1).expect("there is one");
    let (arguments, shown) = block.split_once('\n').unwrap();
    let shown = shown.split_once("```\n").expect("a block ends").0;
    let arguments: Vec<_> = ["plan"].into_iter().chain(arguments.split_whitespace()).collect();
    assert_eq!(run(&arguments), (true, shown.to_owned()));
}

/// Words that a command begins with, where README names one within a sentence or a table.
const PROGRAMS: [&str; 18] = [
    "apt",
    "cargo",
    "dkms",
    "echo",
    "install",
    "journalctl",
    "lspci",
    "mdevctl",
    "modinfo",
    "modprobe",
    "mokutil",
    "printf",
    "rmmod",
    "scripts/in-root",
    "scripts/install",
    "sysctl",
    "systemctl",
    "vgpu-unlock",
];

/// A command of a line of code, and without what it does.
fn without_comment(line: &str) -> &str {
    line.split_once(" #").map_or(line, |(command, _)| command).trim()
}

/// All that README tells to type.
fn commands() -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    // What is shown of files and output stands in fences: every second part.
    for text in README.split("\n```").step_by(2) {
        for line in text.lines() {
            if let Some(code) = line.strip_prefix("    ") {
                // A file's line, and the end of a comment.
                if !code.starts_with("options ") && !code.trim_start().starts_with('#') {
                    commands.extend(without_comment(code).split("; ").map(str::to_owned));
                }
                continue;
            }
            let quoted = line.split('`').skip(1).step_by(2);
            let typed = quoted.filter(|text| {
                let word = text.split(' ').next().unwrap_or_default();
                let is_name = !text.contains(' ') && word != "vgpu-unlock" && !word.contains('/');
                // What modprobe says, and not what it is told.
                PROGRAMS.contains(&word) && !is_name
            });
            commands.extend(typed.map(str::to_owned));
        }
    }
    commands
}

#[test]
fn every_command_is_said_to_be_run_somewhere() {
    let list = include_str!("../../tests/commands");
    let mut places: Vec<(&str, BTreeSet<String>)> = vec![];
    for line in list.lines().filter(|line| !line.is_empty()) {
        match (line.strip_prefix("# ["), places.last_mut()) {
            (Some(place), _) => places.push((place.split(']').next().unwrap(), BTreeSet::new())),
            (None, Some((_, there))) => assert!(there.insert(line.to_owned()), "twice: {line}"),
            (None, None) => {}
        }
    }
    let named: BTreeSet<String> = places.iter().flat_map(|(_, there)| there.clone()).collect();
    assert_eq!(named.len(), places.iter().map(|(_, there)| there.len()).sum::<usize>());
    let typed = commands();
    let missing: Vec<_> = typed.difference(&named).collect();
    assert!(missing.is_empty(), "tests/commands does not have {missing:#?}");
    let gone: Vec<_> = named.difference(&typed).collect();
    assert!(gone.is_empty(), "README.md does not tell to type {gone:#?}");
}
