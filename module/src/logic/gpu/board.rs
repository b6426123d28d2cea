// SPDX-License-Identifier: GPL-2.0
//! What there is to say of a board.

/// A board's PCI device and subsystem ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
}

/// What a GPU is built of, as far as vGPU support depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// GM107, GM108.
    Maxwell,
    /// GM200, GM204, GM206.
    Maxwell2,
    /// GP100 to GP108.
    Pascal,
    /// GV100.
    Volta,
    /// TU102 to TU117.
    Turing,
}

/// A board that another one is answered as: a vGPU-capable one with the same silicon, or what the
/// user says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// PCI device ID to answer. The driver accepts those of the built-in table.
    pub device: u16,
    /// PCI subsystem ID to answer, or `None` where the board's own is kept.
    pub subsystem: Option<u16>,
    /// The board's marketing name.
    pub name: &'static str,
}

/// One vGPU type of a capable board.
#[derive(Debug, PartialEq, Eq)]
pub struct VgpuType {
    /// PCI device ID of the board.
    pub device: u16,
    /// PCI subsystem ID that tells the board's types apart.
    pub subsystem: u16,
    /// What the guest's device is called, such as `GRID P40-1Q`.
    pub name: &'static str,
}

/// Device IDs that go by the same silicon.
pub(super) struct Range {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) generation: Generation,
    pub(super) sibling: &'static Sibling,
}
