// SPDX-License-Identifier: GPL-2.0
//! Boards: which ones NVIDIA's driver lists, and as what an unlisted one is answered.

mod address;
mod board;
mod data;

pub use address::Address;
pub use board::{Generation, Sibling, VgpuType};

/// NVIDIA's PCI vendor ID.
pub const NVIDIA_VENDOR: u16 = 0x10de;

/// What is to be done about a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// NVIDIA's driver lists the board itself; it needs nothing.
    Listed,
    /// The board is answered as its sibling. Of a board that only the user knows to have one, the
    /// generation is not known.
    As(Option<Generation>, Sibling),
    /// No capable board has this silicon, or nobody has told us.
    Unknown,
}

impl Answer {
    /// The sibling, if the board is answered as one.
    pub fn sibling(self) -> Option<Sibling> {
        match self {
            Answer::As(_, sibling) => Some(sibling),
            Answer::Listed | Answer::Unknown => None,
        }
    }
}

/// Decides what the board with PCI device ID `device` is answered as.
pub fn answer(device: u16) -> Answer {
    if data::VGPU_TYPES.iter().any(|t| t.device == device) {
        return Answer::Listed;
    }
    data::RANGES
        .iter()
        .find(|r| (r.first..=r.last).contains(&device))
        .map_or(Answer::Unknown, |r| Answer::As(Some(r.generation), *r.sibling))
}

/// The board with this PCI device ID, as somebody wants another one to be answered.
pub fn chosen(device: u16, subsystem: Option<u16>) -> Sibling {
    let known = data::CAPABLE.iter().find(|board| board.device == device);
    Sibling { device, subsystem, name: known.map_or("unknown board", |board| board.name) }
}

/// What is done about the board with PCI device ID `device` where somebody wants it answered as `other`.
/// A board that is listed and named as itself needs nothing.
pub fn answer_as(device: u16, other: Sibling) -> Answer {
    match answer(device) {
        Answer::Listed if other.device == device => Answer::Listed,
        Answer::As(generation, _) => Answer::As(generation, other),
        Answer::Listed | Answer::Unknown => Answer::As(None, other),
    }
}

/// The vGPU types of the capable board with PCI device ID `device`, in table order.
pub fn vgpu_types(device: u16) -> impl Iterator<Item = &'static VgpuType> {
    data::VGPU_TYPES.iter().filter(move |t| t.device == device)
}

/// The largest number of vGPU types that one board has.
pub const MAX_VGPU_TYPES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_boards_are_answered_as_the_sibling_with_their_silicon() {
        for (device, sibling, subsystem) in [
            (0x1b06, 0x1b38, None),         // GTX 1080 Ti
            (0x1cb3, 0x1b38, None),         // Quadro P400
            (0x1381, 0x13bd, Some(0x1160)), // GTX 750
            (0x13c2, 0x13f2, None),         // GTX 970
            (0x1d81, 0x1db6, None),         // Titan V
            (0x1e04, 0x1e30, Some(0x12ba)), // RTX 2080 Ti
            (0x2182, 0x1e30, Some(0x12ba)), // GTX 1660 Ti
            (0x2204, 0x2230, None),         // RTX 3090
        ] {
            let found = answer(device).sibling().map(|s| (s.device, s.subsystem));
            assert_eq!(found, Some((sibling, subsystem)), "{device:#06x}");
        }
    }

    #[test]
    fn boards_that_nvidia_lists_are_left_alone() {
        for device in [0x1b38, 0x1db6, 0x1eb8, 0x2230, 0x13bd, 0x13f2, 0x1e30, 0x1bb3] {
            assert_eq!(answer(device), Answer::Listed, "{device:#06x}");
        }
    }

    #[test]
    fn boards_without_a_sibling_are_unknown() {
        // GTX 480, RTX 4090, RTX 5090, and both ends of the ID space.
        for device in [0x06c0, 0x2684, 0x2b85, 0x0000, 0xffff] {
            assert_eq!(answer(device), Answer::Unknown, "{device:#06x}");
        }
    }

    #[test]
    fn ranges_are_ordered_and_do_not_overlap() {
        for (i, a) in data::RANGES.iter().enumerate() {
            assert!(a.first <= a.last);
            for b in data::RANGES.iter().skip(i + 1) {
                assert!(a.last < b.first || b.last < a.first);
            }
        }
    }

    #[test]
    fn every_sibling_is_listed_and_has_types() {
        for range in data::RANGES {
            let count = vgpu_types(range.sibling.device).count();
            assert!((1..=MAX_VGPU_TYPES).contains(&count), "{}", range.sibling.name);
            assert_eq!(answer(range.sibling.device), Answer::Listed);
        }
        assert_eq!(vgpu_types(0x1b38).count(), 25);
    }

    #[test]
    fn every_board_with_types_has_a_name_and_room() {
        for device in 0..=u16::MAX {
            let count = vgpu_types(device).count();
            assert!(count <= MAX_VGPU_TYPES, "{device:#06x}");
            assert_eq!(chosen(device, None).name == "unknown board", count == 0, "{device:#06x}");
        }
        for board in data::CAPABLE {
            assert_eq!(answer(board.device), Answer::Listed, "{}", board.name);
        }
    }
}
