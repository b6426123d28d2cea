// SPDX-License-Identifier: GPL-2.0
//! Which of the kernel's drivers has a board.

use core::fmt;

/// Bytes of a driver's name that are kept.
const NAME: usize = 24;

/// Which of the kernel's drivers has a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It can't be told: the kernel is just at it.
    Unknown,
    /// None.
    Nobody,
    /// NVIDIA's.
    Nvidia,
    /// Another one, which keeps NVIDIA's away from it.
    Other(DriverName),
}

impl Bound {
    /// To the driver with this name.
    pub fn to(name: &[u8]) -> Self {
        match name {
            b"nvidia" => Bound::Nvidia,
            _ => Bound::Other(DriverName::new(name)),
        }
    }

    /// Whether NVIDIA's driver can't have the board.
    pub fn is_other(self) -> bool {
        matches!(self, Bound::Other(_))
    }

    /// The driver's name, where there is one.
    pub fn driver(&self) -> Option<&str> {
        match self {
            Bound::Unknown | Bound::Nobody => None,
            Bound::Nvidia => Some("nvidia"),
            Bound::Other(name) => Some(name.as_str()),
        }
    }
}

/// The beginning of a driver's name, of printable characters that mean nothing in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DriverName {
    bytes: [u8; NAME],
    len: usize,
}

impl DriverName {
    fn new(name: &[u8]) -> Self {
        let mut bytes = [0; NAME];
        let plain =
            |&c: &u8| if c.is_ascii_graphic() && c != b'"' && c != b'\\' { c } else { b'?' };
        let len = bytes.iter_mut().zip(name).map(|(to, c)| *to = plain(c)).count();
        Self { bytes, len }
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("?")
    }
}

impl fmt::Debug for DriverName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_the_board_is() {
        assert_eq!(Bound::to(b"nvidia"), Bound::Nvidia);
        for (name, shown) in [
            ("vfio-pci", "vfio-pci"),
            ("nouveau", "nouveau"),
            ("", ""),
            ("a \"b\\\u{7f}", "a??b??"),
            ("a-name-of-more-than-24-characters", "a-name-of-more-than-24-c"),
        ] {
            let bound = Bound::to(name.as_bytes());
            assert!(bound.is_other());
            assert_eq!(bound.driver(), Some(shown), "{name}");
        }
        assert!(std::format!("{:?}", Bound::to(b"vfio-pci")).contains("vfio-pci"));
        assert_eq!((Bound::Nobody.driver(), Bound::Nvidia.driver()), (None, Some("nvidia")));
    }
}
