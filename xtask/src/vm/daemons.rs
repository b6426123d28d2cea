// SPDX-License-Identifier: GPL-2.0
//! Stand-ins for nvidia-vgpud that give boards up, in the forms of tests/daemons/vgpud.c.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{paths, sh};

/// What tells them apart: how the compiler is called.
const FORMS: [(&str, &[&str]); 4] = [
    ("fixed", &["-no-pie", "-fno-pie", "-DLOOPS=1"]),
    ("relative", &["-static-pie", "-fPIE", "-DLOOPS=1", "-DRELATIVE"]),
    ("twice", &["-no-pie", "-fno-pie", "-DLOOPS=2"]),
    ("otherwise", &["-no-pie", "-fno-pie", "-DLOOPS=0"]),
];

/// They need no library, and nobody is to add code of a form that nobody expects.
const FLAGS: [&str; 10] = [
    "-O1",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-nostdlib",
    "-static",
];

/// Builds them; returns their paths in the guest and here.
///
/// # Errors
/// One does not compile.
pub fn build() -> Result<Vec<(String, PathBuf)>> {
    let source = paths::repo().join("tests/daemons/vgpud.c");
    let mut built = vec![];
    for (form, flags) in FORMS {
        let dir = paths::cache().join("build/daemons").join(form);
        fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
        // The kernel calls a process by its file's name.
        let program = dir.join("nvidia-vgpud");
        let mut gcc = Command::new("gcc");
        sh::output(gcc.args(FLAGS).args(flags).arg("-o").arg(&program).arg(&source))?;
        built.push((format!("daemons/{form}/nvidia-vgpud"), program));
    }
    Ok(built)
}
