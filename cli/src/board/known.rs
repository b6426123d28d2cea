// SPDX-License-Identifier: GPL-2.0
//! A board, and a type of one, as far as they are known.

/// A board of which people know how much memory it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Board {
    /// PCI device ID.
    pub device: u16,
    /// What it is called.
    pub name: &'static str,
    /// How much memory it is sold with, in GiB; several where the device ID does not tell.
    pub gib: &'static [u64],
}

impl Board {
    /// Its memory in bytes, where the device ID tells.
    pub fn memory(&self) -> Option<u64> {
        match self.gib {
            [gib] => Some(gib << 30),
            _ => None,
        }
    }
}

/// A vGPU type of a board that NVIDIA lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The N of `nvidia-N`.
    pub number: u32,
    /// Such as `GRID P40-2Q`.
    pub name: String,
    /// The whole of its memory in MiB, what the host keeps included.
    pub mib: u64,
    /// How many of them NVIDIA allows on a board.
    pub max_instances: u64,
}

impl Type {
    /// The letter at the end of its name: Q, B, A or C; `None` where the name has none.
    pub fn series(&self) -> Option<char> {
        let (_, size) = self.name.rsplit_once('-')?;
        size.chars().find(char::is_ascii_alphabetic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_letter_behind_the_size() {
        let of = |name: &str| Type { number: 1, name: name.into(), mib: 1, max_instances: 1 };
        for (name, series) in [
            ("GRID P40-2Q", Some('Q')),
            ("GRID P40-2B4", Some('B')),
            ("My GPU", None),
            ("a-1", None),
        ] {
            assert_eq!(of(name).series(), series, "{name}");
        }
    }
}
