// SPDX-License-Identifier: GPL-2.0
//! Which lines of the module's pure files neither cargo's tests nor what fuzzing has kept reach.

mod page;
mod report;
mod run;

pub use page::write;
pub use report::table;
pub use run::{Coverage, run};
