// SPDX-License-Identifier: GPL-2.0
//! What is asked of a plan.

use vgpu_unlock::profile::Uuid;

use super::rules::Mode;
use crate::board::Type;

/// Whose vGPU it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A Proxmox virtual machine, by its number.
    Vm(u64),
    /// The vGPU with this UUID.
    Mdev(Uuid),
    /// Any: it has what its type has.
    Any,
}

/// A vGPU that is wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose it is.
    pub owner: Owner,
    /// Its whole memory in bytes, what the host keeps of it included; otherwise a share of what is left.
    pub total: Option<u64>,
    /// Its type; otherwise the plan's.
    pub vgpu_type: Option<u32>,
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the board is called.
    pub board: String,
    /// Its memory in bytes.
    pub memory: u64,
    /// What is kept for the host, in bytes.
    pub reserve: Option<u64>,
    /// Whether ECC memory is on, and is taken from the board's own.
    pub ecc: bool,
    /// The board's types, as far as they are known.
    pub types: Vec<Type>,
    /// The type to base it on; otherwise one is chosen.
    pub vgpu_type: Option<u32>,
    /// Types of which the board has vGPUs already.
    pub beside: Vec<u32>,
    /// How the board takes types.
    pub mode: Mode,
    /// The vGPUs.
    pub wishes: Vec<Wish>,
    /// How many displays each has.
    pub displays: Option<u32>,
    /// The size of each display, in pixels.
    pub resolution: Option<(u32, u32)>,
}
