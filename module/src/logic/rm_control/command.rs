// SPDX-License-Identifier: GPL-2.0
//! The commands that are answered differently, and the call that carries them.
//!
//! Source of numbers and layouts: NVIDIA's MIT-licensed headers `ctrl0000vgpu.h`, `ctrl0080gpu.h`,
//! `ctrl2080bus.h`, `ctrl2080gpu.h`, `ctrl9096.h`, `ctrla081.h` and `nvos.h`. 0xa0820102 and
//! 0xa0820104 are in no header; they are known from what `nvidia-vgpu-mgr` asks.

/// Hands out what a starting vGPU is to be, its UUID among it. Until 535.183 and 550.78.
pub const VGPU_GET_START_DATA: u32 = 0xc01;
/// Creates a vGPU, and names its UUID (where there are no mdev devices, a virtual function instead).
/// From 535.216 and 550.90 on, where it replaces [`VGPU_GET_START_DATA`].
pub const VGPU_CREATE_DEVICE: u32 = 0xc02;
/// Whether a board is used bare, as a virtual function, or shared as vGPUs.
pub const GPU_GET_VIRTUALIZATION_MODE: u32 = 0x80_0289;
/// A board's PCI IDs.
pub const BUS_GET_PCI_INFO: u32 = 0x2080_1801;
/// The version of an object in a board's InfoROM, which Maxwell boards can't tell.
pub const GPU_GET_INFOROM_OBJECT_VERSION: u32 = 0x2080_014b;
/// A table of colours. Fails on consumer boards, to no harm.
pub const GET_ZBC_CLEAR_TABLE: u32 = 0x9096_0103;
/// A vGPU type, asked for by number.
pub const VGPU_CONFIG_GET_VGPU_TYPE_INFO: u32 = 0xa081_0103;
/// Whether vGPUs can be migrated.
pub const VGPU_CONFIG_GET_MIGRATION_CAP: u32 = 0xa081_0112;
/// The type of one vGPU.
pub const HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO: u32 = 0xa082_0102;
/// Fails on consumer boards, to no harm; its purpose is not published.
pub const HOST_VGPU_DEVICE_0104: u32 = 0xa082_0104;

/// It worked.
pub const NV_OK: u32 = 0;
/// The caller is to ask again: there is no answer yet that could be changed.
pub const NV_ERR_BUSY_RETRY: u32 = 3;
/// What a board without an InfoROM answers.
pub const NV_ERR_NOT_SUPPORTED: u32 = 0x56;
/// What the caller can cope with instead.
pub const NV_ERR_OBJECT_NOT_FOUND: u32 = 0x57;

/// The mode of a board that is shared as vGPUs, `NV0080_CTRL_GPU_VIRTUALIZATION_MODE_HOST_VGPU`.
pub const VIRTUALIZATION_MODE_HOST_VGPU: u32 = 3;

/// `NVOS54_PARAMETERS`, the argument of the ioctl: offsets of its fields. All are 4 bytes, but for
/// the 8 of the pointer. The same in all drivers from 450 to 595.
pub mod nvos54 {
    /// Length of the whole structure.
    pub const SIZE: usize = 32;
    /// The command.
    pub const CMD: usize = 8;
    /// Address of the parameters in the caller's memory.
    pub const PARAMS: usize = 16;
    /// Their length in bytes.
    pub const PARAMS_SIZE: usize = 24;
    /// The driver's answer.
    pub const STATUS: usize = 28;
}
