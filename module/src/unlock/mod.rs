// SPDX-License-Identifier: GPL-2.0
//! The two ways in which the driver is made to accept a board: [`sites`] changes what its checks
//! answer, [`tables`] what its capability tables say. [`attachment`] does both, or neither.

pub mod attachment;
pub mod sites;
pub mod tables;
