// SPDX-License-Identifier: GPL-2.0
//! What `import`, `explain` and tests ask of the parameters.

use alloc::vec::Vec;

use crate::logic::params::overrides::target::Target;
use crate::logic::params::overrides::{self, Section, Setting, Store};
use crate::logic::params::{Applied, Gpus, Overrides, ParseError};
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
    /// Every setting with the section it stands in, as written.
    pub fn settings(&self) -> impl Iterator<Item = (Target, Key, Value<'a>)> {
        let Self { text, settings, .. } = *self;
        self.sections.iter().flat_map(move |section| section.settings(text, settings))
    }
}

/// Overrides that were read, with what they were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOverrides {
    text: Vec<u8>,
    sections: Vec<Section>,
    settings: Vec<Setting>,
}

impl ReadOverrides {
    /// Reads a text.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        let mut read = Self { text: text.to_vec(), ..Self::default() };
        overrides::read(text, &mut read)?;
        Ok(read)
    }

    /// As they are asked.
    pub fn view(&self) -> Overrides<'_> {
        self.view_of(&self.text)
    }

    /// As if another text had been read.
    pub fn view_of<'a>(&'a self, text: &'a [u8]) -> Overrides<'a> {
        Overrides::new(text, &self.sections, &self.settings)
    }
}

impl Store for ReadOverrides {
    type Error = ParseError;

    fn add_section(&mut self, section: Section) -> Result<(), ParseError> {
        self.sections.push(section);
        Ok(())
    }

    fn add_setting(&mut self, setting: Setting) -> Result<(), ParseError> {
        self.settings.push(setting);
        Ok(())
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
