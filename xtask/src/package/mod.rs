// SPDX-License-Identifier: GPL-2.0
//! Packages, made of what is committed, in a system that has what makes packages.

mod deb;
mod machine;
mod rpm;
mod system;
mod test;
mod tree;

pub use deb::debs;
pub use rpm::rpms;
pub use test::test;
