// SPDX-License-Identifier: GPL-2.0
//! The NVIDIA GPUs on the PCI bus.

use super::bindings as b;
use super::{check, Errno};
use crate::logic::gpu::{Address, Bound, Ids};

/// A place on the bus.
pub use b::vu_place as Place;

/// A GPU, or a virtual function of one, as the bus knows it.
pub struct Gpu(b::vu_gpu);

impl Gpu {
    /// Where it is.
    pub fn address(&self) -> Address {
        Address::from(&self.0.place)
    }

    /// Where the board is that it is a function of.
    pub fn board(&self) -> Address {
        Address::from(&self.0.board)
    }

    /// The same place, as the kernel has it.
    pub(super) fn place(&self) -> &Place {
        &self.0.place
    }

    /// Its PCI IDs.
    pub fn ids(&self) -> Ids {
        Ids { device: self.0.device, subsystem: self.0.subsystem }
    }

    /// Where its BAR3 is in physical memory; empty where it has none.
    pub fn bar3(&self) -> core::ops::Range<u64> {
        self.0.bar3_start..self.0.bar3_start.saturating_add(self.0.bar3_len)
    }

    /// How many virtual functions it has.
    pub fn functions(&self) -> u32 {
        self.0.functions
    }

    /// Which driver had it when it was looked at.
    pub fn bound(&self) -> Bound {
        match self.0.bound {
            b::vu_bound_VU_BOUND_NOBODY => Bound::Nobody,
            b::vu_bound_VU_BOUND_DRIVER => {
                let name = self.0.driver.map(|c| c as u8);
                Bound::to(name.split(|&c| c == 0).next().unwrap_or(&[]))
            }
            _ => Bound::Unknown,
        }
    }
}

/// All NVIDIA GPUs, in bus order. Virtual functions are none of their own.
pub fn gpus() -> impl Iterator<Item = Gpu> {
    found(false)
}

/// All NVIDIA GPUs and their virtual functions, in bus order.
pub fn functions() -> impl Iterator<Item = Gpu> {
    found(true)
}

fn found(with_virtual: bool) -> impl Iterator<Item = Gpu> {
    (0..).map_while(move |index| {
        // SAFETY: Plain numbers, for which zero is a value.
        let mut gpu: b::vu_gpu = unsafe { core::mem::zeroed() };
        // SAFETY: Fills what it is given.
        unsafe { b::vu_gpu(index, with_virtual, &mut gpu) }.then_some(Gpu(gpu))
    })
}

impl From<&Place> for Address {
    fn from(place: &Place) -> Self {
        Self { domain: place.domain, bus: place.bus, slot: place.slot, function: place.function }
    }
}

/// Someone who is told that GPUs came or went, or that a driver took or gave back one. May sleep, but a
/// device's lock is held.
pub trait Changes {
    /// It has happened.
    fn changed();
}

/// The [`Changes`] being told, until dropped.
pub struct Watch(());

impl Watch {
    /// Starts. Only one may exist.
    ///
    /// # Errors
    /// The kernel's error number.
    pub fn start() -> Result<Self, Errno> {
        // SAFETY: What is registered is static, and is unregistered by `drop`.
        check(unsafe { b::vu_boards_watch() }).map(|()| Self(()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: Registered by `start`. Returns when nobody is being told any more, so no lock that these
        // take may be held.
        unsafe { b::vu_boards_unwatch() };
    }
}
