// SPDX-License-Identifier: GPL-2.0
//! Running all that reaches lines, instrumented, and adding it up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::report::{self, File, PART};
use crate::{
    apt::{self, Apt},
    dirs, paths, sh,
};

/// Given by name, it keeps cargo from instrumenting what only runs while something is built.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What was run, and what it has reached.
pub struct Coverage {
    pub files: Vec<File>,
    /// Inputs that fuzzing has kept here.
    pub inputs: usize,
}

/// Runs cargo's tests of the pure files and of the fuzzer's targets, and the targets on every input in the cache.
///
/// # Errors
/// Something can't be fetched, does not compile, or fails.
pub fn run() -> Result<Coverage> {
    let dir = paths::cache().join("coverage");
    let tools = tools(&dir)?;
    let profiles = dir.join("profiles");
    dirs::empty(&profiles)?;

    let tests =
        build(&dir, &["test", "--no-run", "--package", "vgpu_unlock", "--package", "fuzz"])?;
    let replay = build(&dir, &["build", "--package", "fuzz", "--bin", "replay"])?;
    for test in &tests {
        let _bar = sh::progress(&format!("running {}", test.display()));
        // Some look for files beside their crate.
        let package = if name_of(test).starts_with("fuzz") { "tests/fuzz" } else { "module" };
        let mut command = Command::new(test);
        command.arg("--quiet").current_dir(paths::repo().join(package));
        command.env("CARGO_MANIFEST_DIR", paths::repo().join(package));
        sh::output(profiled(&mut command, &profiles))?;
    }
    let corpora = paths::cache().join("fuzz/corpus");
    let inputs = match corpora.exists() {
        true => {
            let _bar = sh::progress("running what fuzzing has kept");
            let [replay] = replay.as_slice() else { bail!("there is no program replay") };
            let text = sh::output(profiled(Command::new(replay).arg(&corpora), &profiles))?;
            text.trim().parse().with_context(|| format!("it said {text:?}"))?
        }
        false => 0,
    };
    let programs: Vec<PathBuf> = tests.into_iter().chain(replay).collect();
    Ok(Coverage { files: report::read(&export(&tools, &dir, &programs)?)?, inputs })
}

fn name_of(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn profiled<'a>(command: &'a mut Command, profiles: &Path) -> &'a mut Command {
    command.env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"))
}

/// Has cargo build, instrumented, and returns the programs.
fn build(dir: &Path, arguments: &[&str]) -> Result<Vec<PathBuf>> {
    let _bar = sh::progress("building what counts where it goes");
    let text = sh::output(
        Command::new("cargo")
            .current_dir(paths::repo())
            .args(arguments)
            .args(["--quiet", "--message-format", "json", "--target", TRIPLE, "--target-dir"])
            .arg(dir.join("target"))
            .env("RUSTFLAGS", "-C instrument-coverage")
            // What runs while it is built writes, too.
            .env("LLVM_PROFILE_FILE", dir.join("build.profraw")),
    )?;
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    };
    let programs: Vec<PathBuf> = text.lines().filter_map(program).collect();
    ensure!(!programs.is_empty(), "cargo has built nothing");
    Ok(programs)
}

/// What each line was counted, in LCOV's format.
fn export(tools: &Path, dir: &Path, programs: &[PathBuf]) -> Result<String> {
    let _bar = sh::progress("adding it up");
    let (list, merged) = (dir.join("list"), dir.join("merged.profdata"));
    let mut profiles = String::new();
    for entry in fs::read_dir(dir.join("profiles")).context("looking for profiles")? {
        profiles.push_str(&format!("{}\n", entry?.path().display()));
    }
    ensure!(!profiles.is_empty(), "nothing was counted");
    fs::write(&list, profiles).with_context(|| format!("writing {}", list.display()))?;
    let mut merge = Command::new(tools.join("llvm-profdata"));
    merge.args(["merge", "-sparse", "-o"]).arg(&merged).arg("-f").arg(&list);
    sh::output(&mut merge)?;

    let mut export = Command::new(tools.join("llvm-cov"));
    export.args(["export", "-format=lcov", "-instr-profile"]).arg(&merged);
    for program in programs {
        export.arg("-object").arg(program);
    }
    sh::output(export.arg("-sources").arg(paths::repo().join(PART)))
}

/// Where LLVM's programs of rustc's LLVM are. Debian's rustc comes without them: their package is unpacked in the
/// cache, so that nobody's root grows by it; its library is the root's.
fn tools(dir: &Path) -> Result<PathBuf> {
    let version = sh::output(Command::new("rustc").arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = line.and_then(|line| line.split('.').next()).context("rustc names no LLVM")?;
    let package = format!("llvm-{major}");
    let into = dir.join(&package);
    if !into.exists() {
        let apt = Apt::for_root()?;
        let (name, version) = apt.newest(&package)?;
        apt::unpack(&[apt.download(&name, &version)?], &into, |_| Ok(()))
            .with_context(|| format!("unpacking {package}"))?;
    }
    Ok(into.join(format!("usr/lib/llvm-{major}/bin")))
}
