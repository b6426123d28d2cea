// SPDX-License-Identifier: GPL-2.0
//! One file per command.

pub mod bench;
pub mod bindings;
pub mod build;
pub mod coverage;
pub mod demo;
pub mod fuzz;
pub mod kernel;
pub mod matrix;
pub mod miri;
pub mod mutants;
pub mod mutate;
pub mod object;
pub mod package;
pub mod signatures;
pub mod test;
pub mod toolchains;
pub mod vm;
