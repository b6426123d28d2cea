// SPDX-License-Identifier: GPL-2.0
//! `overrides`: what is changed about vGPU types and about single vGPUs.

mod read;
mod set;
pub mod target;

pub use read::{read, Section, Setting, Store};
pub use set::{Applied, Overrides};
pub use target::Which;
