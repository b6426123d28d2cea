// SPDX-License-Identifier: GPL-2.0
//! What NVIDIA's daemons are told: changes to the driver's answers to RM control calls.
//!
//! `nvidia-vgpud` and `nvidia-vgpu-mgr` ask the driver by ioctl. After the driver has answered, the
//! kernel side copies what [`interest`] says out of the caller's memory, has it changed by [`edit`],
//! and copies back what the [`Verdict`] names. Which calls reach this, and how, is its business.
//!
//! Nothing is changed in an answer that says "ask again", nor in one that says an error, but for the
//! errors that are the point (see [`edit`]). Parameters of a length that no layout has are left
//! alone: a driver that changed a structure must not be written into blindly.

pub mod command;
pub mod layout;
mod params;
pub mod process;
mod shown;
mod table;
mod told;

use core::ops::Range;

pub use process::ProcessMemory;
pub use shown::{fields, Shown};
pub use table::{Process, ProcessTable};
pub use told::{Daemon, Effective, InForce, Told, ToldTable};

use self::command::{NV_ERR_BUSY_RETRY, NV_ERR_NOT_SUPPORTED, NV_ERR_OBJECT_NOT_FOUND, NV_OK};
use self::layout::Layout;
use self::params::{Params, TypeInfo};
use crate::logic::params::{Gpus, Identity, Overrides, Which};
use crate::logic::profile::{hex_digit, Uuid};

/// What a command's answer is changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
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

/// Commands, what is done about them, and the lengths that their parameters may have. A vGPU type's
/// are in [`layout`].
///
/// Sources: the headers of NVIDIA's public releases from 525 to 595, and the method tables of the
/// drivers that [`layout`] lists. The mode has 8 bytes from 555 on, a created device 40 from 570 on.
const COMMANDS: [(u32, Action, &[u16]); 10] = [
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
    /// which would give them another length: hand [`edit`] none at all, it then says
    /// [`Verdict::UnknownSize`] where that is so.
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

fn find(cmd: u32) -> Option<(Action, &'static [u16])> {
    COMMANDS.iter().find(|(known, ..)| *known == cmd).map(|&(_, action, sizes)| (action, sizes))
}

fn has(sizes: &[u16], size: usize) -> bool {
    sizes.iter().any(|&s| usize::from(s) == size)
}

/// A call as the driver has answered it.
#[derive(Debug)]
pub struct Call<'a> {
    /// The command.
    pub cmd: u32,
    /// The driver's status, and afterwards the one to answer.
    pub status: u32,
    /// The parameters in their full length; empty is enough where only the status matters.
    pub params: &'a mut [u8],
}

/// How boards are answered.
pub trait Boards {
    /// The IDs that the board with these IDs is answered with; `None` where it keeps its own.
    fn answer(&self, device: u16, subsystem: u16) -> Option<Identity>;
}

impl Boards for Gpus<'_> {
    /// Without an address: rules for one do not count.
    fn answer(&self, device: u16, subsystem: u16) -> Option<Identity> {
        Gpus::answer(self, device, subsystem, None)
    }
}

/// What is to be answered.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// How boards are answered.
    pub boards: &'a dyn Boards,
    /// Whether the driver is said to be able to migrate vGPUs.
    pub migration: bool,
    /// What is changed about vGPU types and vGPUs.
    pub overrides: Overrides<'a>,
}

/// What [`edit`] has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is to be written back.
    Untouched,
    /// Nothing is to be written back, because no layout has parameters of this length. Worth a count
    /// and a word in the log.
    UnknownSize,
    /// This is to be written back.
    Edited(Edited),
}

/// What of a call was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// Whether the status was.
    pub status: bool,
    /// Where the parameters were, in bytes: from the first to the last that has another value. Empty
    /// if none has.
    pub params: Range<usize>,
}

/// Changes a call's answer as `policy` says, and remembers in `process` which vGPU was started.
///
/// | command | status | what is changed |
/// | --- | --- | --- |
/// | `BUS_GET_PCI_INFO` | ok | device and subsystem ID |
/// | `GPU_GET_VIRTUALIZATION_MODE` | any | the mode |
/// | `VGPU_CONFIG_GET_VGPU_TYPE_INFO`, `HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO` | ok | the fields overridden |
/// | `VGPU_CONFIG_GET_MIGRATION_CAP` | ok | 1, if `policy` says so |
/// | `VGPU_GET_START_DATA`, `VGPU_CREATE_DEVICE` | ok | nothing; the UUID is remembered |
/// | 0xa0820104, `GET_ZBC_CLEAR_TABLE` | any error | the status becomes ok |
/// | `GPU_GET_INFOROM_OBJECT_VERSION` | 0x56 | the status becomes 0x57 |
///
/// Status 3, "ask again", is always left alone.
pub fn edit(call: &mut Call<'_>, policy: &Policy<'_>, process: &mut ProcessMemory) -> Verdict {
    let Some((action, sizes)) = find(call.cmd) else { return Verdict::Untouched };
    if call.status == NV_ERR_BUSY_RETRY {
        return Verdict::Untouched;
    }
    if let Action::Status(from, to) = action {
        let fits = from.map_or(call.status != NV_OK, |from| from == call.status);
        if !fits {
            return Verdict::Untouched;
        }
        call.status = to;
        return Verdict::Edited(Edited { status: true, params: 0..0 });
    }
    if call.status != NV_OK && action != Action::Mode {
        return Verdict::Untouched;
    }
    let layout = layout::of(call.cmd, call.params.len());
    if layout.is_none() && !has(sizes, call.params.len()) {
        return Verdict::UnknownSize;
    }

    let mut params = Params::new(call.params);
    match action {
        Action::PciInfo => pci_info(&mut params, policy.boards),
        Action::Mode => params.put(0, &command::VIRTUALIZATION_MODE_HOST_VGPU.to_le_bytes()),
        Action::Migration if policy.migration => params.put(0, &[1]),
        Action::Migration | Action::Status(..) => {}
        Action::Type => {
            if let Some(layout) = layout {
                type_info(&mut params, layout, &policy.overrides, process);
            }
        }
        Action::StartData => start_data(&params, process),
        Action::CreateDevice => create_device(&params, process),
    }
    match params.changed() {
        changed if changed.is_empty() => Verdict::Untouched,
        changed => Verdict::Edited(Edited { status: false, params: changed }),
    }
}

/// Two words, each of which has an ID in its upper half: `vendor | device << 16` and the same of the
/// subsystem.
fn pci_info(params: &mut Params<'_>, boards: &dyn Boards) {
    let (Some(device), Some(subsystem)) = (params.get(2), params.get(6)) else { return };
    let (device, subsystem) = (u16::from_le_bytes(device), u16::from_le_bytes(subsystem));
    if let Some(identity) = boards.answer(device, subsystem) {
        params.put(2, &identity.device.to_le_bytes());
        params.put(6, &identity.subsystem.to_le_bytes());
    }
}

fn type_info(
    params: &mut Params<'_>,
    layout: &'static Layout,
    overrides: &Overrides<'_>,
    process: &mut ProcessMemory,
) {
    let mut info = TypeInfo { params, layout };
    let Some(vgpu_type) = info.vgpu_type() else { return };
    let which = Which { vgpu_type, mdev: process.vgpu(vgpu_type) };
    let applied = overrides.apply(which, &mut info);
    process.answered(vgpu_type, applied);
}

/// UUID at 0; configuration text at 16, 1024 bytes, with `vgpu_type_id=` in it; the virtual machine's
/// process ID at 1040.
fn start_data(params: &Params<'_>, process: &mut ProcessMemory) {
    let Some(guid) = params.get(0) else { return };
    let vgpu_type = params.slice(16, 1024).and_then(type_number);
    let vm = params.get(1040).map(u32::from_le_bytes).filter(|&pid| pid != 0);
    process.remember(Uuid::from_guid(guid), vgpu_type, vm);
}

/// UUID at 0, in the place of a name; the type's number at 24.
fn create_device(params: &Params<'_>, process: &mut ProcessMemory) {
    let Some(guid) = params.get(0) else { return };
    let vgpu_type = params.get(24).map(u32::from_le_bytes).filter(|&number| number != 0);
    process.remember(Uuid::from_guid(guid), vgpu_type, None);
}

/// The decimal number behind `vgpu_type_id=` in a configuration text.
fn type_number(text: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"vgpu_type_id=";
    let start = text.windows(NAME.len()).position(|window| window == NAME)?;
    let digits = text.get(start..)?.get(NAME.len()..)?;
    let mut number = None;
    for digit in digits.iter().map_while(|&c| hex_digit(c).filter(|&d| d < 10)) {
        number = Some(number.unwrap_or(0u32).checked_mul(10)?.checked_add(digit.into())?);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::MAX_PARAMS;

    #[test]
    fn room_for_every_command_is_just_enough() {
        let longest = COMMANDS.iter().filter_map(|(cmd, ..)| interest(*cmd)).map(|i| i.max_params);
        assert_eq!(longest.max(), Some(MAX_PARAMS));
    }

    #[test]
    fn what_is_known_is_what_edit_takes() {
        let boards = Gpus::default();
        let policy = Policy { boards: &boards, migration: true, overrides: Overrides::default() };
        for (cmd, ..) in COMMANDS {
            for size in (0..=40)
                .chain([1056, 1840, 1848, 1872, 2328, 4536, 4960, 5096, 5232])
                .chain([5424, 5432, 5433])
            {
                let mut bytes = [0; MAX_PARAMS + 1];
                let mut call = Call { cmd, status: NV_OK, params: &mut bytes[..size] };
                let verdict = edit(&mut call, &policy, &mut ProcessMemory::new());
                let known = interest(cmd).unwrap().knows(size);
                assert_eq!(verdict == Verdict::UnknownSize, !known, "{cmd:x} {size}");
            }
        }
        assert_eq!(interest(0xc03), None);
    }

    #[test]
    fn type_numbers_are_found_in_configuration_texts() {
        for (text, number) in [
            ("vgpu_type_id=258", Some(258)),
            ("x=1,vgpu_type_id=55,plugin0.x=2", Some(55)),
            ("vgpu_type_id=", None),
            ("vgpu_type_id=x", None),
            ("vgpu_type_id=4294967296", None),
            ("", None),
        ] {
            assert_eq!(type_number(text.as_bytes()), number, "{text}");
        }
    }
}
