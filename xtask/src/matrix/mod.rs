// SPDX-License-Identifier: GPL-2.0
//! Every scenario on every kernel that it is meant for: what is to be run, what came of it, and what of it
//! a day's continuous integration takes.

mod drivers;
mod execute;
mod inputs;
mod plan;
mod record;
mod render;
mod results;
mod slices;

pub use execute::{build, first_line, kept, problem, run};
pub use inputs::{Sources, hash};
pub use plan::{Run, runs};
pub use record::Record;
pub use render::{overview, write};
pub use results::Results;
pub use slices::{Choice, Day};
