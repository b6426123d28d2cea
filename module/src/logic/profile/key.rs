// SPDX-License-Identifier: GPL-2.0
//! The keys, each with its type, unit, limit and field.

use super::Field;

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number of 32 bits.
    U32,
    /// A number of 64 bits.
    U64,
    /// 0 or 1.
    Switch,
    /// Bytes: a number, or one with a unit such as `4GiB`.
    Size,
    /// Like [`Kind::Size`], and at least [`super::VRAM_MIN`].
    Vram,
    /// Text of at most this many bytes of UTF-8, in the largest layout there is.
    Text(usize),
}

impl Kind {
    /// What a message says that a value should have been.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::U32 => "a number up to 4294967295, decimal or 0x hexadecimal",
            Kind::U64 => "a number of 64 bits, decimal or 0x hexadecimal",
            Kind::Switch => "0 or 1",
            Kind::Size => "bytes, or a size such as 4GiB, 512 MiB or 1.5 GB",
            Kind::Vram => "a size of at least 384MiB, such as 4GiB",
            Kind::Text(63) => "text of at most 63 bytes",
            Kind::Text(_) => "text of at most 127 bytes",
        }
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident $name:literal $kind:expr, $field:expr;)*) => {
        /// A key. The names that people write are those of `profile_override.toml`, where it has
        /// the key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key { $($(#[$doc])* $key,)* }

        impl Key {
            /// Every key, in the order of the structures' fields.
            pub const ALL: [Key; [$($name),*].len()] = [$(Key::$key),*];

            /// The key as people write it.
            pub fn name(self) -> &'static str {
                match self { $(Key::$key => $name,)* }
            }

            /// The kind of value it takes.
            pub fn kind(self) -> Kind {
                match self { $(Key::$key => $kind,)* }
            }

            /// The field that it sets, where that is one field, or one with a UTF-16 twin.
            pub fn field(self) -> Option<Field> {
                match self { $(Key::$key => $field,)* }
            }
        }
    };
}

keys! {
    /// Another type number.
    GpuType "gpu_type" Kind::U32, Some(Field::VgpuType);
    /// The type's name. At most 31 bytes before 580.
    CardName "card_name" Kind::Text(63), Some(Field::VgpuName);
    /// The type's class. At most 31 bytes before 580.
    VgpuType "vgpu_type" Kind::Text(63), Some(Field::VgpuClass);
    /// Licence features.
    Features "features" Kind::Text(127), Some(Field::License);
    /// Most instances on a board.
    MaxInstances "max_instances" Kind::U32, Some(Field::MaxInstance);
    /// Displays.
    NumDisplays "num_displays" Kind::U32, Some(Field::NumHeads);
    /// Pixels.
    DisplayWidth "display_width" Kind::U32, Some(Field::MaxResolutionX);
    /// Pixels.
    DisplayHeight "display_height" Kind::U32, Some(Field::MaxResolutionY);
    /// Pixels of all displays together.
    MaxPixels "max_pixels" Kind::U32, Some(Field::MaxPixels);
    /// Frames per second.
    FrlConfig "frl_config" Kind::U32, Some(Field::FrlConfig);
    /// CUDA in the guest.
    CudaEnabled "cuda_enabled" Kind::Switch, Some(Field::CudaEnabled);
    /// ECC memory.
    EccSupported "ecc_supported" Kind::Switch, Some(Field::EccSupported);
    /// Size of the MIG instance.
    MigInstanceSize "mig_instance_size" Kind::U32, Some(Field::GpuInstanceSize);
    /// More than one in a VM.
    MultiVgpuSupported "multi_vgpu_supported" Kind::Switch, Some(Field::MultiVgpuSupported);
    /// PCI IDs that the guest sees: `device << 16 | subsystem`.
    PciId "pci_id" Kind::U64, Some(Field::VdevId);
    /// PCI device ID of the board.
    PciDeviceId "pci_device_id" Kind::U64, Some(Field::PdevId);
    /// Bytes.
    Framebuffer "framebuffer" Kind::Size, Some(Field::FbLength);
    /// Bytes.
    MappableVideoSize "mappable_video_size" Kind::Size, Some(Field::MappableVideoSize);
    /// Bytes.
    FramebufferReservation "framebuffer_reservation" Kind::Size, Some(Field::FbReservation);
    /// Per cent.
    EncoderCapacity "encoder_capacity" Kind::U32, Some(Field::EncoderCapacity);
    /// MiB.
    Bar1Length "bar1_length" Kind::U64, Some(Field::Bar1Length);
    /// Frame rate limiter.
    FrlEnabled "frl_enabled" Kind::Switch, Some(Field::FrlEnable);
    /// Also written to the UTF-16 field.
    AdapterName "adapter_name" Kind::Text(63), Some(Field::AdapterName);
    /// Chip name.
    ShortGpuName "short_gpu_name" Kind::Text(63), Some(Field::ShortGpuNameString);
    /// Product name of the licence.
    LicenseType "license_type" Kind::Text(127), Some(Field::LicensedProductName);
    /// Total video memory: sets the framebuffer and its reservation together. Ours.
    Vram "vram" Kind::Vram, None;
    /// Keeps the type off the list of mdev types; changes no structure. Ours.
    Hidden "hidden" Kind::Switch, None;
}

impl Key {
    /// Finds the key that people write as `name`.
    pub fn find(name: &[u8]) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name().as_bytes() == name)
    }

    /// A bit of its own, for sets of keys.
    pub fn bit(self) -> u32 {
        // There are fewer than 32 keys (tested), so the shift never wraps.
        1u32.wrapping_shl(self as u32)
    }

    /// The keys that can't stand beside this one in a section, because both set the same field.
    pub fn conflicts(self) -> u32 {
        match self {
            Key::Vram => Key::Framebuffer.bit() | Key::FramebufferReservation.bit(),
            Key::Framebuffer | Key::FramebufferReservation => Key::Vram.bit(),
            _ => 0,
        }
    }
}

/// What a message says where a key should have been.
pub const EXPECTED_KEY: &str = "a key: gpu_type, card_name, vgpu_type, features, max_instances, \
    num_displays, display_width, display_height, max_pixels, frl_config, cuda_enabled, \
    ecc_supported, mig_instance_size, multi_vgpu_supported, pci_id, pci_device_id, framebuffer, \
    mappable_video_size, framebuffer_reservation, encoder_capacity, bar1_length, frl_enabled, \
    adapter_name, short_gpu_name, license_type, vram or hidden";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name_and_named_in_the_message() {
        for key in Key::ALL {
            assert_eq!(Key::find(key.name().as_bytes()), Some(key));
            assert!(EXPECTED_KEY.contains(key.name()), "{}", key.name());
        }
        assert_eq!(Key::find(b"frame_buffer"), None);
        assert_eq!(Key::find(b""), None);
    }

    #[test]
    fn every_kind_says_what_is_expected() {
        for (key, expected) in [
            (Key::CudaEnabled, "0 or 1"),
            (Key::NumDisplays, "a number up to 4294967295, decimal or 0x hexadecimal"),
            (Key::PciId, "a number of 64 bits, decimal or 0x hexadecimal"),
        ] {
            assert_eq!(key.kind().expected(), expected, "{}", key.name());
        }
    }

    #[test]
    fn every_key_has_a_bit_of_its_own() {
        assert_eq!(Key::ALL.into_iter().fold(0, |all, key| all | key.bit()).count_ones(), 27);
        assert_eq!(Key::ALL.len(), 27);
    }

    #[test]
    fn conflicts_go_both_ways() {
        for a in Key::ALL {
            for b in Key::ALL {
                assert_eq!(a.conflicts() & b.bit() != 0, b.conflicts() & a.bit() != 0);
            }
        }
    }

    #[test]
    fn text_limits_are_those_that_messages_name() {
        for key in Key::ALL {
            if let Kind::Text(max) = key.kind() {
                assert!(key.kind().expected().contains(&std::format!("{max} bytes")));
                assert!(max < crate::logic::profile::text::MAX_TEXT);
            }
        }
    }
}
