// SPDX-License-Identifier: GPL-2.0
//! What decides: no state, no kernel, no memory that was not handed over.

pub mod capability;
pub mod driver;
pub mod gpu;
pub mod mdev;
pub mod params;
pub mod placed;
pub mod profile;
pub mod rm_control;
pub mod signature;
pub mod status;
