// SPDX-License-Identifier: GPL-2.0
//! 580 until 580.82: longer names.
//!
//! The type by number is `NVA081_CTRL_VGPU_INFO` in NVIDIA's header. The type of a vGPU is as
//! mbilker/vgpu_unlock-rs has it; no driver that has it could be read.

use super::shape::{at, by_number, of_vgpu, Layout, Slot};
use crate::logic::profile::Field;

pub(super) static BY_NUMBER: Layout = by_number(&[5424], &TYPE);
pub(super) static OF_VGPU: Layout = of_vgpu(&[2328], &VGPU);

static TYPE: [Slot; 26] = [
    at(Field::VgpuType, 0, 4),
    at(Field::VgpuName, 4, 64),
    at(Field::VgpuClass, 68, 64),
    at(Field::License, 260, 128),
    at(Field::MaxInstance, 388, 4),
    at(Field::NumHeads, 392, 4),
    at(Field::MaxResolutionX, 396, 4),
    at(Field::MaxResolutionY, 400, 4),
    at(Field::MaxPixels, 404, 4),
    at(Field::FrlConfig, 408, 4),
    at(Field::CudaEnabled, 412, 4),
    at(Field::EccSupported, 416, 4),
    at(Field::GpuInstanceSize, 420, 4),
    at(Field::MultiVgpuSupported, 424, 4),
    at(Field::VdevId, 432, 8),
    at(Field::PdevId, 440, 8),
    at(Field::FbLength, 456, 8),
    at(Field::FbReservation, 472, 8),
    at(Field::MappableVideoSize, 480, 8),
    at(Field::EncoderCapacity, 488, 4),
    at(Field::Bar1Length, 496, 8),
    at(Field::FrlEnable, 504, 4),
    at(Field::AdapterName, 508, 64),
    at(Field::AdapterNameUnicode, 572, 128),
    at(Field::ShortGpuNameString, 700, 64),
    at(Field::LicensedProductName, 764, 128),
];

static VGPU: [Slot; 26] = [
    at(Field::VgpuType, 0, 4),
    at(Field::VgpuName, 4, 64),
    at(Field::VgpuClass, 68, 64),
    at(Field::License, 260, 128),
    at(Field::MaxInstance, 388, 4),
    at(Field::NumHeads, 392, 4),
    at(Field::MaxResolutionX, 396, 4),
    at(Field::MaxResolutionY, 400, 4),
    at(Field::MaxPixels, 404, 4),
    at(Field::FrlConfig, 408, 4),
    at(Field::CudaEnabled, 412, 4),
    at(Field::EccSupported, 416, 4),
    at(Field::GpuInstanceSize, 420, 4),
    at(Field::MultiVgpuSupported, 424, 4),
    at(Field::VdevId, 432, 8),
    at(Field::PdevId, 440, 8),
    at(Field::FbLength, 448, 8),
    at(Field::MappableVideoSize, 456, 8),
    at(Field::FbReservation, 464, 8),
    at(Field::EncoderCapacity, 472, 4),
    at(Field::Bar1Length, 480, 8),
    at(Field::FrlEnable, 488, 4),
    at(Field::AdapterName, 492, 64),
    at(Field::AdapterNameUnicode, 556, 128),
    at(Field::ShortGpuNameString, 684, 64),
    at(Field::LicensedProductName, 748, 128),
];
