// SPDX-License-Identifier: GPL-2.0
//! What a daemon must be told, given what the driver answered: written down from DESIGN 2.3, not
//! from the module.

use super::{answer::Answer, overrides, question::name};

/// A board's device and subsystem IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    pub device: u16,
    pub subsystem: u16,
}

/// What the module's parameters say.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What the board is answered as.
    pub ids: Ids,
    pub migration: bool,
    /// Whether [`overrides::parameter`] is in force.
    pub overridden: bool,
}

/// The status that means "ask again".
const BUSY_RETRY: u32 = 3;
/// `NV0080_CTRL_GPU_VIRTUALIZATION_MODE_HOST_VGPU`
const HOST_VGPU: u32 = 3;

/// What a daemon must be told instead of `raw`, the driver's answer to the question `name`.
pub fn told(name: &str, raw: &Answer, settings: &Settings) -> Answer {
    let mut told = raw.clone();
    if raw.status == BUSY_RETRY {
        return told;
    }
    match name {
        name::PCI_INFO if raw.status == 0 => {
            put(&mut told, 2, &settings.ids.device.to_le_bytes());
            put(&mut told, 6, &settings.ids.subsystem.to_le_bytes());
        }
        name::MODE => put(&mut told, 0, &HOST_VGPU.to_le_bytes()),
        name::MIGRATION if raw.status == 0 && settings.migration => put(&mut told, 0, &[1]),
        name::TYPE_BY_NUMBER | name::TYPE_OF_VGPU if raw.status == 0 && settings.overridden => {
            overrides::apply(name, &mut told);
        }
        name::HOST_0104 | name::ZBC => told.status = 0,
        name::INFOROM if raw.status == 0x56 => told.status = 0x57,
        _ => {}
    }
    told
}

fn put(answer: &mut Answer, offset: usize, bytes: &[u8]) {
    answer.params[offset..][..bytes.len()].copy_from_slice(bytes);
}
