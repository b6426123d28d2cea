// SPDX-License-Identifier: GPL-2.0
//! What must come out: written down here a second time, so that the module's own data is checked.

/// One vGPU type, as the driver's table must hold it.
pub struct VgpuType {
    pub device: u16,
    pub subsystem: u16,
    pub name: &'static str,
}

const fn p40(subsystem: u16, name: &'static str) -> VgpuType {
    VgpuType { device: 0x1b38, subsystem, name }
}

const fn p4(subsystem: u16, name: &'static str) -> VgpuType {
    VgpuType { device: 0x1bb3, subsystem, name }
}

/// The types of a Tesla P40, which every Pascal board is answered as, in table order.
pub const TESLA_P40: [VgpuType; 25] = [
    p40(0x11e7, "GRID P40-1B"),
    p40(0x11e8, "GRID P40-1Q"),
    p40(0x11e9, "GRID P40-2Q"),
    p40(0x11ea, "GRID P40-3Q"),
    p40(0x11eb, "GRID P40-4Q"),
    p40(0x11ec, "GRID P40-6Q"),
    p40(0x11ed, "GRID P40-8Q"),
    p40(0x11ee, "GRID P40-12Q"),
    p40(0x11ef, "GRID P40-24Q"),
    p40(0x11f0, "GRID P40-1A"),
    p40(0x11f1, "GRID P40-2A"),
    p40(0x11f2, "GRID P40-3A"),
    p40(0x11f3, "GRID P40-4A"),
    p40(0x11f4, "GRID P40-6A"),
    p40(0x11f5, "GRID P40-8A"),
    p40(0x11f6, "GRID P40-12A"),
    p40(0x11f7, "GRID P40-24A"),
    p40(0x1287, "GRID P40-2B"),
    p40(0x12ef, "GRID P40-2B4"),
    p40(0x133a, "GRID P40-1B4"),
    p40(0x137e, "GRID P40-24C"),
    p40(0x1381, "GRID P40-4C"),
    p40(0x1382, "GRID P40-6C"),
    p40(0x1383, "GRID P40-8C"),
    p40(0x1384, "GRID P40-12C"),
];

/// The types of a Tesla P4, which a user may prefer, in table order.
pub const TESLA_P4: [VgpuType; 14] = [
    p4(0x1203, "GRID P4-1B"),
    p4(0x1204, "GRID P4-1Q"),
    p4(0x1205, "GRID P4-2Q"),
    p4(0x1206, "GRID P4-4Q"),
    p4(0x1207, "GRID P4-8Q"),
    p4(0x1208, "GRID P4-1A"),
    p4(0x1209, "GRID P4-2A"),
    p4(0x120a, "GRID P4-4A"),
    p4(0x120b, "GRID P4-8A"),
    p4(0x1288, "GRID P4-2B"),
    p4(0x12f1, "GRID P4-2B4"),
    p4(0x133c, "GRID P4-1B4"),
    p4(0x1380, "GRID P4-8C"),
    p4(0x1385, "GRID P4-4C"),
];

/// One vGPU type, as a driver offers it.
pub struct Offered {
    pub number: u32,
    pub name: &'static str,
    pub instances: u32,
    pub description: &'static str,
}

const fn offered(
    number: u32,
    name: &'static str,
    instances: u32,
    description: &'static str,
) -> Offered {
    Offered { number, name, instances, description }
}

/// The types of a Tesla P40, as mdevctl is seen to print them on one. The stand-in offers the same.
#[rustfmt::skip]
pub const OFFERED: [Offered; 25] = [
    offered(46, "GRID P40-1Q", 24, "num_heads=4, frl_config=60, framebuffer=1024M, max_resolution=5120x2880, max_instance=24"),
    offered(47, "GRID P40-2Q", 12, "num_heads=4, frl_config=60, framebuffer=2048M, max_resolution=5120x2880, max_instance=12"),
    offered(48, "GRID P40-3Q", 8, "num_heads=4, frl_config=60, framebuffer=3072M, max_resolution=5120x2880, max_instance=8"),
    offered(49, "GRID P40-4Q", 6, "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=5120x2880, max_instance=6"),
    offered(50, "GRID P40-6Q", 4, "num_heads=4, frl_config=60, framebuffer=6144M, max_resolution=5120x2880, max_instance=4"),
    offered(51, "GRID P40-8Q", 3, "num_heads=4, frl_config=60, framebuffer=8192M, max_resolution=5120x2880, max_instance=3"),
    offered(52, "GRID P40-12Q", 2, "num_heads=4, frl_config=60, framebuffer=12288M, max_resolution=5120x2880, max_instance=2"),
    offered(53, "GRID P40-24Q", 1, "num_heads=4, frl_config=60, framebuffer=24576M, max_resolution=5120x2880, max_instance=1"),
    offered(54, "GRID P40-1A", 24, "num_heads=1, frl_config=60, framebuffer=1024M, max_resolution=1280x1024, max_instance=24"),
    offered(55, "GRID P40-2A", 12, "num_heads=1, frl_config=60, framebuffer=2048M, max_resolution=1280x1024, max_instance=12"),
    offered(56, "GRID P40-3A", 8, "num_heads=1, frl_config=60, framebuffer=3072M, max_resolution=1280x1024, max_instance=8"),
    offered(57, "GRID P40-4A", 6, "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=1280x1024, max_instance=6"),
    offered(58, "GRID P40-6A", 4, "num_heads=1, frl_config=60, framebuffer=6144M, max_resolution=1280x1024, max_instance=4"),
    offered(59, "GRID P40-8A", 3, "num_heads=1, frl_config=60, framebuffer=8192M, max_resolution=1280x1024, max_instance=3"),
    offered(60, "GRID P40-12A", 2, "num_heads=1, frl_config=60, framebuffer=12288M, max_resolution=1280x1024, max_instance=2"),
    offered(61, "GRID P40-24A", 1, "num_heads=1, frl_config=60, framebuffer=24576M, max_resolution=1280x1024, max_instance=1"),
    offered(62, "GRID P40-1B", 24, "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=24"),
    offered(156, "GRID P40-2B", 12, "num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12"),
    offered(215, "GRID P40-2B4", 12, "num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12"),
    offered(241, "GRID P40-1B4", 24, "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=24"),
    offered(283, "GRID P40-4C", 6, "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=4096x2160, max_instance=6"),
    offered(284, "GRID P40-6C", 4, "num_heads=1, frl_config=60, framebuffer=6144M, max_resolution=4096x2160, max_instance=4"),
    offered(285, "GRID P40-8C", 3, "num_heads=1, frl_config=60, framebuffer=8192M, max_resolution=4096x2160, max_instance=3"),
    offered(286, "GRID P40-12C", 2, "num_heads=1, frl_config=60, framebuffer=12288M, max_resolution=4096x2160, max_instance=2"),
    offered(287, "GRID P40-24C", 1, "num_heads=1, frl_config=60, framebuffer=24576M, max_resolution=4096x2160, max_instance=1"),
];
