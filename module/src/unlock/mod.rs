// SPDX-License-Identifier: GPL-2.0
//! What acts on a living driver.

pub mod answers;
pub mod attachment;
pub mod lifecycle;
pub mod report;
pub mod settings;
pub mod sites;
pub mod tables;
pub mod types;
