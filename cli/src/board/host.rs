// SPDX-License-Identifier: GPL-2.0
//! The boards of the running host, as sysfs has them.

use std::fs;
use std::path::Path;

use vgpu_unlock::gpu::NVIDIA_VENDOR;
use vgpu_unlock::mdev;

use super::Type;

/// A board in this host.
#[derive(Debug, PartialEq, Eq)]
pub struct HostBoard {
    /// Where it is: `0000:01:00.0`.
    pub address: String,
    /// PCI device ID.
    pub device: u16,
    /// The vGPU types that are registered for it, and how many vGPUs each has.
    pub types: Vec<(Type, usize)>,
}

/// NVIDIA's display boards, in the order of their addresses. Virtual functions are none. `root` is `/`,
/// or what a test has made.
pub fn boards(root: &Path) -> Vec<HostBoard> {
    let Ok(devices) = fs::read_dir(root.join("sys/bus/pci/devices")) else { return Vec::new() };
    let board = |device: fs::DirEntry| {
        let (path, address) = (device.path(), device.file_name().into_string().ok()?);
        let id = |file| hex(&fs::read_to_string(path.join(file)).ok()?);
        let display = id("class")? >> 16 == 0x03;
        if id("vendor")? != u32::from(NVIDIA_VENDOR) || !display || path.join("physfn").exists() {
            return None;
        }
        let types = types(&path.join("mdev_supported_types"));
        Some(HostBoard { device: u16::try_from(id("device")?).ok()?, address, types })
    };
    let mut boards: Vec<_> = devices.flatten().filter_map(board).collect();
    boards.sort_by(|a, b| a.address.cmp(&b.address));
    boards
}

/// The types in a board's directory, the smallest first, and how many vGPUs each has.
fn types(dir: &Path) -> Vec<(Type, usize)> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let of = |entry: fs::DirEntry| {
        let number = mdev::number(entry.file_name().to_str()?.as_bytes())?;
        let read = |file| fs::read_to_string(entry.path().join(file)).ok();
        let (name, description) = (read("name")?.trim().to_owned(), read("description")?);
        let part = |key| {
            let mut parts = description.trim().split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
        };
        let mib = part("framebuffer")?.strip_suffix('M')?.parse().ok()?;
        let max_instances = part("max_instance")?.parse().ok()?;
        let vgpus = fs::read_dir(entry.path().join("devices")).map_or(0, Iterator::count);
        Some((Type { number, name, mib, max_instances }, vgpus))
    };
    let mut types: Vec<_> = entries.flatten().filter_map(of).collect();
    types.sort_by_key(|(of, _)| (of.mib, of.number));
    types
}

/// The number in a file of sysfs: `0x10de`.
fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Adds a device to a host below `root`.
    pub fn add(root: &Path, address: &str, ids: [&str; 3]) -> std::path::PathBuf {
        let dir = root.join("sys/bus/pci/devices").join(address);
        fs::create_dir_all(&dir).unwrap();
        for (file, id) in ["vendor", "device", "class"].iter().zip(ids) {
            fs::write(dir.join(file), format!("{id}\n")).unwrap();
        }
        dir
    }

    /// Adds a type to a device, with vGPUs of it.
    pub fn add_type(device: &Path, number: u32, name: &str, mib: u64, max: u64, vgpus: &[&str]) {
        let dir = device.join(format!("mdev_supported_types/nvidia-{number}"));
        fs::create_dir_all(dir.join("devices")).unwrap();
        fs::write(dir.join("name"), format!("{name}\n")).unwrap();
        let description = format!(
            "num_heads=4, frl_config=60, framebuffer={mib}M, max_resolution=7680x4320, \
             max_instance={max}\n"
        );
        fs::write(dir.join("description"), description).unwrap();
        for uuid in vgpus {
            fs::create_dir(dir.join("devices").join(uuid)).unwrap();
        }
    }

    #[test]
    fn boards_are_nvidias_displays_and_no_virtual_functions() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(boards(root), []);
        add(root, "0000:02:00.0", ["0x10de", "0x2230", "0x030200"]);
        let vf = add(root, "0000:02:00.4", ["0x10de", "0x2230", "0x030200"]);
        fs::create_dir(vf.join("physfn")).unwrap();
        let own = add(root, "0000:01:00.0", ["0x10de", "0x1b06", "0x030000"]);
        add(root, "0000:01:00.1", ["0x10de", "0x10ef", "0x040300"]);
        add(root, "0000:00:02.0", ["0x8086", "0x3ea5", "0x030000"]);
        add_type(&own, 50, "GRID P40-6Q", 6144, 4, &[]);
        add_type(&own, 47, "GRID P40-2Q", 2048, 12, &["a", "b"]);
        fs::create_dir(own.join("mdev_supported_types/nvidia-99")).unwrap();
        let found = boards(root);
        let ids: Vec<_> = found.iter().map(|b| (&b.address[..], b.device)).collect();
        assert_eq!(ids, [("0000:01:00.0", 0x1b06), ("0000:02:00.0", 0x2230)]);
        let types: Vec<_> = found[0].types.iter().map(|(t, n)| (t.number, t.mib, *n)).collect();
        assert_eq!(types, [(47, 2048, 2), (50, 6144, 0)]);
        assert_eq!(found[0].types[0].0.max_instances, 12);
        assert_eq!(found[1].types, []);
    }
}
