// SPDX-License-Identifier: GPL-2.0
//! What is known about boards without asking a driver: their memory, and the numbers of their types.

mod data;
pub mod host;
mod known;

pub use known::{Board, Type};

/// The board with this PCI device ID.
pub fn find(device: u16) -> Option<&'static Board> {
    data::BOARDS.iter().find(|board| board.device == device)
}

/// The Q types of the capable board with this PCI device ID, the smallest first. They have everything
/// that a type can have: displays, CUDA and 60 frames per second.
pub fn types(device: u16) -> Vec<Type> {
    let known = || data::TYPES.iter().filter(|(board, ..)| *board == device);
    // The largest is the whole board.
    let memory = known().map(|(.., mib)| *mib).max().unwrap_or(0);
    known()
        .map(|&(_, number, name, mib)| Type {
            number,
            name: name.to_owned(),
            mib,
            // NVIDIA's user guide has no type with more.
            max_instances: (memory / mib).min(32),
        })
        .collect()
}

/// The number of the type with that name, in whatever case and with or without what is in front of it.
pub fn type_number(name: &str) -> Option<u32> {
    let plain = |name: &str| -> String {
        let word: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let word = word.to_ascii_lowercase();
        word.trim_start_matches("nvidia").trim_start_matches("grid").to_owned()
    };
    let name = plain(name);
    data::TYPES.iter().find(|(_, _, known, _)| plain(known) == name).map(|&(_, number, ..)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgpu_unlock::gpu::{self, Answer, Ids};

    #[test]
    fn every_board_is_one_that_is_answered() {
        for board in data::BOARDS {
            let answer = gpu::answer(Ids { device: board.device, subsystem: 0 }, None);
            assert!(matches!(answer, Answer::Listed | Answer::As(..)), "{}", board.name);
            assert!(!board.gib.is_empty() && board.gib.is_sorted(), "{}", board.name);
            assert_eq!(find(board.device), Some(board), "{} stands twice", board.name);
        }
        assert_eq!(find(0x1b06).and_then(Board::memory), Some(11 << 30));
        assert_eq!(find(0x1e30).and_then(Board::memory), None);
    }

    #[test]
    fn types_are_those_that_the_module_knows() {
        for &(device, number, name, mib) in data::TYPES {
            assert!(gpu::vgpu_types(device).any(|known| known.name == name), "{name}");
            assert_eq!(type_number(name), Some(number));
            assert!(mib.is_power_of_two() || mib % 1024 == 0, "{name}");
        }
        for (name, number) in
            [("p402q", 47), ("GRID P40-2Q", 47), ("rtx6000-1q", 256), ("RTXA6000-48Q", 533)]
        {
            assert_eq!(type_number(name), Some(number), "{name}");
        }
        for name in ["", "p40", "1q", "grid"] {
            assert_eq!(type_number(name), None, "{name}");
        }
    }

    #[test]
    fn as_many_instances_as_the_driver_says() {
        // What the descriptions say that `mdevctl types` prints, as issues and guides show them.
        for (device, number, max) in [
            (0x1b38, 46, 24),
            (0x1b38, 48, 8),
            (0x1e30, 260, 4),
            (0x2230, 524, 32),
            (0x13f2, 12, 16),
        ] {
            let of = types(device).into_iter().find(|known| known.number == number).unwrap();
            assert_eq!(of.max_instances, max, "nvidia-{number}");
        }
        assert_eq!(types(0x1b06), []);
    }
}
