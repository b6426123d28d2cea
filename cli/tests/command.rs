// SPDX-License-Identifier: GPL-2.0
//! The program itself: what it prints where, and its exit statuses.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn run(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vgpu-unlock"))
        .args(arguments)
        .current_dir(dir)
        // Help would fit the terminal.
        .stdin(Stdio::null())
        .env_remove("COLUMNS")
        .output()
        .expect("the program runs")
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn doctor_tells_scripts_by_its_exit_status() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();

    let output = run(&["doctor", "--root", "root"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with("broken: CPU virtualisation\n"), "{}", stdout(&output));

    let output = run(&["doctor", "--root", "root", "--all", "--json"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["verdict"], "broken");
    assert_eq!(json["links"][2]["link"], "board");
    assert_eq!(json["links"][2]["state"], "broken");

    let output = run(&["doctor", "--root", "none"], dir.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("none: there is no such directory"), "{}", stderr(&output));
}

#[test]
fn status_is_the_modules_own() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["status", "--root", "."], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert_eq!(stderr(&output), "vgpu_unlock is not loaded: modprobe vgpu_unlock\n");

    write(dir.path(), "sys/module/vgpu_unlock/refcnt", "0\n");
    write(dir.path(), "sys/kernel/debug/vgpu_unlock/status", "vgpu_unlock 0.1.0\n");
    write(dir.path(), "sys/kernel/debug/vgpu_unlock/status.json", "{\"new\":1}\n");
    for (arguments, expected) in [
        (&["status", "--root", "."] as &[&str], "vgpu_unlock 0.1.0\n"),
        (&["status", "--root", ".", "--json"], "{\"new\":1}\n"),
    ] {
        let output = run(arguments, dir.path());
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), expected));
    }
}

#[test]
fn report_says_what_it_holds_and_writes_over_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["report", "--root", "."], dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).starts_with("vgpu-unlock-report.txt will hold:\n"),
        "{}",
        stderr(&output)
    );
    let text = fs::read_to_string(dir.path().join("vgpu-unlock-report.txt")).unwrap();
    assert!(text.starts_with("vgpu-unlock report\n"), "{text}");

    let output = run(&["report", "--root", "."], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("exists: name another file with --output"),
        "{}",
        stderr(&output)
    );

    let output = run(&["report", "--root", ".", "--output", "-"], dir.path());
    assert!(stdout(&output).starts_with("vgpu-unlock report\n"));
}

#[test]
fn without_a_command_there_is_a_page_that_leads() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&[], dir.path());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let page = stdout(&output);
    assert_eq!(page, stdout(&run(&["--help"], dir.path())));
    let (before, commands) = page.split_once("\nCommands:\n").unwrap();
    assert!(before.contains("Begin with `vgpu-unlock doctor`"), "{page}");
    let commands: Vec<_> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    let expected =
        ["doctor", "status", "plan", "import", "apply", "explain", "inspect", "report", "help"];
    assert_eq!(commands, expected, "{page}");
    assert!(page.lines().count() < 30, "{page}");
    for command in expected {
        let help = stdout(&run(&[command, "--help"], dir.path()));
        for line in page.lines().chain(help.lines()) {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
    }
}

#[test]
fn completions_and_manual_pages_are_of_all_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["generate", "completions", shell], dir.path());
        let text = stdout(&output);
        for word in ["doctor", "status", "report", "inspect"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    let page = stdout(&run(&["generate", "man"], dir.path()));
    assert!(page.contains(".TH vgpu-unlock 1"), "{page}");
    assert!(page.contains("doctor") && !page.contains("generate"), "{page}");

    let output = run(&["generate", "man", "--output", "."], dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in [
        "vgpu-unlock.1",
        "vgpu-unlock-apply.1",
        "vgpu-unlock-doctor.1",
        "vgpu-unlock-report.1",
        "vgpu-unlock-status.1",
    ] {
        assert!(names.iter().any(|it| it == name), "{name} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("generate")), "{names:?}");
    let doctor = fs::read_to_string(dir.path().join("vgpu-unlock-doctor.1")).unwrap();
    assert!(doctor.contains("Exit status"), "{doctor}");
}
