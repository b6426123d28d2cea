// SPDX-License-Identifier: GPL-2.0
//! Where the fields of NVIDIA's vGPU type structures lie.
//!
//! One file a layout; this one chooses, by command and size, and nothing above knows which one it
//! has. What each is known from stands in its file. "Its handler" there means the code behind a
//! command in Debian's driver packages, which copies the fields of one and the same internal type
//! structure out for both commands; "the method table" is the table beside it that has the length
//! of every command's parameters. Read so: 450.248.02, 460.106.00, 470.256.02, 525.147.05,
//! 535.216.03, 535.274.02, 550.163.01 and 555.58.02.
//!
//! | driver | type by number | type of a vGPU |
//! | --- | --- | --- |
//! | 450, 460 | 4536 | 1840 |
//! | 470 | 4536 | 1848 |
//! | 525, 535 | 4960 | 1872 |
//! | 550 to 565 | 5096 | 1872 (550, 555: read; 560, 565: not) |
//! | 570, 575 | 5232 | not known |
//! | 580 until 580.82 | 5424 | 2328 |
//! | 580 from 580.94, 590 | 5432 | not known |
//!
//! 595 has 5432 too, but another field between: a driver of that branch must not be attached to with
//! these layouts ([`fits`]). 510 is not known: no header, no package.

mod r450;
mod r525;
mod r580;
mod r580_94;
mod shape;

pub use shape::Layout;

/// All layouts.
pub static ALL: [&Layout; 7] = [
    &r450::BY_NUMBER,
    &r450::OF_VGPU,
    &r525::BY_NUMBER,
    &r525::OF_VGPU,
    &r580::BY_NUMBER,
    &r580::OF_VGPU,
    &r580_94::BY_NUMBER,
];

/// Whether the layouts are those of a driver of this branch, wherever it has one of the lengths. 595 has
/// a known length with other fields in it, and nobody knows of newer ones.
pub fn fits(branch: u16) -> bool {
    (450..595).contains(&branch)
}

/// The layout of a command's parameters of this length.
pub fn of(cmd: u32, size: usize) -> Option<&'static Layout> {
    ALL.into_iter()
        .find(|layout| layout.cmd == cmd && layout.sizes.iter().any(|&s| usize::from(s) == size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::profile::{Field, Key};
    use crate::logic::rm_control::command;
    use std::vec::Vec;

    #[test]
    fn fields_lie_within_the_smallest_size_aligned_and_apart() {
        for layout in ALL {
            let smallest = usize::from(*layout.sizes.iter().min().unwrap());
            let mut end = usize::from(layout.base);
            let mut places: Vec<_> = layout.fields().collect();
            places.sort_by_key(|(_, place)| *place);
            for (field, (offset, len)) in places {
                assert_eq!(layout.place(field), Some((offset, len)));
                let align = match field {
                    Field::AdapterNameUnicode => 2,
                    _ if len == 4 || len == 8 => len,
                    _ => 1,
                };
                assert_eq!(offset % align, 0, "{:x} {field:?}", layout.cmd);
                assert!(offset >= end, "{:x} {field:?}", layout.cmd);
                end = offset + len;
                assert!(end <= smallest, "{:x} {field:?}", layout.cmd);
            }
        }
    }

    #[test]
    fn no_size_of_a_command_has_two_layouts() {
        let mut seen = Vec::new();
        for layout in ALL {
            for size in layout.sizes {
                assert!(!seen.contains(&(layout.cmd, size)));
                seen.push((layout.cmd, size));
                assert!(core::ptr::eq(of(layout.cmd, usize::from(*size)).unwrap(), layout));
            }
        }
        assert!(of(command::VGPU_CONFIG_GET_VGPU_TYPE_INFO, 1848).is_none());
        assert!(of(command::BUS_GET_PCI_INFO, 4960).is_none());
    }

    #[test]
    fn every_key_has_its_field_in_every_layout_but_the_oldest() {
        for layout in ALL {
            for field in Key::ALL.into_iter().filter_map(Key::field) {
                let is_name = matches!(
                    field,
                    Field::AdapterName | Field::ShortGpuNameString | Field::LicensedProductName
                );
                let missing = is_name && layout.sizes == [4536];
                assert_eq!(layout.place(field).is_none(), missing, "{:x} {field:?}", layout.cmd);
            }
        }
    }
}
