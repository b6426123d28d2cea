// SPDX-License-Identifier: GPL-2.0
//! What a plan says.

use super::request::Owner;
use crate::{board::Type, profile::Section};

/// A vGPU of a plan. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whose it is.
    pub owner: Owner,
    /// Its type.
    pub vgpu_type: u32,
    /// What the guest has.
    pub framebuffer: u64,
    /// What the host keeps.
    pub reservation: u64,
}

impl Planned {
    /// The whole of its memory.
    pub fn total(&self) -> u64 {
        self.framebuffer.saturating_add(self.reservation)
    }
}

/// A plan that fits.
#[derive(Debug)]
pub struct Plan {
    /// What the board is called.
    pub board: String,
    /// Its memory in bytes.
    pub memory: u64,
    /// What is kept for the host, ECC included.
    pub reserve: u64,
    /// What nobody has.
    pub left: u64,
    /// The types that are used, and how many vGPUs each has.
    pub types: Vec<(u32, Option<Type>, u64)>,
    /// The vGPUs, in the order of the wishes.
    pub vgpus: Vec<Planned>,
    /// What may not work.
    pub warnings: Vec<String>,
    /// What should be known.
    pub notes: Vec<String>,
    /// The overrides.
    pub sections: Vec<Section>,
}
