// SPDX-License-Identifier: GPL-2.0
//! The boards on the bus, and what the user wants of each.

use crate::logic::gpu::{Address, Answer, Bound, Ids};
use crate::logic::params::Rule;
use crate::sys::pci;
use crate::unlock::settings;

/// A board, as it was when it was looked at.
pub struct Board {
    /// As the bus knows it.
    pub gpu: pci::Gpu,
    /// Where it is.
    pub address: Address,
    /// Its PCI IDs.
    pub ids: Ids,
    /// Which driver has it.
    pub bound: Bound,
    /// What the user says about it.
    pub rule: Rule,
    /// What is done about it.
    pub answer: Answer,
}

impl Board {
    /// Whether NVIDIA's driver can have it and accepts it only because of us.
    pub fn needs_unlock(&self) -> bool {
        self.answer.needs_unlock() && !self.bound.is_other()
    }
}

/// All of them, in bus order, as a driver of this branch takes them.
pub fn all(branch: Option<u16>) -> impl Iterator<Item = Board> {
    pci::gpus().map(move |gpu| {
        let (address, ids, bound) = (gpu.address(), gpu.ids(), gpu.bound());
        let at = Some(address);
        let (rule, answer) =
            settings::with(|user| (user.gpus.rule(ids, at), user.gpus.board(ids, at, branch)));
        Board { gpu, address, ids, bound, rule, answer }
    })
}

/// Whether changing what the driver thinks of boards is of use to one, or there is none to be wrong about.
pub fn want_unlock(branch: u16) -> bool {
    pci::gpus().next().is_none() || all(Some(branch)).any(|board| board.needs_unlock())
}

/// Whether the kernel is just binding a board to a driver, or taking it away from one.
pub fn are_settling() -> bool {
    pci::gpus().any(|gpu| gpu.bound() == Bound::Unknown)
}
