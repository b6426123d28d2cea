// SPDX-License-Identifier: GPL-2.0
//! 525 to 575.
//!
//! The type by number is `NVA081_CTRL_VGPU_INFO` in NVIDIA's header: 525 and 535 without, 550 and 570
//! with fields appended (575 puts one in front of those, behind all of ours). The type of a vGPU was
//! read from the handlers of 525 and 550, which write each field where the other structure has it;
//! the size is in the method tables of 525, 535, 550 and 555. mbilker/vgpu_unlock-rs has 1848 bytes
//! for it, which is 470's.

use super::shape::{at, by_number, of_vgpu, Layout, Slot};
use crate::logic::profile::Field;

pub(super) static BY_NUMBER: Layout = by_number(&[4960, 5096, 5232], &TYPE);
pub(super) static OF_VGPU: Layout = of_vgpu(&[1872], &TYPE);

static TYPE: [Slot; 26] = [
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
    at(Field::FbLength, 392, 8),
    at(Field::FbReservation, 408, 8),
    at(Field::MappableVideoSize, 416, 8),
    at(Field::EncoderCapacity, 424, 4),
    at(Field::Bar1Length, 432, 8),
    at(Field::FrlEnable, 440, 4),
    at(Field::AdapterName, 444, 64),
    at(Field::AdapterNameUnicode, 508, 128),
    at(Field::ShortGpuNameString, 636, 64),
    at(Field::LicensedProductName, 700, 128),
];
