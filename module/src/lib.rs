// SPDX-License-Identifier: GPL-2.0
//! The pure half of vgpu_unlock: every decision, and nothing that needs a kernel.
//!
//! These files use `core` only and never touch memory they were not handed. Cargo builds them here
//! for tests, fuzzing, benchmarks and `xtask inspect`; Kbuild builds the same files into the module
//! (see `vgpu_unlock_main.rs`). Data of NVIDIA's driver reaches them, and a panic would stop the
//! host, so what could panic is refused by lint below.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test that panics is a test that fails"
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod host;
pub mod logic;

pub use logic::*;
