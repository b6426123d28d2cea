// SPDX-License-Identifier: GPL-2.0
//! 580 from 580.94 on, and 590: a subsystem vendor ID of two bytes in front of the adapter's name.
//!
//! Source: `NVA081_CTRL_VGPU_INFO` in NVIDIA's header, of 580.95.05 and later.

use super::shape::{at, by_number, Layout, Slot};
use crate::logic::profile::Field;

pub(super) static BY_NUMBER: Layout = by_number(&[5432], &TYPE);

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
    at(Field::AdapterName, 510, 64),
    at(Field::AdapterNameUnicode, 574, 128),
    at(Field::ShortGpuNameString, 702, 64),
    at(Field::LicensedProductName, 766, 128),
];
