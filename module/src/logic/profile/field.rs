// SPDX-License-Identifier: GPL-2.0
//! The fields of NVIDIA's vGPU type structures that can be overridden.

/// A field. The names are those of NVIDIA's header `ctrla081.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The type's number, the N of `nvidia-N`.
    VgpuType,
    /// Name, such as `GRID P40-2Q`.
    VgpuName,
    /// Class, such as `Quadro`.
    VgpuClass,
    /// Licence features, such as `Quadro-Virtual-DWS,5.0`.
    License,
    /// How many of them a board can have.
    MaxInstance,
    /// Displays.
    NumHeads,
    /// Widest display, in pixels.
    MaxResolutionX,
    /// Highest display, in pixels.
    MaxResolutionY,
    /// Pixels of all displays together.
    MaxPixels,
    /// Frame rate limit, in frames per second.
    FrlConfig,
    /// Whether CUDA works in the guest.
    CudaEnabled,
    /// Whether ECC memory is offered.
    EccSupported,
    /// Size of the MIG instance.
    GpuInstanceSize,
    /// Whether a VM may have more than one.
    MultiVgpuSupported,
    /// The guest's PCI IDs: device in the upper half of 32 bits, subsystem in the lower.
    VdevId,
    /// The board's PCI IDs.
    PdevId,
    /// Video memory of the guest, in bytes.
    FbLength,
    /// What the guest can map of it, in bytes.
    MappableVideoSize,
    /// What the host keeps for itself, in bytes.
    FbReservation,
    /// Share of the encoder, in per cent.
    EncoderCapacity,
    /// Length of BAR1, in MiB.
    Bar1Length,
    /// Whether the frame rate is limited.
    FrlEnable,
    /// What the guest's driver calls the adapter.
    AdapterName,
    /// The same in UTF-16.
    AdapterNameUnicode,
    /// The chip's name.
    ShortGpuNameString,
    /// The licence's product name.
    LicensedProductName,
}

impl Field {
    /// The field's name, as status and logs write it.
    pub fn name(self) -> &'static str {
        match self {
            Field::VgpuType => "vgpu_type",
            Field::VgpuName => "vgpu_name",
            Field::VgpuClass => "vgpu_class",
            Field::License => "license",
            Field::MaxInstance => "max_instance",
            Field::NumHeads => "num_heads",
            Field::MaxResolutionX => "max_resolution_x",
            Field::MaxResolutionY => "max_resolution_y",
            Field::MaxPixels => "max_pixels",
            Field::FrlConfig => "frl_config",
            Field::CudaEnabled => "cuda_enabled",
            Field::EccSupported => "ecc_supported",
            Field::GpuInstanceSize => "gpu_instance_size",
            Field::MultiVgpuSupported => "multi_vgpu_supported",
            Field::VdevId => "vdev_id",
            Field::PdevId => "pdev_id",
            Field::FbLength => "fb_length",
            Field::MappableVideoSize => "mappable_video_size",
            Field::FbReservation => "fb_reservation",
            Field::EncoderCapacity => "encoder_capacity",
            Field::Bar1Length => "bar1_length",
            Field::FrlEnable => "frl_enable",
            Field::AdapterName => "adapter_name",
            Field::AdapterNameUnicode => "adapter_name_unicode",
            Field::ShortGpuNameString => "short_gpu_name_string",
            Field::LicensedProductName => "licensed_product_name",
        }
    }
}
