// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's own driver, as Debian distributes it: fetched and built when a test wants it, never
//! committed, never shipped.

mod build;
mod fetch;
mod inspected;
pub mod signatures;

pub use build::build;
pub use fetch::{PACKAGES, Package, blob};
pub use inspected::real_drivers_test;
