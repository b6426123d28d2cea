// SPDX-License-Identifier: GPL-2.0
//! What acts on a living driver. Each file may use those below it:
//!
//! [`events`]: the kernel calls us;
//! [`report`]: what is said about it all;
//! [`lifecycle`]: what is done when, the state;
//! [`attachment`]: everything done to one load of the driver: [`sites`] changes what its checks answer,
//! [`tables`] what its capability tables say; [`answers`], what its daemons are told, and [`vgpud`] what one of them makes
//! of it; [`types`], which vGPU types there are;
//! [`boards`]: the boards on the bus;
//! [`settings`]: what the user wants.

pub mod answers;
pub mod attachment;
pub mod boards;
pub mod events;
pub mod lifecycle;
pub mod report;
pub mod settings;
pub mod sites;
pub mod tables;
pub mod types;
pub mod vgpud;
