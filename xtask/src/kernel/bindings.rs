// SPDX-License-Identifier: GPL-2.0
//! Rust's view of what passes between Rust and C: made from shim.h, the same for every kernel, and kept
//! with the sources so that nobody who installs us needs bindgen.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{paths, sh};

const HEADER: &str = "module/src/shim/shim.h";
const BINDINGS: &str = "module/src/sys/bindings.rs";

/// What C calls: Rust defines these itself (sys/events.rs).
const RUSTS: &str = "vu_module_(coming|going)|vu_boards_changed|vu_work_run|vu_answered|vu_copying|\
                     vu_file_show|vu_param_(set|get)|vu_types?_(show|create|register|unregister)|vu_init|\
                     vu_exit|vu_bug";

/// Lints that generated code does not keep, behind the line that names the licence.
const HEAD: &str = "\
// SPDX-License-Identifier: GPL-2.0
//! What bindgen makes of shim.h: `cargo xtask bindings`.
#![allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_pub,
    clippy::all,
    reason = \"generated\"
)]";

/// Makes them anew.
///
/// # Errors
/// bindgen refuses the header, or the file cannot be written.
pub fn write() -> Result<()> {
    let to = paths::repo().join(BINDINGS);
    fs::write(&to, made()?).with_context(|| format!("writing {}", to.display()))
}

/// Says whether they are what would be made now.
///
/// # Errors
/// They are not, or bindgen refuses the header.
pub fn check() -> Result<()> {
    let path = paths::repo().join(BINDINGS);
    let kept = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    ensure!(kept == made()?, "{BINDINGS} is not what {HEADER} says: cargo xtask bindings");
    Ok(())
}

fn made() -> Result<String> {
    let text = sh::output(
        Command::new("bindgen")
            .current_dir(paths::repo())
            .arg(HEADER)
            .args(["--rust-target", "1.78", "--use-core", "--ctypes-prefix", "core::ffi"])
            .args(["--no-layout-tests", "--no-doc-comments", "--no-debug", ".*"])
            .args([
                "--merge-extern-blocks",
                "--disable-header-comment",
                "--formatter",
                "none",
                "--allowlist-file",
                ".*/shim/.*",
            ])
            .args(["--blocklist-function", RUSTS])
            .args(["--", "-D__BINDGEN__", "--target=x86_64-linux-gnu"]),
    )?;
    // rustfmt's own settings, not the project's: nobody reads it.
    let file = tempfile(&format!("{HEAD}\n\n{text}"))?;
    sh::output(
        Command::new("rustfmt")
            .args(["--edition", "2021", "--config-path"])
            .arg(paths::repo())
            .arg(&file),
    )?;
    let text = fs::read_to_string(&file).context("reading what rustfmt has left")?;
    fs::remove_file(&file).context("removing what rustfmt has left")?;
    Ok(text)
}

fn tempfile(text: &str) -> Result<std::path::PathBuf> {
    let path = std::env::temp_dir().join(format!("vgpu-unlock-bindings-{}.rs", std::process::id()));
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
