// SPDX-License-Identifier: GPL-2.0
//! Boards: which ones NVIDIA's driver lists, and as what an unlisted one is answered.

mod address;
mod board;
mod bound;
mod data;
mod native;

pub use address::Address;
pub use board::{Generation, Ids, Sibling, VgpuType};
pub use bound::Bound;

/// NVIDIA's PCI vendor ID.
pub const NVIDIA_VENDOR: u16 = 0x10de;

/// What is to be done about a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// NVIDIA's driver lists the board itself; it needs nothing.
    Listed,
    /// NVIDIA has listed the board, but this driver branch does not any more: it is accepted all the
    /// same, as what it is.
    Dropped,
    /// NVIDIA lists the board, but in newer branches than this one.
    NotYet,
    /// The board is answered as its sibling. Of a board that only the user knows to have one, the
    /// generation is not known.
    As(Option<Generation>, Sibling),
    /// From Ampere on, vGPUs live on virtual functions (SR-IOV), which boards that NVIDIA does not list
    /// lack. Nobody is known to have got one to work.
    NoSriov,
    /// No capable board has this silicon, or nobody has told us.
    Unknown,
}

impl Answer {
    /// The sibling, if the board is answered as one.
    pub fn sibling(self) -> Option<Sibling> {
        match self {
            Answer::As(_, sibling) => Some(sibling),
            _ => None,
        }
    }

    /// Whether the driver accepts the board only because of us.
    pub fn needs_unlock(self) -> bool {
        matches!(self, Answer::As(..) | Answer::Dropped)
    }
}

/// Decides what the board with these IDs is answered as, by a driver of this branch where one is known.
pub fn answer(ids: Ids, branch: Option<u16>) -> Answer {
    if let Some(native) = native_of(ids) {
        return match branch {
            Some(branch) if branch > native.last => Answer::Dropped,
            Some(branch) if branch < native.first => Answer::NotYet,
            _ => Answer::Listed,
        };
    }
    match data::RANGES.iter().find(|r| (r.first..=r.last).contains(&ids.device)) {
        Some(range) => Answer::As(Some(range.generation), *range.sibling),
        None if is_ampere_or_newer(ids.device) => Answer::NoSriov,
        None => Answer::Unknown,
    }
}

/// Turing has the IDs in between.
fn is_ampere_or_newer(device: u16) -> bool {
    matches!(device, 0x2080..=0x20ff | 0x2200..=0xffff)
}

fn native_of(ids: Ids) -> Option<&'static native::Native> {
    native::NATIVES.iter().find(|native| {
        let fits = native.subsystems.is_empty() || native.subsystems.contains(&ids.subsystem);
        native.device == ids.device && fits
    })
}

/// Whether the board can host vGPUs with NVIDIA's open kernel modules: Hopper, Ada and newer ones, as the
/// published sources have it (`gpumgrIsVgxRmFirmwareCapableChip`).
pub fn hosts_with_open_modules(device: u16) -> bool {
    matches!(device, 0x2300..=0x23ff | 0x2600..=0xffff)
}

/// Whether a driver of this branch lists the board that others are answered as. Where it does not, their
/// profiles have to come from an older branch.
pub fn lists(sibling: &Sibling, branch: u16) -> bool {
    let mut natives = native::NATIVES.iter().filter(|native| native.device == sibling.device);
    natives.all(|native| (native.first..=native.last).contains(&branch))
}

/// The board with this PCI device ID, as somebody wants another one to be answered.
pub fn chosen(device: u16, subsystem: Option<u16>) -> Sibling {
    let known = data::CAPABLE.iter().find(|board| board.device == device);
    Sibling { device, subsystem, name: known.map_or("unknown board", |board| board.name) }
}

/// What is done about a board where somebody wants it answered as `other`. One that NVIDIA lists and that
/// is named as itself is what it is anyway.
pub fn answer_as(ids: Ids, branch: Option<u16>, other: Sibling) -> Answer {
    match answer(ids, branch) {
        native @ (Answer::Listed | Answer::Dropped | Answer::NotYet)
            if other.device == ids.device =>
        {
            native
        }
        Answer::As(generation, _) => Answer::As(generation, other),
        _ => Answer::As(None, other),
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

    fn ids(device: u16) -> Ids {
        Ids { device, subsystem: 0x1234 }
    }

    #[test]
    fn open_modules_host_vgpus_from_hopper_and_ada_on() {
        for (device, hosts) in [
            (0x1db6, false),
            (0x22ff, false),
            (0x2300, true),
            (0x23ff, true),
            (0x2400, false),
            (0x25ff, false),
            (0x2600, true),
            (0xffff, true),
        ] {
            assert_eq!(hosts_with_open_modules(device), hosts, "{device:#06x}");
        }
    }

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
        ] {
            for branch in [None, Some(470), Some(550), Some(580)] {
                let found = answer(ids(device), branch).sibling().map(|s| (s.device, s.subsystem));
                assert_eq!(found, Some((sibling, subsystem)), "{device:#06x}");
            }
        }
        // Only M10s are M10s.
        let m40 = answer(Ids { device: 0x13bd, subsystem: 0x110a }, Some(550));
        assert_eq!(m40.sibling().map(|s| s.device), Some(0x13bd));
    }

    #[test]
    fn boards_that_nvidia_lists_are_left_alone() {
        for device in [
            0x1b38, 0x1bb3, 0x1bb4, 0x13f2, 0x13f3, 0x15f8, // P40, P4, P6, M60, M6, P100
            0x1db1, 0x1db6, 0x1eb8, 0x1e37, 0x1e30,
            0x1e78, // V100, T4, T10, RTX 6000 and 8000
            0x20b0, 0x20b7, 0x2235, 0x2236, 0x25b6, 0x2230, 0x2231, 0x26b5,
        ] {
            assert_eq!(answer(ids(device), Some(535)), Answer::Listed, "{device:#06x}");
            assert_eq!(answer(ids(device), None), Answer::Listed, "{device:#06x}");
        }
        let ada = |subsystem| answer(Ids { device: 0x2684, subsystem }, Some(550));
        assert_eq!((ada(0x165b), ada(0x16f3)), (Answer::Listed, Answer::NoSriov));
        let ad104 = |subsystem| answer(Ids { device: 0x2785, subsystem }, Some(550));
        assert_eq!((ad104(0x1693), ad104(0x1234)), (Answer::Listed, Answer::NoSriov));
        let m10 = Ids { device: 0x13bd, subsystem: 0x1160 };
        assert_eq!(answer(m10, Some(550)), Answer::Listed);
    }

    #[test]
    fn a_branch_may_have_dropped_a_board_or_not_have_it_yet() {
        for (device, branch, expected) in [
            (0x1b38, 535, Answer::Listed),
            (0x1b38, 550, Answer::Dropped),
            (0x1bb3, 550, Answer::Dropped),
            (0x13f2, 570, Answer::Dropped),
            (0x1db6, 580, Answer::Listed),
            (0x1db6, 590, Answer::Dropped),
            (0x26b9, 525, Answer::NotYet),
            (0x26b9, 535, Answer::Listed),
            (0x2231, 590, Answer::Listed),
        ] {
            let found = answer(ids(device), Some(branch));
            assert_eq!(found, expected, "{device:#06x} in {branch}");
            assert_eq!(found.needs_unlock(), expected == Answer::Dropped);
        }
    }

    #[test]
    fn boards_without_sr_iov_are_promised_nothing() {
        // RTX 3060, 3080, 3090, A4000, CMP 170HX, RTX 4090, 5090.
        for device in [0x2504, 0x2206, 0x2204, 0x24b0, 0x20c2, 0x2684, 0x2b85] {
            assert_eq!(answer(ids(device), Some(550)), Answer::NoSriov, "{device:#06x}");
            // Unless somebody wants to try.
            let tried = answer_as(ids(device), Some(550), chosen(0x2230, None));
            assert_eq!(tried.sibling().map(|s| s.name), Some("RTX A6000"));
        }
    }

    #[test]
    fn whatever_a_board_is_answered_as_its_generation_stays() {
        let answer = answer_as(ids(0x1b80), Some(550), chosen(0x1bb3, None));
        assert_eq!(answer, Answer::As(Some(Generation::Pascal), chosen(0x1bb3, None)));
    }

    #[test]
    fn boards_without_a_sibling_are_unknown() {
        // GTX 480, GTX 780, and the lower end of the ID space.
        for device in [0x06c0, 0x1004, 0x0000] {
            assert_eq!(answer(ids(device), None), Answer::Unknown, "{device:#06x}");
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
    fn no_native_board_stands_twice() {
        for (i, a) in native::NATIVES.iter().enumerate() {
            assert!(a.first <= a.last, "{:#06x}", a.device);
            for b in native::NATIVES.iter().skip(i + 1) {
                assert_ne!(a.device, b.device);
            }
        }
    }

    #[test]
    fn every_sibling_is_listed_and_has_types() {
        for range in data::RANGES {
            let count = vgpu_types(range.sibling.device).count();
            assert!((1..=MAX_VGPU_TYPES).contains(&count), "{}", range.sibling.name);
            assert!(lists(range.sibling, 535), "{}", range.sibling.name);
        }
        assert_eq!(vgpu_types(0x1b38).count(), 25);
        for (device, branch, listed) in
            [(0x1b38, 550, false), (0x1bb3, 570, false), (0x13bd, 570, true), (0x1e30, 580, true)]
        {
            assert_eq!(lists(&chosen(device, None), branch), listed, "{device:#06x} in {branch}");
        }
    }

    #[test]
    fn every_board_with_types_has_a_name_and_room() {
        for device in 0..=u16::MAX {
            let count = vgpu_types(device).count();
            assert!(count <= MAX_VGPU_TYPES, "{device:#06x}");
            assert_eq!(chosen(device, None).name == "unknown board", count == 0, "{device:#06x}");
        }
        for board in data::CAPABLE {
            let its = Ids { device: board.device, subsystem: board.subsystem.unwrap_or(0) };
            assert_eq!(answer(its, Some(535)), Answer::Listed, "{}", board.name);
        }
    }
}
