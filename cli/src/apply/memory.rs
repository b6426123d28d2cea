// SPDX-License-Identifier: GPL-2.0
//! What needs more memory than there is: overrides in force, the types of a board, and its vGPUs. Nothing is
//! said where the memory of a board is not known for certain.

use std::fmt;

use super::{in_force, settings::Settings};
use crate::{
    board::{self, host},
    host::Host,
    profile::{BoardMemory, written_size, written_target},
};

/// So many types are named.
const NAMED: usize = 3;

/// What needs more memory than a board has.
#[derive(Clone, Debug)]
pub struct TooLarge {
    who: String,
    needs: u64,
    board: BoardMemory,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, needs, board } = self;
        let (needs, has) = (size(*needs), size(board.bytes));
        write!(f, "{who} needs {needs} of memory, and {} has {has}", board.name)
    }
}

/// In MiB where it is whole ones: a sentence has no use for hexadecimal digits.
fn size(bytes: u64) -> String {
    if bytes % (1 << 20) == 0 { written_size(bytes) } else { format!("{bytes} bytes") }
}

/// Those of the running module's overrides that no board of the host has the memory for. None where they
/// can't be seen.
pub fn of_overrides(host: &Host) -> Vec<TooLarge> {
    in_force(host).map(|settings| of_settings(host, &settings)).unwrap_or_default()
}

/// The same of overrides that are not in force yet.
pub fn of_settings(host: &Host, settings: &Settings) -> Vec<TooLarge> {
    let Some(board) = BoardMemory::of_host(&host.path("/")) else { return vec![] };
    let too_large = |(target, needs): (_, u64)| {
        let too_large = TooLarge { who: written_target(target), needs, board: board.clone() };
        (needs > board.bytes).then_some(too_large)
    };
    settings.memory().filter_map(too_large).collect()
}

/// A vGPU, and the memory that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// PCI device ID of its board.
    pub device: u16,
    /// Where its board is.
    pub address: &'a str,
    /// Its UUID.
    pub uuid: &'a str,
    /// What the guest sees and what the host keeps of it, in bytes.
    pub bytes: u64,
}

/// The vGPUs that need more than their board has.
pub fn of_vgpus<'a>(vgpus: impl Iterator<Item = Needs<'a>>) -> Vec<TooLarge> {
    let too_large = |vgpu: Needs<'_>| {
        let board = memory(vgpu.device, vgpu.address)?;
        let too_large = vgpu.bytes > board.bytes;
        too_large.then(|| TooLarge { who: format!("vGPU {}", vgpu.uuid), needs: vgpu.bytes, board })
    };
    vgpus.filter_map(too_large).collect()
}

/// A sentence about the registered types of a board that it has not the memory for, if there are any.
pub fn of_types(host: &Host, address: &str) -> Option<String> {
    let boards = host::boards(&host.path("/"));
    let board = boards.iter().find(|board| board.address == address)?;
    let known = board::find(board.device)?;
    let bytes = known.memory()?;
    let too_large = board.types.iter().filter(|(of, _)| of.mib.saturating_mul(1 << 20) > bytes);
    let names: Vec<_> = too_large.map(|(of, _)| of.name.as_str()).collect();
    let (first, more) = names.split_at(names.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    (!names.is_empty()).then(|| {
        format!(
            "{address}: the {} has {}, too little for {}{more}",
            known.name,
            size(bytes),
            first.join(", ")
        )
    })
}

/// The memory of a board, where its device ID tells.
fn memory(device: u16, address: &str) -> Option<BoardMemory> {
    let known = board::find(device)?;
    Some(BoardMemory { name: format!("the {} at {address}", known.name), bytes: known.memory()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::made_up::MadeUp;

    fn of_text(host: &MadeUp, text: &str) -> Vec<String> {
        let settings = Settings::parse(text).unwrap();
        of_settings(&host.host(), &settings).iter().map(ToString::to_string).collect()
    }

    fn add_board(host: &mut MadeUp, address: &str, device: &str) {
        let dir = format!("/sys/bus/pci/devices/{address}");
        for (file, id) in [("vendor", "0x10de"), ("device", device), ("class", "0x030000")] {
            host.file(&format!("{dir}/{file}"), format!("{id}\n"));
        }
    }

    #[test]
    fn overrides_are_held_against_the_largest_board() {
        let mut host = MadeUp::default();
        add_board(&mut host, "0000:01:00.0", "0x1c03");
        let text = "nvidia-46:framebuffer=7GiB;vm/100:vram=6GiB;vm/101:framebuffer=6GiB,\
                    framebuffer_reservation=1MiB;vm/102:framebuffer_reservation=12GiB;vm/103:gpu_type=99";
        let of_host = "and the GeForce GTX 1060 6GB of this host has 6GiB";
        assert_eq!(
            of_text(&host, text),
            [
                format!("nvidia-46 needs 7GiB of memory, {of_host}"),
                format!("vm/101 needs 6145MiB of memory, {of_host}"),
                format!("vm/102 needs 12GiB of memory, {of_host}"),
            ]
        );
        add_board(&mut host, "0000:02:00.0", "0x1b06");
        assert_eq!(
            of_text(&host, text),
            ["vm/102 needs 12GiB of memory, and the GeForce GTX 1080 Ti of this host has 11GiB"]
        );
        // An RTX 6000 or an RTX 8000, so nothing is certain.
        add_board(&mut host, "0000:03:00.0", "0x1e30");
        assert_eq!(of_text(&host, text), [] as [&str; 0]);
    }

    #[test]
    fn types_are_held_against_their_own_board() {
        let mut host = MadeUp::default();
        add_board(&mut host, "0000:01:00.0", "0x1b06");
        add_board(&mut host, "0000:02:00.0", "0x1b38");
        for bus in ["01", "02"] {
            let dir = format!("/sys/bus/pci/devices/0000:{bus}:00.0/mdev_supported_types");
            for (number, mib) in
                [(46, 1024), (51, 8192), (52, 12288), (53, 24576), (60, 12288), (61, 24576)]
            {
                let of = format!("{dir}/nvidia-{number}");
                host.file(&format!("{of}/name"), format!("T{number}\n")).file(
                    &format!("{of}/description"),
                    format!("num_heads=4, framebuffer={mib}M, max_instance=1\n"),
                );
            }
        }
        let of = |address| of_types(&host.host(), address);
        assert_eq!(
            of("0000:01:00.0").unwrap(),
            "0000:01:00.0: the GeForce GTX 1080 Ti has 11GiB, too little for T52, T60, T53 and 1 more"
        );
        assert_eq!(of("0000:02:00.0"), None);
        assert_eq!(of("0000:03:00.0"), None);
    }
}
