// SPDX-License-Identifier: GPL-2.0
//! Boards and vGPUs, and how it stands with them.

use core::fmt;

use super::driver::DriverState;
use crate::logic::capability::unlock::Refusal;
use crate::logic::gpu::{Address, Answer, Bound, Sibling};
use crate::logic::profile::Uuid;

/// The most GPUs that are looked after.
pub const MAX_GPUS: usize = 16;

/// How it stands with one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// Another driver of the kernel's has it.
    Held,
    /// The user wants it left alone.
    Off,
    /// NVIDIA lists it.
    Listed,
    /// NVIDIA lists it in newer branches.
    NotYet,
    /// Nobody is known to have vGPUs on it.
    NoSriov,
    /// NVIDIA's open modules have it, which can't host vGPUs on it.
    OpenModules,
    /// No capable board is known for it.
    Unknown,
    /// The driver is not loaded.
    NoDriver,
    /// The driver is, but does not have it.
    Unbound,
    /// The driver was left as it is, at least where it decides; see its state.
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
            GpuState::Held => "held",
            GpuState::Off => "off",
            GpuState::Listed => "listed",
            GpuState::NotYet => "not yet listed",
            GpuState::NoSriov => "no sr-iov",
            GpuState::OpenModules => "open modules",
            GpuState::Unknown => "unknown",
            GpuState::NoDriver => "no driver",
            GpuState::Unbound => "unbound",
            GpuState::NotUnlocked => "not unlocked",
            GpuState::Waiting => "waiting",
            GpuState::Unlocked => "unlocked",
        }
    }

    /// A sentence for people; of a board that another driver has, without that driver's name.
    pub fn explanation(self) -> &'static str {
        match self {
            GpuState::Held => "used by another driver",
            GpuState::Off => "left alone, because of the parameter gpus",
            GpuState::Listed => "NVIDIA lists this board, it needs nothing",
            GpuState::NotYet => "NVIDIA lists this board, but in newer drivers than this one",
            GpuState::NoSriov => {
                "nobody is known to have vGPUs on this board: from Ampere on they need SR-IOV, which it lacks"
            }
            GpuState::OpenModules => {
                "open modules can't host vGPUs on this board: reinstall with the proprietary type"
            }
            GpuState::Unknown => "no vGPU-capable board with this silicon is known",
            GpuState::NoDriver => "waiting for the driver to be loaded",
            GpuState::Unbound => "no driver is bound to it",
            GpuState::NotUnlocked => "not unlocked, see above",
            GpuState::Waiting => "waiting for the driver to read the board's key",
            GpuState::Unlocked => "unlocked",
        }
    }
}

/// One board: a physical function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Where it is.
    pub address: Address,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
    /// Which driver has it.
    pub bound: Bound,
    /// How many virtual functions it has; vGPUs on them are the board's.
    pub functions: u32,
    /// What it is answered as.
    pub answer: Answer,
    /// How it stands.
    pub state: GpuState,
    /// The driver's branch no longer lists the board, or the one that it is answered as: the unlock works,
    /// but the profiles have to come from the `vgpuConfig.xml` of an older branch.
    pub profiles_gone: bool,
    /// How many vGPU types are registered for it, where that can be told at the moment.
    pub types: Option<u32>,
    /// How many vGPUs it has.
    pub vgpus: u32,
}

impl Gpu {
    /// The board that it is answered as; `None` where it keeps its own IDs, or nobody asks.
    pub fn answered_as(&self) -> Option<Sibling> {
        match self.state {
            GpuState::Held => None,
            _ => self.answer.sibling(),
        }
    }

    /// How it stands, in a sentence for people.
    pub fn explanation(&self) -> Explanation<'_> {
        Explanation(self)
    }
}

/// How it stands with a board, in a sentence.
#[derive(Clone, Copy)]
pub struct Explanation<'a>(&'a Gpu);

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.state, self.0.bound.driver()) {
            (GpuState::Held, Some(driver)) => write!(f, "used by {driver}"),
            (state, _) => f.write_str(state.explanation()),
        }
    }
}

/// A vGPU that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vgpu {
    /// Its board, also where it lives on a virtual function of that.
    pub gpu: Address,
    /// Its UUID.
    pub uuid: Uuid,
    /// The N of its type `nvidia-N`.
    pub vgpu_type: Option<u32>,
}

/// What makes a driver accept a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its checks decide; whether they are overridden.
    Checks(bool),
    /// It is NVIDIA's open module, which accepts no such board.
    OpenModules,
    /// Its tables decide; whether the board has its entries, once the driver has read its key.
    Tables(Option<Result<(), Refusal>>),
}

/// How it stands with a board, of which the user has not said that it is to be left alone where `off` is
/// false.
pub fn state_of(
    answer: Answer,
    off: bool,
    bound: Bound,
    driver: &DriverState,
    way: Way,
) -> GpuState {
    if bound.is_other() {
        return GpuState::Held;
    }
    if off {
        return GpuState::Off;
    }
    match answer {
        Answer::NoSriov => return GpuState::NoSriov,
        Answer::NotYet => return GpuState::NotYet,
        Answer::Unknown => return GpuState::Unknown,
        Answer::Listed | Answer::Dropped | Answer::As(..) => {}
    }
    match (answer, driver, bound) {
        (Answer::Listed, DriverState::Absent, _) => GpuState::Listed,
        (_, DriverState::Absent, _) => GpuState::NoDriver,
        (_, _, Bound::Nobody) => GpuState::Unbound,
        _ if way == Way::OpenModules => GpuState::OpenModules,
        (Answer::Listed, ..) => GpuState::Listed,
        _ => unlocked_state(driver, way),
    }
}

/// How it stands with a board that the driver accepts only because of us.
fn unlocked_state(driver: &DriverState, way: Way) -> GpuState {
    match (driver, way) {
        (DriverState::Absent, _) => GpuState::NoDriver,
        (DriverState::Refused(_) | DriverState::Disabled | DriverState::AnswersOnly(_), _) => {
            GpuState::NotUnlocked
        }
        // Entries that were written need no hook any more.
        (_, Way::Tables(Some(Ok(())))) => GpuState::Unlocked,
        (DriverState::Attached, Way::Checks(true)) => GpuState::Unlocked,
        (DriverState::Attached, Way::Tables(None)) => GpuState::Waiting,
        (
            DriverState::Attached,
            Way::Checks(false) | Way::OpenModules | Way::Tables(Some(Err(_))),
        ) => GpuState::NotUnlocked,
        (DriverState::Silent(_), _) => GpuState::NotUnlocked,
    }
}
