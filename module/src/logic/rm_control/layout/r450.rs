// SPDX-License-Identifier: GPL-2.0
//! 450 to 470.
//!
//! The type of a vGPU has its fields where mbilker/vgpu_unlock-rs has them for 1848 bytes; the
//! handlers of 450, 460 and 470 write to just these offsets. The type by number was read from the
//! handlers of the same drivers: both handlers copy from one internal structure, which ties each of
//! its fields to a known one of the other. Sizes are from the method tables. 470 appended a switch to
//! the type of a vGPU.

use super::shape::{at, by_number, of_vgpu, Layout, Slot};
use crate::logic::profile::Field;

pub(super) static BY_NUMBER: Layout = by_number(&[4536], &TYPE);
pub(super) static OF_VGPU: Layout = of_vgpu(&[1840, 1848], &VGPU);

static TYPE: [Slot; 22] = [
    at(Field::VgpuType, 0, 4),
    at(Field::VgpuName, 4, 32),
    at(Field::VgpuClass, 36, 32),
    at(Field::License, 196, 128),
    // 324: number of the MIG profile
    at(Field::MaxInstance, 328, 4),
    at(Field::NumHeads, 332, 4),
    at(Field::MaxResolutionX, 336, 4),
    at(Field::MaxResolutionY, 340, 4),
    at(Field::MaxPixels, 344, 4),
    at(Field::FrlConfig, 348, 4),
    at(Field::CudaEnabled, 352, 4),
    at(Field::EccSupported, 356, 4),
    at(Field::GpuInstanceSize, 360, 4),
    at(Field::MultiVgpuSupported, 364, 4),
    at(Field::EncoderCapacity, 368, 4),
    at(Field::VdevId, 376, 8),
    at(Field::PdevId, 384, 8),
    at(Field::FbLength, 392, 8),
    at(Field::MappableVideoSize, 400, 8),
    at(Field::FbReservation, 408, 8),
    at(Field::Bar1Length, 416, 8),
    at(Field::FrlEnable, 424, 4),
];

static VGPU: [Slot; 26] = [
    at(Field::VgpuType, 0, 4),
    at(Field::VgpuName, 4, 32),
    at(Field::VgpuClass, 36, 32),
    at(Field::License, 196, 128),
    at(Field::MaxInstance, 324, 4),
    at(Field::NumHeads, 328, 4),
    at(Field::MaxResolutionX, 332, 4),
    at(Field::MaxResolutionY, 336, 4),
    at(Field::MaxPixels, 340, 4),
    at(Field::FrlConfig, 344, 4),
    at(Field::CudaEnabled, 348, 4),
    at(Field::EccSupported, 352, 4),
    at(Field::GpuInstanceSize, 356, 4),
    at(Field::MultiVgpuSupported, 360, 4),
    at(Field::VdevId, 368, 8),
    at(Field::PdevId, 376, 8),
    at(Field::FbLength, 384, 8),
    at(Field::MappableVideoSize, 392, 8),
    at(Field::FbReservation, 400, 8),
    // The handlers write 8 bytes here, the upper four of them zero.
    at(Field::EncoderCapacity, 408, 4),
    at(Field::Bar1Length, 416, 8),
    at(Field::FrlEnable, 424, 4),
    at(Field::AdapterName, 428, 64),
    at(Field::AdapterNameUnicode, 492, 128),
    at(Field::ShortGpuNameString, 620, 64),
    at(Field::LicensedProductName, 684, 128),
];
