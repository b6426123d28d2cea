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
    pub(super) name: &'static str,
    /// The first branch that lists it.
    pub(super) first: u16,
    /// The last one, or [`NEWEST`].
    pub(super) last: u16,
}

/// Every branch that there will be.
const NEWEST: u16 = u16::MAX;

const fn native(device: u16, name: &'static str, first: u16, last: u16) -> Native {
    Native { device, subsystems: &[], name, first, last }
}

/// In no order; no device ID stands twice (a test checks).
#[rustfmt::skip]
pub(super) static NATIVES: &[Native] = &[
    Native { subsystems: &[0x1160], ..native(0x13bd, "Tesla M10", 450, 580) },
    native(0x13f2, "Tesla M60", 450, 535),
    native(0x13f3, "Tesla M6", 450, 535),
    native(0x15f7, "Tesla P100 PCIe 12GB", 450, 535),
    native(0x15f8, "Tesla P100 PCIe 16GB", 450, 535),
    native(0x15f9, "Tesla P100 SXM2 16GB", 450, 535),
    native(0x1b38, "Tesla P40", 450, 535),
    native(0x1b39, "Tesla P10", 450, 535),
    native(0x1bb3, "Tesla P4", 450, 535),
    native(0x1bb4, "Tesla P6", 450, 535),
    native(0x1db1, "Tesla V100 SXM2 16GB", 450, 580),
    native(0x1db3, "Tesla V100 FHHL 16GB", 450, 580),
    native(0x1db4, "Tesla V100 PCIe 16GB", 450, 580),
    native(0x1db5, "Tesla V100 SXM2 32GB", 450, 580),
    native(0x1db6, "Tesla V100 PCIe 32GB", 450, 580),
    native(0x1df6, "Tesla V100S PCIe 32GB", 450, 580),
    native(0x1e30, "Quadro RTX 6000/8000", 450, NEWEST),
    native(0x1e37, "Tesla T10 16GB", 450, NEWEST),
    native(0x1e38, "Tesla T40 24GB", 450, NEWEST),
    native(0x1e78, "Quadro RTX 6000/8000 passive", 450, NEWEST),
    native(0x1eb4, "T4G", 450, NEWEST),
    native(0x1eb8, "Tesla T4", 450, NEWEST),
    native(0x20b0, "A100 SXM4 40GB", 450, NEWEST),
    native(0x20b2, "A100 SXM4 80GB", 460, NEWEST),
    native(0x20b5, "A100 PCIe 80GB", 470, NEWEST),
    native(0x20b7, "A30 PCIe", 470, NEWEST),
    native(0x20b8, "A100X", 510, NEWEST),
    native(0x20b9, "A30X", 510, NEWEST),
    native(0x20be, "GRID A100A", 550, NEWEST),
    native(0x20bf, "GRID A100B", 525, NEWEST),
    native(0x20f1, "A100 PCIe 40GB", 450, NEWEST),
    native(0x20f3, "A800 SXM4 80GB", 525, NEWEST),
    native(0x20f5, "A800 PCIe 80GB", 525, NEWEST),
    native(0x20f6, "A800 PCIe 40GB", 535, NEWEST),
    native(0x20fd, "AX800", 535, NEWEST),
    native(0x2230, "RTX A6000", 460, NEWEST),
    native(0x2231, "RTX A5000", 470, NEWEST),
    native(0x2233, "RTX A5500", 510, NEWEST),
    native(0x2235, "A40", 460, NEWEST),
    native(0x2236, "A10", 470, NEWEST),
    native(0x2237, "A10G", 470, NEWEST),
    native(0x2238, "A10M", 525, NEWEST),
    native(0x2321, "H100L 94GB", 535, NEWEST),
    native(0x2322, "H800 PCIe", 525, NEWEST),
    native(0x2324, "H800", 550, NEWEST),
    native(0x2329, "H20", 550, NEWEST),
    native(0x2330, "H100 SXM5 80GB", 535, NEWEST),
    native(0x2331, "H100 PCIe", 525, NEWEST),
    native(0x2336, "H100", 550, NEWEST),
    native(0x2337, "H100 SXM5 64GB", 550, NEWEST),
    native(0x2339, "H100 SXM5 94GB", 550, NEWEST),
    native(0x233a, "H800L 94GB", 535, NEWEST),
    native(0x2342, "GH200", 550, NEWEST),
    native(0x25b5, "RTX A4 Mobile", 525, NEWEST),
    native(0x25b6, "A2 / A16", 470, NEWEST),
    // GeForce boards have the same device IDs. 550.163.01 alone lists these, and nobody has published their names.
    Native { subsystems: &[0x165b], ..native(0x2684, "AD102, subsystem 165b", 550, 550) },
    Native { subsystems: &[0x1693, 0x16f8], ..native(0x2785, "AD104, subsystem 1693 or 16f8", 550, 550) },
    native(0x26b1, "RTX 6000 Ada", 525, NEWEST),
    native(0x26b2, "RTX 5000 Ada", 535, NEWEST),
    native(0x26b3, "RTX 5880 Ada", 550, NEWEST),
    native(0x26b5, "L40", 525, NEWEST),
    native(0x26b8, "L40G", 525, NEWEST),
    native(0x26b9, "L40S", 535, NEWEST),
    native(0x26ba, "L20", 535, NEWEST),
    native(0x26bb, "L30", 550, NEWEST),
    native(0x27b1, "RTX 4500 Ada", 570, NEWEST),
    native(0x27b6, "L2", 535, NEWEST),
    native(0x27b8, "L4", 525, NEWEST),
    native(0x2bb5, "RTX PRO 6000 Blackwell Server", 570, NEWEST),
];
