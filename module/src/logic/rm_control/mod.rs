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

mod action;
pub mod command;
pub mod layout;
mod params;
pub mod process;
mod shown;
mod table;
mod told;

use core::ops::Range;

pub use action::{interest, OURS};
pub use process::ProcessMemory;
pub use shown::{fields, Shown};
pub use table::{Process, ProcessTable};
pub use told::{Daemon, Effective, InForce, Told, ToldTable};

use self::action::{find, has, Action};
use self::command::{NV_ERR_BUSY_RETRY, NV_OK};
use self::layout::Layout;
use self::params::{Params, TypeInfo};
use crate::logic::gpu::Ids;
use crate::logic::params::{Gpus, Overrides, Which};
use crate::logic::profile::{hex_digit, Uuid};

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
    fn answer(&self, ids: Ids) -> Option<Ids>;
}

impl Boards for Gpus<'_> {
    /// Without an address: rules for one do not count.
    fn answer(&self, ids: Ids) -> Option<Ids> {
        Gpus::answer(self, ids, None)
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
    /// Nothing but the overrides is answered: boards are what the driver takes them for.
    pub overrides_only: bool,
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
/// Status 3, "ask again", is always left alone. With `overrides_only` the types and the remembering are
/// all that is done.
pub fn edit(call: &mut Call<'_>, policy: &Policy<'_>, process: &mut ProcessMemory) -> Verdict {
    let Some((action, sizes)) = find(call.cmd) else { return Verdict::Untouched };
    if call.status == NV_ERR_BUSY_RETRY {
        return Verdict::Untouched;
    }
    if policy.overrides_only && !action.serves_overrides() {
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
    if let Some(ids) = boards.answer(Ids { device, subsystem }) {
        params.put(2, &ids.device.to_le_bytes());
        params.put(6, &ids.subsystem.to_le_bytes());
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
    fn what_is_known_is_what_edit_takes() {
        let boards = Gpus::default();
        let policy = Policy {
            boards: &boards,
            migration: true,
            overrides: Overrides::default(),
            overrides_only: false,
        };
        for (cmd, ..) in action::COMMANDS {
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
            ("vgpu_type_id=46a", Some(46)),
            ("vgpu_type_id=", None),
            ("vgpu_type_id=x", None),
            ("vgpu_type_id=4294967296", None),
            ("", None),
        ] {
            assert_eq!(type_number(text.as_bytes()), number, "{text}");
        }
    }
}
