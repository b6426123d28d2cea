// SPDX-License-Identifier: GPL-2.0
//! Where things live: the repository, and the cache outside of it.

use std::path::PathBuf;

/// The repository's root.
///
/// Cargo says it at run time, too, and that counts: two checkouts share the cache, and with it this
/// program, which may have been compiled for the other one.
pub fn repo() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = xtask.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map(PathBuf::from).unwrap_or_default()
}

/// Downloads and builds: `$VGPU_UNLOCK_CACHE`, or `~/.cache/vgpu-unlock`.
///
/// Everything below it can be deleted at any time; it is then made anew.
pub fn cache() -> PathBuf {
    std::env::var_os("VGPU_UNLOCK_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
        PathBuf::from(home).join(".cache/vgpu-unlock")
    })
}
