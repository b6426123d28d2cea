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
