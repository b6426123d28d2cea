// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's display boards on the PCI bus, as sysfs shows them.

use vgpu_unlock::gpu::{self, Answer, Ids, NVIDIA_VENDOR};

use super::{Host, Seen};

const DEVICES: &str = "/sys/bus/pci/devices";

/// PCI's base class of display controllers.
const DISPLAY: &str = "0x03";

/// A board. Virtual functions are no boards of their own.
#[derive(Clone, Debug)]
pub struct Board {
    /// Such as `0000:01:00.0`.
    pub address: String,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
    /// The kernel driver that holds it.
    pub driver: Option<String>,
    /// The firmware showed its messages on it.
    pub boot_vga: bool,
    /// How many virtual functions it can have.
    pub total_functions: u32,
    /// The addresses of those that it has.
    pub functions: Vec<String>,
}

impl Board {
    /// Address and ID, as people look for it in `lspci -nn`.
    pub fn name(&self) -> String {
        format!("{} {NVIDIA_VENDOR:04x}:{:04x}", self.address, self.device)
    }

    /// What the module answers it as, where no parameter says otherwise, with a driver of this branch.
    pub fn answer(&self, branch: Option<u16>) -> Answer {
        gpu::answer(Ids { device: self.device, subsystem: self.subsystem }, branch)
    }
}

/// NVIDIA's display boards, in the bus's order.
///
/// # Errors
/// A file of a board can't be read.
pub fn boards(host: &Host) -> Seen<Vec<Board>> {
    let mut found = vec![];
    for address in host.names(DEVICES)? {
        let dir = format!("{DEVICES}/{address}");
        let number = |name: &str| -> Seen<Option<u32>> {
            let text = host.line(&format!("{dir}/{name}"))?;
            Ok(text.and_then(|text| match text.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            }))
        };
        let id = |name| Ok(number(name)?.and_then(|id| u16::try_from(id).ok()).unwrap_or(0));
        let class = host.line(&format!("{dir}/class"))?.unwrap_or_default();
        if id("vendor")? != NVIDIA_VENDOR
            || !class.starts_with(DISPLAY)
            || host.exists(&format!("{dir}/physfn"))?
        {
            continue;
        }
        let mut functions = vec![];
        for name in host.names(&dir)? {
            if name.starts_with("virtfn") {
                functions.extend(host.link_name(&format!("{dir}/{name}"))?);
            }
        }
        functions.sort_unstable();
        found.push(Board {
            device: id("device")?,
            subsystem: id("subsystem_device")?,
            driver: host.link_name(&format!("{dir}/driver"))?,
            boot_vga: number("boot_vga")? == Some(1),
            total_functions: number("sriov_totalvfs")?.unwrap_or(0),
            functions,
            address,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    fn add(made_up: &mut MadeUp, address: &str, files: &[(&str, &str)]) {
        for (name, content) in files {
            made_up.file(&format!("{DEVICES}/{address}/{name}"), format!("{content}\n"));
        }
    }

    #[test]
    fn boards_are_display_controllers_of_nvidia_that_are_no_virtual_functions() {
        let mut made_up = MadeUp::default();
        let ids = |vendor, device, class| {
            [
                ("vendor", vendor),
                ("device", device),
                ("class", class),
                ("subsystem_device", "0x120f"),
            ]
        };
        add(&mut made_up, "0000:01:00.0", &ids("0x10de", "0x1b06", "0x030000"));
        add(&mut made_up, "0000:01:00.1", &ids("0x10de", "0x10ef", "0x040300"));
        add(&mut made_up, "0000:02:00.0", &ids("0x1002", "0x67df", "0x030000"));
        add(&mut made_up, "0000:41:00.0", &ids("0x10de", "0x2230", "0x030200"));
        add(&mut made_up, "0000:41:00.0", &[("sriov_totalvfs", "32"), ("boot_vga", "1")]);
        for function in 0..32 {
            let address = format!("0000:41:{:02x}.{}", function / 8, function % 8 + 4);
            made_up.link(
                &format!("{DEVICES}/0000:41:00.0/virtfn{function}"),
                &format!("../{address}"),
            );
            add(&mut made_up, &address, &ids("0x10de", "0x2230", "0x030200"));
            made_up.link(&format!("{DEVICES}/{address}/physfn"), "../0000:41:00.0");
        }
        made_up
            .link(&format!("{DEVICES}/0000:01:00.0/driver"), "../../../bus/pci/drivers/vfio-pci");
        let found = boards(&made_up.host()).unwrap();
        let names: Vec<_> = found.iter().map(Board::name).collect();
        assert_eq!(names, ["0000:01:00.0 10de:1b06", "0000:41:00.0 10de:2230"]);
        assert_eq!(found[0].driver.as_deref(), Some("vfio-pci"));
        assert_eq!((found[0].subsystem, found[0].boot_vga), (0x120f, false));
        assert_eq!((found[1].total_functions, found[1].functions.len()), (32, 32));
        assert!(found[1].boot_vga);
        assert_eq!(found[1].driver, None);
    }
}
