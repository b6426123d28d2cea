// SPDX-License-Identifier: GPL-2.0
//! What the README shows of files and of output.

use std::process::Command;

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
