// SPDX-License-Identifier: GPL-2.0
//! What `import`, `explain` and tests ask of the parameters.

use crate::logic::params::overrides::{Items, Target};
use crate::logic::params::{Applied, Gpus, Overrides};
use crate::logic::profile::{Field, Key, Value};

/// The longest parameters of any RM control command that is looked at.
pub const MAX_PARAMS: usize = 5432;

impl<'a> Gpus<'a> {
    /// The text that was read, to be shown.
    pub fn text(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Overrides<'a> {
    /// The text that was read, to be shown.
    pub fn text(&self) -> &'a [u8] {
        self.0
    }

    /// Every setting with the section it stands in, as written.
    pub fn settings(&self) -> impl Iterator<Item = (Target, Key, Value<'a>)> {
        Items::new(self.0).map_while(Result::ok)
    }
}

impl Applied {
    /// Whether any section was for the vGPU.
    pub fn any(&self) -> bool {
        self.by_type != 0 || self.by_mdev != 0 || self.by_vm != 0 || self.skipped.is_some()
    }
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
