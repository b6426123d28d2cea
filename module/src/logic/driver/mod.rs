// SPDX-License-Identifier: GPL-2.0
//! What is known about NVIDIA's driver: its versions, its branches, and how each is unlocked.

pub mod acceptance;
pub mod branch;
pub mod site;
pub mod stranger;
pub mod version;
pub mod vgpud;
