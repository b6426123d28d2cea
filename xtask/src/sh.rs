// SPDX-License-Identifier: GPL-2.0
//! Running other programs, with errors that say which one, and showing that a long step is alive.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs `command` to its end; its output goes to `log` and is shown only when it fails.
///
/// # Errors
/// The program cannot be started, or it exits with another code than 0.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let file = std::fs::File::create(log).with_context(|| format!("creating {}", log.display()))?;
    let status = command
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        bail!("{command:?} failed ({status}); the end of {}:\n{tail}", log.display());
    }
    Ok(())
}

/// Runs `command` and returns what it printed.
///
/// # Errors
/// The program cannot be started, or it exits with another code than 0.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("starting {command:?}"))?;
    if !out.status.success() {
        bail!("{command:?} failed ({}):\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A line that shows `what` and the seconds it has taken, until it is dropped.
///
/// Without a terminal it prints `what` once, so that a log shows which step a long wait belongs to.
pub fn progress(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if bar.is_hidden() {
        eprintln!("... {what}");
    }
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The only target that anything here is built for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds a program of this workspace and returns its path.
///
/// # Errors
/// It does not compile.
pub fn cargo_build(package: &str) -> Result<PathBuf> {
    cargo_build_with(package, "")
}

/// As [`cargo_build`], without shared libraries: for a guest that has none.
///
/// # Errors
/// As [`cargo_build`].
pub fn cargo_build_static(package: &str) -> Result<PathBuf> {
    cargo_build_with(package, "-C target-feature=+crt-static")
}

fn cargo_build_with(package: &str, flags: &str) -> Result<PathBuf> {
    let _bar = progress(&format!("building {package}"));
    // One directory per set of flags: cargo would otherwise build everything anew at each change.
    let dir = crate::paths::cache().join(if flags.is_empty() { "target" } else { "target-static" });
    output(
        Command::new("cargo")
            .current_dir(crate::paths::repo())
            .args(["build", "--release", "--quiet", "--package", package, "--target", TARGET])
            .arg("--target-dir")
            .arg(&dir)
            .env("RUSTFLAGS", flags),
    )?;
    Ok(dir.join(TARGET).join("release").join(package))
}
