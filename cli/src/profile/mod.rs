// SPDX-License-Identifier: GPL-2.0
//! Overrides of vGPU types on the host's side: taken over from files, written down, explained.

mod explain;
mod import;
mod remark;
mod value;
mod write;

#[cfg(test)]
mod differential;

pub use explain::{Branch, Question, explain, shown_error};
pub use import::Import;
