// SPDX-License-Identifier: GPL-2.0
//! Boards and vGPUs, and how it stands with them.

use super::driver::DriverState;
use crate::logic::capability::unlock::Refusal;
use crate::logic::gpu::{Address, Answer};
use crate::logic::profile::Uuid;

/// The most GPUs that are looked after.
pub const MAX_GPUS: usize = 16;

/// How it stands with one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// NVIDIA lists it.
    Listed,
    /// No capable board is known for it.
    Unknown,
    /// The user wants it left alone.
    Off,
    /// The driver is not loaded.
    NoDriver,
    /// The driver was left as it is; see its state.
    NotUnlocked,
    /// The driver has not read the board's key yet, which it does when the first vGPU starts.
    Waiting,
    /// Everything that this driver branch needs is in force.
    Unlocked,
}

impl GpuState {
    /// One word for tools.
    pub fn word(self) -> &'static str {
        match self {
            GpuState::Listed => "listed",
            GpuState::Unknown => "unknown",
            GpuState::Off => "off",
            GpuState::NoDriver => "no driver",
            GpuState::NotUnlocked => "not unlocked",
            GpuState::Waiting => "waiting",
            GpuState::Unlocked => "unlocked",
        }
    }

    /// A sentence for people.
    pub fn explanation(self) -> &'static str {
        match self {
            GpuState::Listed => "NVIDIA lists this board, it needs nothing",
            GpuState::Unknown => "no vGPU-capable board with this silicon is known",
            GpuState::Off => "left alone, because of the parameter gpus",
            GpuState::NoDriver => "waiting for the driver to be loaded",
            GpuState::NotUnlocked => "not unlocked, see above",
            GpuState::Waiting => "waiting for the driver to read the board's key",
            GpuState::Unlocked => "unlocked",
        }
    }
}

/// One board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Where it is.
    pub address: Address,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
    /// What it is answered as.
    pub answer: Answer,
    /// How it stands.
    pub state: GpuState,
    /// The driver's branch no longer lists the board that it is answered as: the unlock works, but
    /// the profiles have to come from the `vgpuConfig.xml` of an older branch.
    pub profiles_gone: bool,
    /// How many vGPU types are registered for it, where that can be told at the moment.
    pub types: Option<u32>,
    /// How many vGPUs it has.
    pub vgpus: u32,
}

/// A vGPU that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vgpu {
    /// Its board.
    pub gpu: Address,
    /// Its UUID.
    pub uuid: Uuid,
    /// The N of its type `nvidia-N`.
    pub vgpu_type: Option<u32>,
}

/// How it stands with a board that is answered as another, given what the driver needs.
///
/// `checks_overridden` says that the driver's own checks decide, and are overridden; otherwise the
/// tables decide, and `entries_written` says whether the board has its entries.
pub fn unlocked_state(
    driver: &DriverState,
    checks_overridden: bool,
    entries_written: Option<Result<(), Refusal>>,
) -> GpuState {
    match (driver, checks_overridden, entries_written) {
        (DriverState::Absent, ..) => GpuState::NoDriver,
        (DriverState::Refused(_) | DriverState::Disabled, ..) => GpuState::NotUnlocked,
        (DriverState::Attached, true, _) => GpuState::Unlocked,
        // Entries that were written need no hook any more.
        (_, false, Some(Ok(()))) => GpuState::Unlocked,
        (DriverState::Silent(_), ..) => GpuState::NotUnlocked,
        (DriverState::Attached, false, Some(Err(_))) => GpuState::NotUnlocked,
        (DriverState::Attached, false, None) => GpuState::Waiting,
    }
}
