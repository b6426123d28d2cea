// SPDX-License-Identifier: GPL-2.0
//! The portable crate's tests under Miri: every access to memory is looked at. It is the only crate with unsafe code
//! that runs on the host.

use std::{env, fs, process::Command};

use anyhow::{Context, Result, ensure};

use super::upstream;
use crate::{paths, sh};

/// Cases of each property; one takes a thousand times as long as without Miri.
const CASES: &str = "8";

/// Runs them. `again` fetches today's Miri, where there is one of another day.
///
/// # Errors
/// Miri cannot be had, or a test fails in it.
pub fn run(again: bool) -> Result<()> {
    let dir = paths::cache().join("toolchains/miri");
    let (rust, stamp) = (dir.join("rust"), dir.join("day"));
    if again || !stamp.exists() {
        let day = upstream::miri(&rust)?;
        fs::write(&stamp, day).with_context(|| format!("writing {}", stamp.display()))?;
    }
    let day = fs::read_to_string(&stamp).with_context(|| format!("reading {}", stamp.display()))?;
    let version = sh::output(Command::new(rust.join("bin/miri")).arg("--version"))?;
    println!("{}, the nightly release of {day}", version.trim());

    let old = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([rust.join("bin")].into_iter().chain(env::split_paths(&old)))
        .context("a PATH that cannot be added to")?;
    let status = Command::new(rust.join("bin/cargo"))
        .args(["miri", "test", "--package", "kernel"])
        .current_dir(paths::repo())
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", dir.join("target"))
        .env("MIRI_SYSROOT_DIR", dir.join("sysroot"))
        .env("XDG_CACHE_HOME", &dir)
        // What failed once is kept in a file.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", CASES)
        .env_remove("RUSTC")
        .env_remove("RUSTFLAGS")
        .status()
        .context("starting cargo miri")?;
    ensure!(status.success(), "the portable crate's tests fail under Miri ({status})");
    Ok(())
}
