// SPDX-License-Identifier: GPL-2.0
//! The boards that NVIDIA lists itself, and in which driver branches.
//!
//! Sources: what the board checks of 525.147.05, 535.216.03, 550.163.01 and 555.58.02 say for every PCI
//! device ID (`vgpu-unlock inspect` asks them; a test holds this table against it), and the bytes that
//! public patches show of 570's. Before 525 the capability tables decide, which can't be read without a
//! board's key: there, and for 0x1e30 and 0x1e78, of which more than the ID decides, it is the boards of
//! NVIDIA's vGPU user guides. That 580 is the last branch for Maxwell and Volta is NVIDIA's announcement.
//! Names are those of pci.ids.

/// A board that NVIDIA lists.
pub(super) struct Native {
    pub(super) device: u16,
    /// The PCI subsystem IDs that it may have, where the device ID is shared with boards that are not
    /// listed; any, if there are none.
    pub(super) subsystems: &'static [u16],
    /// The first branch that lists it.
    pub(super) first: u16,
    /// The last one, or [`NEWEST`].
    pub(super) last: u16,
}

/// Every branch that there will be.
const NEWEST: u16 = u16::MAX;

const fn native(device: u16, first: u16, last: u16) -> Native {
    Native { device, subsystems: &[], first, last }
}

/// In no order; no device ID stands twice (a test checks).
#[rustfmt::skip]
pub(super) static NATIVES: &[Native] = &[
    Native { subsystems: &[0x1160], ..native(0x13bd, 450, 580) }, // Tesla M10
    native(0x13f2, 450, 535), // Tesla M60
    native(0x13f3, 450, 535), // Tesla M6
    native(0x15f7, 450, 535), // Tesla P100 PCIe 12GB
    native(0x15f8, 450, 535), // Tesla P100 PCIe 16GB
    native(0x15f9, 450, 535), // Tesla P100 SXM2 16GB
    native(0x1b38, 450, 535), // Tesla P40
    native(0x1b39, 450, 535), // Tesla P10
    native(0x1bb3, 450, 535), // Tesla P4
    native(0x1bb4, 450, 535), // Tesla P6
    native(0x1db1, 450, 580), // Tesla V100 SXM2 16GB
    native(0x1db3, 450, 580), // Tesla V100 FHHL 16GB
    native(0x1db4, 450, 580), // Tesla V100 PCIe 16GB
    native(0x1db5, 450, 580), // Tesla V100 SXM2 32GB
    native(0x1db6, 450, 580), // Tesla V100 PCIe 32GB
    native(0x1df6, 450, 580), // Tesla V100S PCIe 32GB
    native(0x1e30, 450, NEWEST), // Quadro RTX 6000/8000
    native(0x1e37, 450, NEWEST), // Tesla T10 16GB
    native(0x1e38, 450, NEWEST), // Tesla T40 24GB
    native(0x1e78, 450, NEWEST), // Quadro RTX 6000/8000 passive
    native(0x1eb4, 450, NEWEST), // T4G
    native(0x1eb8, 450, NEWEST), // Tesla T4
    native(0x20b0, 450, NEWEST), // A100 SXM4 40GB
    native(0x20b2, 460, NEWEST), // A100 SXM4 80GB
    native(0x20b5, 470, NEWEST), // A100 PCIe 80GB
    native(0x20b7, 470, NEWEST), // A30 PCIe
    native(0x20b8, 510, NEWEST), // A100X
    native(0x20b9, 510, NEWEST), // A30X
    native(0x20be, 550, NEWEST), // GRID A100A
    native(0x20bf, 525, NEWEST), // GRID A100B
    native(0x20f1, 450, NEWEST), // A100 PCIe 40GB
    native(0x20f3, 525, NEWEST), // A800 SXM4 80GB
    native(0x20f5, 525, NEWEST), // A800 PCIe 80GB
    native(0x20f6, 535, NEWEST), // A800 PCIe 40GB
    native(0x20fd, 535, NEWEST), // AX800
    native(0x2230, 460, NEWEST), // RTX A6000
    native(0x2231, 470, NEWEST), // RTX A5000
    native(0x2233, 510, NEWEST), // RTX A5500
    native(0x2235, 460, NEWEST), // A40
    native(0x2236, 470, NEWEST), // A10
    native(0x2237, 470, NEWEST), // A10G
    native(0x2238, 525, NEWEST), // A10M
    native(0x2321, 535, NEWEST), // H100L 94GB
    native(0x2322, 525, NEWEST), // H800 PCIe
    native(0x2324, 550, NEWEST), // H800
    native(0x2329, 550, NEWEST), // H20
    native(0x2330, 535, NEWEST), // H100 SXM5 80GB
    native(0x2331, 525, NEWEST), // H100 PCIe
    native(0x2336, 550, NEWEST), // H100
    native(0x2337, 550, NEWEST), // H100 SXM5 64GB
    native(0x2339, 550, NEWEST), // H100 SXM5 94GB
    native(0x233a, 535, NEWEST), // H800L 94GB
    native(0x2342, 550, NEWEST), // GH200
    native(0x25b5, 525, NEWEST), // RTX A4 Mobile
    native(0x25b6, 470, NEWEST), // A2 / A16
    // GeForce boards have the same device IDs. 550.163.01 alone lists these, and nobody has published their names.
    Native { subsystems: &[0x165b], ..native(0x2684, 550, 550) }, // AD102, subsystem 165b
    Native { subsystems: &[0x1693, 0x16f8], ..native(0x2785, 550, 550) }, // AD104, subsystem 1693 or 16f8
    native(0x26b1, 525, NEWEST), // RTX 6000 Ada
    native(0x26b2, 535, NEWEST), // RTX 5000 Ada
    native(0x26b3, 550, NEWEST), // RTX 5880 Ada
    native(0x26b5, 525, NEWEST), // L40
    native(0x26b8, 525, NEWEST), // L40G
    native(0x26b9, 535, NEWEST), // L40S
    native(0x26ba, 535, NEWEST), // L20
    native(0x26bb, 550, NEWEST), // L30
    native(0x27b1, 570, NEWEST), // RTX 4500 Ada
    native(0x27b6, 535, NEWEST), // L2
    native(0x27b8, 525, NEWEST), // L4
    native(0x2bb5, 570, NEWEST), // RTX PRO 6000 Blackwell Server
];
