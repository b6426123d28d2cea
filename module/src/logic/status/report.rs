// SPDX-License-Identifier: GPL-2.0
//! The whole picture.

use super::board::{Gpu, Vgpu};
use super::driver::{DriverState, Hook, TablesState};
use super::told::{Answers, TypeFiles};
use crate::logic::driver::acceptance::Acceptance;
use crate::logic::driver::site::Proof;
use crate::logic::driver::version::Version;
use crate::logic::rm_control::ToldTable;

/// The whole picture.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// Our own version.
    pub module_version: &'static str,
    /// The driver's version, once one was seen.
    pub driver_version: Option<Version>,
    /// How it stands with the driver.
    pub driver: DriverState,
    /// How far the driver's branch was seen to work, where it is attached.
    pub proof: Option<Proof>,
    /// The boards.
    pub gpus: &'a [Gpu],
    /// The vGPUs of all boards; no more than can be listed.
    pub vgpus: &'a [Vgpu],
    /// The hooks, in the order they were placed.
    pub hooks: &'a [Hook],
    /// The files of vGPU types.
    pub types: TypeFiles,
    /// What the daemons were told about vGPUs.
    pub told: &'a ToldTable,
    /// A device ID that `nvidia-vgpud` was told, and what it makes of it.
    pub acceptance: Option<(u16, Acceptance)>,
    /// What the daemons are told.
    pub answers: Answers,
    /// The capability tables.
    pub tables: TablesState,
    /// How many boards the driver lists, or 0 where that is not known.
    pub gpu_list_count: usize,
    /// How many entries of the tables are ours.
    pub entries: usize,
    /// How long finding everything in the driver took, in microseconds.
    pub locate_us: u64,
}
