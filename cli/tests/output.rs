// SPDX-License-Identifier: GPL-2.0
//! The program as people run it.

use std::process::{Command, Stdio};

#[test]
fn who_stops_reading_gets_no_panic() {
    // A pipe whose other end is gone.
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    assert!(reader.wait().unwrap().success());
    let output = Command::new(env!("CARGO_BIN_EXE_vgpu-unlock"))
        .args(["explain", "--type", "55", "--branch", "17.5", "--overrides", ""])
        .stdout(pipe)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
