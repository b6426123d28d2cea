//! One file per command.

pub mod build;
pub mod inspect;
pub mod kernel;
