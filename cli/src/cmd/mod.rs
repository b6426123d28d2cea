// SPDX-License-Identifier: GPL-2.0
//! One file per command.

pub mod inspect;
pub mod profile;
