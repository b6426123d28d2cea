// SPDX-License-Identifier: GPL-2.0
//! Which commands there is something to be done about, and what.

use super::command::{self, NV_ERR_NOT_SUPPORTED, NV_ERR_OBJECT_NOT_FOUND, NV_OK};
use super::layout;

/// What a command's answer is changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// PCI IDs.
    PciInfo,
    /// The virtualization mode, whatever the status.
    Mode,
    /// A vGPU type.
    Type,
    /// The migration capability.
    Migration,
    /// A vGPU's UUID and virtual machine, which are only read.
    StartData,
    /// A vGPU's UUID and type, likewise.
    CreateDevice,
    /// The status, if it is the first, or any error if there is no first, becomes the second.
    Status(Option<u32>, u32),
}

impl Action {
    /// Whether overrides need it: they change types, and remember which vGPU a process has started.
    pub fn serves_overrides(self) -> bool {
        matches!(self, Action::Type | Action::StartData | Action::CreateDevice)
    }
}

/// Commands, what is done about them, and the lengths that their parameters may have. A vGPU type's
/// are in [`layout`].
///
/// Sources: the headers of NVIDIA's public releases from 525 to 595, and the method tables of the
/// drivers that [`layout`] lists. The mode has 8 bytes from 555 on, a created device 40 from 570 on.
pub const COMMANDS: [(u32, Action, &[u16]); 10] = [
    (command::VGPU_GET_START_DATA, Action::StartData, &[1056]),
    (command::VGPU_CREATE_DEVICE, Action::CreateDevice, &[32, 40]),
    (command::GPU_GET_VIRTUALIZATION_MODE, Action::Mode, &[4, 8]),
    (command::BUS_GET_PCI_INFO, Action::PciInfo, &[16]),
    (command::VGPU_CONFIG_GET_VGPU_TYPE_INFO, Action::Type, &[]),
    (command::HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO, Action::Type, &[]),
    (command::VGPU_CONFIG_GET_MIGRATION_CAP, Action::Migration, &[1]),
    (command::GPU_GET_INFOROM_OBJECT_VERSION, MAXWELL, &[]),
    (command::GET_ZBC_CLEAR_TABLE, Action::Status(None, NV_OK), &[]),
    (command::HOST_VGPU_DEVICE_0104, Action::Status(None, NV_OK), &[]),
];

/// The commands of which any answer is looked at.
pub static OURS: [u32; COMMANDS.len()] = {
    let [a, b, c, d, e, f, g, h, i, j] = COMMANDS;
    [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0, i.0, j.0]
};

/// Maxwell boards can't read their InfoROM, and say so in a way that ends `nvidia-vgpu-mgr`.
const MAXWELL: Action = Action::Status(Some(NV_ERR_NOT_SUPPORTED), NV_ERR_OBJECT_NOT_FOUND);

/// That a command is one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    cmd: u32,
    /// The longest parameters that must be copied, in bytes; 0 where only the status matters, and
    /// the parameters need not be copied at all.
    pub max_params: usize,
}

impl Interest {
    /// Whether parameters of this length are known. Those that are not must not be copied in part,
    /// which would give them another length: hand [`edit`](super::edit) none at all,
    /// it then says [`UnknownSize`](super::Verdict::UnknownSize) where that is so.
    pub fn knows(&self, params_size: usize) -> bool {
        match find(self.cmd) {
            Some((Action::Status(..), _)) => true,
            Some((Action::Type, _)) => layout::of(self.cmd, params_size).is_some(),
            Some((_, sizes)) => has(sizes, params_size),
            None => false,
        }
    }
}

/// Whether a command is one of ours. Cheap, as it is asked for every call that a daemon makes.
pub fn interest(cmd: u32) -> Option<Interest> {
    let (action, sizes) = find(cmd)?;
    let longest = |sizes: &[u16]| sizes.iter().copied().max().unwrap_or(0);
    let max_params = match action {
        Action::Type => {
            let layouts = layout::ALL.iter().filter(|layout| layout.cmd == cmd);
            layouts.map(|layout| longest(layout.sizes)).max().unwrap_or(0)
        }
        _ => longest(sizes),
    };
    Some(Interest { cmd, max_params: max_params.into() })
}

/// What is done about a command, and the lengths that its parameters may have; `None` of others.
pub fn find(cmd: u32) -> Option<(Action, &'static [u16])> {
    COMMANDS.iter().find(|(known, ..)| *known == cmd).map(|&(_, action, sizes)| (action, sizes))
}

/// Whether a length is one of these.
pub fn has(sizes: &[u16], size: usize) -> bool {
    sizes.iter().any(|&s| usize::from(s) == size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::MAX_PARAMS;

    #[test]
    fn nothing_is_known_of_a_command_that_is_none_of_ours() {
        for cmd in [0, 0x2080_18ff, u32::MAX] {
            assert_eq!(interest(cmd), None);
            assert!(!Interest { cmd, max_params: 16 }.knows(16));
        }
    }

    #[test]
    fn each_command_has_room_for_its_own_longest_parameters() {
        for (cmd, action, _) in COMMANDS {
            let interest = interest(cmd).unwrap();
            let longest = (0..=MAX_PARAMS).filter(|&size| interest.knows(size)).max();
            let expected = match action {
                // Of these any length is known, and none is copied.
                Action::Status(..) => Some(0),
                _ => longest,
            };
            assert_eq!(Some(interest.max_params), expected, "{cmd:x}");
        }
    }

    #[test]
    fn room_for_every_command_is_just_enough() {
        let longest = COMMANDS.iter().filter_map(|(cmd, ..)| interest(*cmd)).map(|i| i.max_params);
        assert_eq!(longest.max(), Some(MAX_PARAMS));
    }
}
