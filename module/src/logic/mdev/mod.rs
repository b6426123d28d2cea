// SPDX-License-Identifier: GPL-2.0
//! What the mdev core's files say about NVIDIA's vGPU types: `name`, `description` and
//! `available_instances` below `mdev_supported_types/nvidia-N`, which mdevctl, libvirt and Proxmox
//! read.
//!
//! The driver puts into them what it was delivered with. Where a type is overridden that is not true
//! any more, so they are written anew from the driver's own text and the overrides. Overrides of
//! single vGPUs (`mdev/`, `vm/`) do not concern a type and are not looked at.

mod description;
mod line;

pub use description::{describe, max_instance};
pub use line::Line;

use crate::logic::params::{Overrides, Which};
use crate::logic::profile::{Content, Editor, Field, Skipped};

/// A file of a type's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// Such as `GRID P40-1Q`.
    Name,
    /// Such as `num_heads=4, frl_config=60, framebuffer=1024M, max_resolution=5120x2880,
    /// max_instance=24`.
    Description,
    /// How many can still be created, a bare decimal.
    Instances,
}

/// The number N of a type `nvidia-N`, given what the driver calls it: `N`, or all of it.
pub fn number(name: &[u8]) -> Option<u32> {
    let digits = name.rsplit(|&c| c == b'-').next()?;
    decimal(digits).and_then(|number| u32::try_from(number).ok())
}

/// A decimal number, and nothing else.
fn decimal(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(digits).ok().filter(|_| all)?;
    text.parse().ok()
}

/// Bytes of the name's field in the structures that daemons read, its NUL included. What does not fit
/// there they are not told, so it is not shown either. (580 has room for 64. There a longer name is told,
/// and the driver's own is shown.)
const NAME_LEN: usize = 32;

/// What is told about a type instead of what the driver says; `None` where it is right.
#[derive(Clone, Debug, Default)]
pub struct Told {
    name: Option<Line>,
    num_heads: Option<u64>,
    frl_config: Option<u64>,
    fb_length: Option<u64>,
    fb_reservation: Option<u64>,
    max_resolution_x: Option<u64>,
    max_resolution_y: Option<u64>,
    max_instance: Option<u32>,
}

impl Told {
    /// What `overrides` say about all vGPUs of the type `nvidia-N`.
    pub fn of(overrides: &Overrides<'_>, vgpu_type: u32) -> Self {
        let mut told = Self::default();
        // What the files do not show is skipped, which is no news.
        overrides.apply(Which { vgpu_type, mdev: None }, &mut told);
        told
    }

    /// Writes the name; `None` where the driver's own is right.
    pub fn name(&self, line: &mut Line) -> Option<()> {
        line.put(self.name.as_ref()?.as_str())
    }

    /// How many can be created, given the driver's number and its description; `None` where that
    /// number is right.
    ///
    /// RM says `max_instance - created`, or 0 where vGPUs of another type are in the way (source:
    /// `kvgpumgrGetAvailableInstances` in NVIDIA's open kernel modules, 550). An override that allows
    /// fewer takes as many off. One that allows more does not add any: RM refuses to create them.
    pub fn available(&self, driver: &[u8], description: &[u8]) -> Option<u32> {
        let driver = u32::try_from(decimal(driver)?).ok()?;
        let factory = max_instance(description)?;
        let fewer = factory.checked_sub(self.max_instance?)?;
        Some(driver.saturating_sub(fewer))
    }

    /// Whether nothing is told but what the driver says.
    pub fn nothing(&self) -> bool {
        let numbers = [
            self.num_heads,
            self.frl_config,
            self.fb_length,
            self.fb_reservation,
            self.max_resolution_x,
            self.max_resolution_y,
        ];
        self.name.is_none() && self.max_instance.is_none() && numbers.iter().all(Option::is_none)
    }

    /// Whether the number of instances is overridden.
    pub fn limits_instances(&self) -> bool {
        self.max_instance.is_some()
    }
}

impl Editor for Told {
    fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped> {
        let number = match content {
            Content::Number(number) => number,
            Content::Bytes(bytes) if bytes.len() >= NAME_LEN => return Err(Skipped::TooLong),
            Content::Bytes(bytes) => {
                if field == Field::VgpuName {
                    self.name = one_line(bytes);
                }
                return Ok(());
            }
            Content::Utf16(_) => return Ok(()),
        };
        let slot = match field {
            Field::NumHeads => &mut self.num_heads,
            Field::FrlConfig => &mut self.frl_config,
            Field::FbLength => &mut self.fb_length,
            Field::FbReservation => &mut self.fb_reservation,
            Field::MaxResolutionX => &mut self.max_resolution_x,
            Field::MaxResolutionY => &mut self.max_resolution_y,
            Field::MaxInstance => {
                self.max_instance = u32::try_from(number).ok();
                return Ok(());
            }
            _ => return Ok(()),
        };
        *slot = Some(number);
        Ok(())
    }
}

/// A text as a file can show it: those who read it take a line.
fn one_line(bytes: &[u8]) -> Option<Line> {
    let text = core::str::from_utf8(bytes).ok()?;
    let mut line = Line::new();
    (!text.chars().any(char::is_control)).then(|| line.put(text))??;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ReadOverrides;
    use std::string::ToString;

    const FACTORY: &[u8] = b"num_heads=4, frl_config=60, framebuffer=1024M, \
        max_resolution=5120x2880, max_instance=24\n";

    fn told(overrides: &str) -> Told {
        Told::of(&ReadOverrides::parse(overrides.as_bytes()).unwrap().view(), 46)
    }

    #[test]
    fn only_a_number_of_instances_limits_them() {
        assert!(told("nvidia-46:max_instances=3").limits_instances());
        // The adapter's name is written twice, once in UTF-16; no file shows either.
        for others in ["nvidia-47:max_instances=3", "nvidia-46:num_displays=1,adapter_name=x"] {
            assert!(!told(others).limits_instances(), "{others}");
        }
        assert!(told("nvidia-46:adapter_name=x").nothing());
        for one in ["card_name=x", "max_instances=3", "num_displays=1", "framebuffer=4GiB"] {
            assert!(!told(&std::format!("nvidia-46:{one}")).nothing(), "{one}");
        }
    }

    #[test]
    fn types_are_known_by_their_numbers() {
        for (name, expected) in [
            ("46", Some(46)),
            ("nvidia-46", Some(46)),
            ("a-b-7", Some(7)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("46x", None),
            ("-", None),
            ("+46", None),
            ("", None),
        ] {
            assert_eq!(number(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn a_name_is_shown_where_it_is_overridden() {
        let shown = |overrides| {
            let mut line = Line::new();
            told(overrides).name(&mut line).map(|()| std::string::String::from(line.as_str()))
        };
        assert_eq!(shown("nvidia-46:card_name='My vGPU'").as_deref(), Some("My vGPU"));
        assert_eq!(shown("nvidia-46:num_displays=1"), None);
        assert_eq!(shown("nvidia-47:card_name='My vGPU'"), None);
        assert_eq!(shown("vm/100:card_name='My vGPU'"), None);
        assert_eq!(shown("nvidia-46:card_name='two%0alines'"), None);
        // What the daemons' structure has no room for is not told, so it is not shown.
        let long = std::format!("nvidia-46:card_name='{}'", "x".repeat(32));
        assert!(told(&long).name(&mut Line::new()).is_none());
    }

    #[test]
    fn fewer_instances_are_available_where_fewer_are_allowed() {
        for (overrides, driver, expected) in [
            ("nvidia-46:max_instances=3", 24, Some(3)),
            ("nvidia-46:max_instances=3", 23, Some(2)),
            ("nvidia-46:max_instances=3", 21, Some(0)),
            ("nvidia-46:max_instances=3", 0, Some(0)),
            ("nvidia-46:max_instances=24", 24, Some(24)),
            ("nvidia-46:max_instances=25", 24, None),
            ("nvidia-46:max_instances=0", 24, Some(0)),
            ("nvidia-46:num_displays=1", 24, None),
            ("nvidia-47:max_instances=3", 24, None),
        ] {
            let number = driver.to_string();
            let available = told(overrides).available(number.as_bytes(), FACTORY);
            assert_eq!(available, expected, "{overrides} {driver}");
        }
        for (driver, description) in [(&b"x"[..], FACTORY), (b"", FACTORY), (b"23", b"")] {
            let told = told("nvidia-46:max_instances=3");
            assert_eq!(told.available(driver, description), None);
        }
    }
}
