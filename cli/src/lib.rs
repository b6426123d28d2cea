// SPDX-License-Identifier: GPL-2.0
//! What the command `vgpu-unlock` can do, for itself and for xtask.

pub mod apply;
pub mod board;
pub mod cmd;
pub mod doctor;
pub mod host;
pub mod inspect;
pub mod plan;
pub mod profile;
pub mod release;
pub mod report;
pub mod status;
pub mod store;

#[cfg(test)]
mod field_cases;
#[cfg(test)]
mod screens;

/// The directory of this package's files, for tests. Asked at run time: checkouts share the cache, and another one's
/// may have compiled them.
#[cfg(test)]
fn test_files() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default().into()
}
