// SPDX-License-Identifier: GPL-2.0
//! The emulated board, as PCI shows it.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{kernel, report::equal};

/// The key pair of a Quadro P400 that is public since 2021; the emulated board's default.
pub const MAGIC: [u8; 16] = *b"\x47\x9c\xb6\xe1\x45\x1a\xf8\x4c\x1a\xf9\x48\xcc\x3b\x9a\xe8\xb9";
pub const KEY: [u8; 16] = *b"\xad\x63\x21\xfc\x4c\x3e\x17\xf8\xbc\x68\xad\x65\x05\xc7\x79\x38";

/// A board of NVIDIA's.
pub struct Board {
    /// Such as `0000:00:03.0`.
    pub address: String,
    path: PathBuf,
}

/// Where a BAR is in physical memory.
#[derive(Clone, Copy)]
pub struct Bar {
    pub address: u64,
    pub size: u64,
}

impl Board {
    /// The first board of the machine, which mostly has no other.
    pub fn find() -> Result<Self> {
        let board = Self::all()?.into_iter().next();
        board.context("the machine has no board of NVIDIA's: did the emulated GPU come up?")
    }

    /// All boards of the machine, in the order of their addresses.
    pub fn all() -> Result<Vec<Self>> {
        let mut found = vec![];
        for entry in fs::read_dir("/sys/bus/pci/devices").context("listing PCI devices")? {
            let path = entry.context("listing PCI devices")?.path();
            let vendor = fs::read_to_string(path.join("vendor")).unwrap_or_default();
            if vendor.trim() == "0x10de" {
                let address = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.push(Self { address, path });
            }
        }
        found.sort_by(|a, b| a.address.cmp(&b.address));
        Ok(found)
    }

    /// Takes the board away from whatever driver has it.
    pub fn take(&self) -> Result<()> {
        kernel::write(&self.sysfs("driver/unbind"), &self.address)
    }

    /// Gives the board to the driver of that name.
    pub fn give(&self, driver: &str) -> Result<()> {
        kernel::write(&self.sysfs("driver_override"), driver)?;
        kernel::write("/sys/bus/pci/drivers_probe", &self.address)?;
        equal(self.driver().as_deref(), Some(driver))
    }

    /// The path of one of its files.
    pub fn sysfs(&self, file: &str) -> String {
        format!("/sys/bus/pci/devices/{}/{file}", self.address)
    }

    /// Its PCI device and subsystem ID.
    pub fn ids(&self) -> Result<(u16, u16)> {
        let id = |name| {
            let text = self.attribute(name)?;
            let digits = text.strip_prefix("0x").unwrap_or(&text);
            u16::from_str_radix(digits, 16).with_context(|| format!("its {name} is {text}"))
        };
        Ok((id("device")?, id("subsystem_device")?))
    }

    pub fn attribute(&self, name: &str) -> Result<String> {
        let path = self.path.join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(text.trim().to_owned())
    }

    /// The driver that is bound to it, if any.
    pub fn driver(&self) -> Option<String> {
        let link = fs::read_link(self.path.join("driver")).ok()?;
        Some(link.file_name()?.to_string_lossy().into_owned())
    }

    pub fn bar3(&self) -> Result<Bar> {
        let text = self.attribute("resource")?;
        let line = text.lines().nth(3).context("no BAR3")?;
        let mut numbers = line
            .split_whitespace()
            .map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(first), Some(last)) if first != 0 && last > first => {
                Ok(Bar { address: first, size: last - first + 1 })
            }
            _ => anyhow::bail!("BAR3 has no address: {line}"),
        }
    }
}
