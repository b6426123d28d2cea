// SPDX-License-Identifier: GPL-2.0
//! The UUIDs of mdev devices.

use core::fmt;

use super::hex_byte;

/// A UUID, its 16 bytes in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid([u8; 16]);

/// Where the groups end, in bytes.
const GROUPS: [usize; 4] = [4, 6, 8, 10];

impl Uuid {
    /// The UUID with these bytes, in the order in which they are written.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a UUID out of NVIDIA's structures, where it is a `guid_t`: the first three groups are
    /// little-endian numbers.
    ///
    /// Source: mbilker/vgpu_unlock-rs, whose log shows the UUIDs that people gave.
    pub const fn from_guid(guid: [u8; 16]) -> Self {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7] = guid;
        Self([a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, d2, d3, d4, d5, d6, d7])
    }

    /// Reads `c2c1c3a0-0000-...`: 32 hexadecimal digits of either case in groups of 8, 4, 4, 4
    /// and 12.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        let mut text = text.iter();
        for (at, byte) in bytes.iter_mut().enumerate() {
            if GROUPS.contains(&at) && text.next() != Some(&b'-') {
                return None;
            }
            *byte = hex_byte(*text.next()?, *text.next()?)?;
        }
        match text.next() {
            None => Some(Self(bytes)),
            Some(_) => None,
        }
    }

    /// The number of the virtual machine, where Proxmox made the UUID: `0000000N-0000-0000-0000-`
    /// and the number in decimal. `None` for other UUIDs.
    ///
    /// Source: Proxmox's scheme, as mbilker/vgpu_unlock-rs reads it.
    pub fn vmid(&self) -> Option<u64> {
        let [_, _, _, _, zero @ .., d2, d3, d4, d5, d6, d7] = self.0;
        if zero != [0; 6] {
            return None;
        }
        [d2, d3, d4, d5, d6, d7].iter().try_fold(0u64, |number, byte| {
            let (tens, ones) = (byte >> 4, byte & 0xf);
            if tens > 9 || ones > 9 {
                return None;
            }
            number
                .checked_mul(100)?
                .checked_add(u64::from(tens).checked_mul(10)?)?
                .checked_add(ones.into())
        })
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if GROUPS.contains(&at) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn uuid(text: &str) -> Uuid {
        Uuid::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn uuids_are_read_and_written() {
        let text = "2b7bc7e4-8784-4933-8613-9bc92bbc718c";
        assert_eq!(uuid(text).to_string(), text);
        assert_eq!(uuid(&text.to_uppercase()), uuid(text));
        for wrong in [
            "",
            "2b7bc7e4-8784-4933-8613-9bc92bbc718",
            "2b7bc7e4-8784-4933-8613-9bc92bbc718c0",
            "2b7bc7e487844933-8613-9bc92bbc718c-00",
            "2b7bc7e4_8784-4933-8613-9bc92bbc718c",
            "gb7bc7e4-8784-4933-8613-9bc92bbc718c",
        ] {
            assert_eq!(Uuid::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_guid_has_its_first_three_groups_backwards() {
        let guid = [
            0xe4, 0xc7, 0x7b, 0x2b, 0x84, 0x87, 0x33, 0x49, 0x86, 0x13, 0x9b, 0xc9, 0x2b, 0xbc,
            0x71, 0x8c,
        ];
        assert_eq!(Uuid::from_guid(guid), uuid("2b7bc7e4-8784-4933-8613-9bc92bbc718c"));
    }

    #[test]
    fn proxmox_writes_the_vm_as_decimal() {
        for (text, vmid) in [
            ("00000000-0000-0000-0000-000000000100", Some(100)),
            ("00000001-0000-0000-0000-000000000100", Some(100)),
            ("ffffffff-0000-0000-0000-999999999999", Some(999_999_999_999)),
            ("00000000-0000-0000-0000-000000000000", Some(0)),
            ("00000000-0001-0000-0000-000000000100", None),
            ("00000000-0000-0001-0000-000000000100", None),
            ("00000000-0000-0000-0001-000000000100", None),
            ("00000000-0000-0000-0000-00000000010a", None),
            ("00000000-0000-0000-0000-a00000000100", None),
        ] {
            assert_eq!(uuid(text).vmid(), vmid, "{text}");
        }
    }
}
