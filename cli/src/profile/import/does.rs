// SPDX-License-Identifier: GPL-2.0
//! What a setting does, in a sentence.

use vgpu_unlock::profile::{Key, Kind};

use super::super::{literal, write::Value};

/// What a setting does, in a sentence.
pub fn does(key: Key, value: &Value) -> String {
    let shown = match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Number(number) => match key.kind() {
            Kind::Switch if *number == 0 => "off".to_owned(),
            Kind::Switch => "on".to_owned(),
            Kind::Size | Kind::Vram => format!("{} ({number} bytes)", literal::size(*number)),
            Kind::U64 => format!("{number:#x}"),
            _ => number.to_string(),
        },
    };
    let what = match key {
        Key::GpuType => "the type's number",
        Key::CardName => "the type's name",
        Key::VgpuType => "the type's class",
        Key::Features => "the licence features",
        Key::MaxInstances => "the most instances on a board",
        Key::NumDisplays => "the number of displays",
        Key::DisplayWidth => "the widest display, in pixels,",
        Key::DisplayHeight => "the highest display, in pixels,",
        Key::MaxPixels => "the most pixels of all displays together",
        Key::FrlConfig => "the frame rate limit, in frames per second,",
        Key::CudaEnabled => "CUDA in the guest",
        Key::EccSupported => "ECC memory",
        Key::MigInstanceSize => "the size of the MIG instance",
        Key::MultiVgpuSupported => "more than one vGPU in a machine",
        Key::PciId => "the PCI ID that the guest sees",
        Key::PciDeviceId => "the board's PCI device ID",
        Key::Framebuffer => "the guest's video memory",
        Key::MappableVideoSize => "the video memory that can be mapped",
        Key::FramebufferReservation => "the video memory that the host keeps",
        Key::EncoderCapacity => "the share of the encoder, in per cent,",
        Key::Bar1Length => "the length of BAR1, in MiB,",
        Key::FrlEnabled => "the frame rate limiter",
        Key::AdapterName => "the adapter's name in the guest",
        Key::ShortGpuName => "the chip's name",
        Key::LicenseType => "the licence's product name",
        Key::Vram => "the vGPU's whole video memory",
        Key::Hidden => "hiding the type",
    };
    format!("{what} becomes {shown}")
}
