// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock apply` as people and systemd run it, on files that stand for the module's.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

const FILE: &str = "etc/vgpu_unlock/overrides.toml";
const OVERRIDES: &str = "sys/module/vgpu_unlock/parameters/overrides";
const PARTS: &str = "sys/module/vgpu_unlock/parameters/overrides_part";
const IN_FORCE: &str = "sys/kernel/debug/vgpu_unlock/overrides";

const TOML: &str =
    "[profile.nvidia-46]\nframebuffer = \"2GiB\"\n[vm.100]\ncard_name = \"My GPU\"\n";
const TEXT: &str = "nvidia-46:framebuffer=2GiB;vm/100:card_name='My GPU'";

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vgpu-unlock"))
        .args(["apply", "--root", "."])
        .args(arguments)
        .current_dir(dir)
        // Errors as people see them.
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("the program runs")
}

/// The exit status, and what is said where.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn without_a_file_there_is_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = said(&run(dir.path(), &[]));
    assert_eq!((code, &out[..]), (Some(0), &format!("there is no ./{FILE}: nothing to do\n")[..]));
    // One that is named should be there.
    let (code, _, err) = said(&run(dir.path(), &["mine.toml"]));
    assert_eq!((code, &err[..]), (Some(1), "Error: mine.toml: there is no such file\n"));
}

#[test]
fn a_wrong_file_is_refused_in_the_words_of_import() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE, "[vm.100]\nnum_displays = two\n");
    write(dir.path(), OVERRIDES, "vm/100:num_displays=1\n");
    for arguments in [&[] as &[&str], &["--check"], &["--dry-run"], &["--boot"]] {
        let (code, out, err) = said(&run(dir.path(), arguments));
        assert_eq!((code, &out[..]), (Some(1), ""));
        assert!(
            err.starts_with(&format!("./{FILE}:2: error: [vm.100] num_displays = two: ")),
            "{err}"
        );
        assert!(
            err.contains("\nError: nothing was loaded, because of the errors above; what is"),
            "{err}"
        );
        assert_eq!(read(dir.path(), OVERRIDES), "vm/100:num_displays=1\n");
    }
    fs::write(dir.path().join(FILE), b"\xff\xfe[\0").unwrap();
    let (code, _, err) = said(&run(dir.path(), &[]));
    assert!(code == Some(1) && err.contains("this is UTF-16"), "{err}");
}

#[test]
fn a_module_that_is_not_loaded_is_no_error_at_boot_only() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE, TOML);
    for (arguments, expected) in [(&[] as &[&str], 1), (&["--boot"], 0), (&["--dry-run"], 1)] {
        let (code, out, err) = said(&run(dir.path(), arguments));
        assert_eq!((code, &out[..]), (Some(expected), ""));
        assert_eq!(err, "vgpu_unlock is not loaded, so nothing was: modprobe vgpu_unlock\n");
    }
    let (code, out, _) = said(&run(dir.path(), &["--check"]));
    let right = format!("./{FILE} is right: 2 settings of 2 targets\n");
    assert_eq!((code, out), (Some(0), right));
}

#[test]
fn what_changes_is_printed_and_loaded() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE, TOML);
    write(dir.path(), OVERRIDES, "nvidia-46:framebuffer=1GiB,num_displays=1\n");
    let changes = "nvidia-46: num_displays 1 -> not set\nnvidia-46: framebuffer 1GiB -> 2GiB\n\
                   vm/100: card_name not set -> 'My GPU'\n";
    let (code, out, err) = said(&run(dir.path(), &["--dry-run"]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, format!("{changes}nothing was loaded: that was --dry-run\n"));
    assert!(read(dir.path(), OVERRIDES).starts_with("nvidia-46:framebuffer=1GiB"));

    let (code, out, err) = said(&run(dir.path(), &[]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, format!("{changes}./{FILE} is in force: 2 settings of 2 targets\n"));
    assert_eq!(read(dir.path(), OVERRIDES), TEXT);
    let (code, out, _) = said(&run(dir.path(), &[]));
    let already = format!("./{FILE} is in force already: 2 settings of 2 targets\n");
    assert_eq!((code, out), (Some(0), already));

    write(dir.path(), "mine.toml", "");
    let (code, _, _) = said(&run(dir.path(), &["mine.toml"]));
    assert_eq!((code, &read(dir.path(), OVERRIDES)[..]), (Some(0), "\n"));
}

#[test]
fn a_module_that_takes_pieces_gets_each_by_a_write_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE, TOML);
    write(dir.path(), OVERRIDES, "\n");
    write(dir.path(), PARTS, "");
    write(dir.path(), IN_FORCE, "");
    let (code, _, err) = said(&run(dir.path(), &[]));
    // A file puts what it gets one behind the other, and nothing is in force by that.
    assert_eq!(read(dir.path(), PARTS), format!("begin{TEXT}commit"));
    assert_eq!(code, Some(1));
    assert!(
        err.contains("has something else in force: nvidia-46: framebuffer not set -> 2GiB"),
        "{err}"
    );
}

#[test]
fn that_nobody_reads_keeps_nothing_from_being_loaded() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE, TOML);
    write(dir.path(), OVERRIDES, "\n");
    // A pipe whose other end is gone.
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    assert!(reader.wait().unwrap().success());
    let output = Command::new(env!("CARGO_BIN_EXE_vgpu-unlock"))
        .args(["apply", "--root", "."])
        .current_dir(dir.path())
        .stdout(pipe)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output).2);
    assert_eq!(read(dir.path(), OVERRIDES), TEXT);
}
