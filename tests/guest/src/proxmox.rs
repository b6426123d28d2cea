// SPDX-License-Identifier: GPL-2.0
//! vGPU types as Proxmox VE sees them, by its own rules.
//!
//! Source of the rules: `lspci`, `get_mdev_types`, `pci_create_mdev_device` and `generate_mdev_uuid` of
//! `PVE::SysFSTools` in Proxmox's pve-common (2025). They are stricter than mdevctl's: a type without a
//! description ends the whole list, and one whose number of instances is no number counts as none.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};

const DEVICES: &str = "/sys/bus/pci/devices";

/// A type, as the API hands it to the web interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Such as `nvidia-46`: what stands behind `mdev=` in a machine's configuration.
    pub kind: String,
    pub name: Option<String>,
    /// The file as it is, ends of lines and all.
    pub description: String,
    pub available: u64,
}

/// The devices that are offered for mediated devices, by their full addresses.
pub fn devices() -> Result<Vec<String>> {
    let mut found = vec![];
    for address in names(DEVICES)? {
        let types = format!("{DEVICES}/{address}/mdev_supported_types");
        if is_address(&address) && Path::new(&types).is_dir() {
            found.push(address);
        }
    }
    Ok(found)
}

/// The types of a device, in the order of their names.
pub fn types(address: &str) -> Result<Vec<Type>> {
    let dir = dir(address);
    let mut types = vec![];
    for kind in names(&dir)?.into_iter().filter(|name| !name.starts_with('.')) {
        let file = |name: &str| format!("{dir}/{kind}/{name}");
        let description = file("description");
        types.push(Type {
            name: first_line(&file("name")),
            description: fs::read_to_string(&description)
                .with_context(|| format!("reading {description}"))?,
            available: integer(&first_line(&file("available_instances")).unwrap_or_default()),
            kind,
        });
    }
    Ok(types)
}

/// Creates the vGPU that a machine with `hostpciINDEX: …,mdev=KIND` gets when it starts; returns its UUID.
pub fn create(address: &str, kind: &str, machine: u64, index: u32) -> Result<String> {
    let (dir, uuid) = (dir(address), uuid(machine, index));
    ensure!(Path::new(&dir).join(kind).is_dir(), "{address} has no type {kind}");
    let text = first_line(&format!("{dir}/{kind}/available_instances")).unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || integer(&text) < 1 {
        bail!("{address} has no available instances of {kind}: {text:?}");
    }
    let path = format!("{dir}/{kind}/create");
    let write = || OpenOptions::new().write(true).open(&path)?.write_all(uuid.as_bytes());
    write().with_context(|| format!("writing {uuid} to {path}"))?;
    Ok(uuid)
}

/// The UUID of a machine's vGPU.
pub fn uuid(machine: u64, index: u32) -> String {
    format!("{index:08}-0000-0000-0000-{machine:012}")
}

fn dir(address: &str) -> String {
    format!("{DEVICES}/{address}/mdev_supported_types")
}

fn names(dir: &str) -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(dir).with_context(|| format!("listing {dir}"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// `0000:01:00.0`: a domain of four small hexadecimal digits or more, and what lspci prints besides.
fn is_address(name: &str) -> bool {
    let small_hex = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = name.split(':');
    let (Some(domain), Some(bus), Some(rest), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    rest.split_once('.').is_some_and(|(slot, function)| {
        small_hex(domain, 4, usize::MAX)
            && small_hex(bus, 2, 2)
            && small_hex(slot, 2, 2)
            && small_hex(function, 1, 1)
    })
}

/// The first line without its end; nothing where there is no file.
fn first_line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.split('\n').next().unwrap_or_default().to_owned())
}

/// The number that a text begins with, as Perl takes it; 0 where it begins with none.
fn integer(text: &str) -> u64 {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_read_as_perl_reads_them() {
        for (name, right) in [
            ("0000:01:00.0", true),
            ("10000:01:1f.7", true),
            ("0000:01:00.F", false),
            ("000:01:00.0", false),
            ("0000:01:00", false),
            ("0000:001:00.0", false),
            ("x:0000:01:00.0", false),
        ] {
            assert_eq!(is_address(name), right, "{name}");
        }
        for (text, number) in [("24", 24), (" 3\n", 3), ("3 of 4", 3), ("", 0), ("none", 0)] {
            assert_eq!(integer(text), number, "{text:?}");
        }
        assert_eq!(uuid(100, 1), "00000001-0000-0000-0000-000000000100");
    }
}
