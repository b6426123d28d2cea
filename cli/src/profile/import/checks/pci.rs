// SPDX-License-Identifier: GPL-2.0
//! `pci_id` and `pci_device_id`, which public tables have exchanged.

use vgpu_unlock::gpu::NVIDIA_VENDOR;
use vgpu_unlock::profile::Key;

use super::settings::{Complaint, Settings, Written, warn};

const VENDOR: u64 = NVIDIA_VENDOR as u64;

/// The device IDs of all boards that were ever answered as others, or listed, begin above this.
const FIRST_DEVICE: u64 = 0x0fe0;

const FORM: &str = "pci_id is what the guest sees, device and subsystem ID: 0xDDDDSSSS";
const DEVICE_FORM: &str = "pci_device_id is a device ID alone: 0xDDDD";

/// Looks at both keys.
pub fn check(settings: Settings<'_>, found: &mut Vec<Complaint>) {
    let (both, device) = (settings.number(Key::PciId), settings.number(Key::PciDeviceId));
    if let (Some((first, ids)), Some((second, id))) = (both, device) {
        if is_device(ids) && is_pair(id) {
            let earlier = if first.at < second.at { first } else { second };
            let text = format!(
                "pci_id = {} and pci_device_id = {} look exchanged: {FORM}; {DEVICE_FORM}: write \
                 pci_id = {id:#x} and pci_device_id = {ids:#x}",
                first.raw, second.raw
            );
            return warn(found, earlier, text);
        }
    }
    if let Some((written, ids)) = both {
        if let Some(why) = wrong_pair(written, ids, device.map(|(_, id)| id)) {
            warn(found, written, format!("pci_id = {}: {FORM}: {why}", written.raw));
        }
    }
    if let Some((written, id)) = device {
        if let Some(why) = wrong_device(written, id) {
            warn(found, written, format!("pci_device_id = {}: {DEVICE_FORM}: {why}", written.raw));
        }
    }
}

/// Whether this can be a device ID, and nothing but one.
fn is_device(number: u64) -> bool {
    (FIRST_DEVICE..=0xffff).contains(&number)
}

/// Whether this can be a device and a subsystem ID.
fn is_pair(number: u64) -> bool {
    u32::try_from(number).is_ok() && is_device(number >> 16) && number >> 16 != VENDOR
}

fn wrong_pair(written: &Written<'_>, ids: u64, device: Option<u64>) -> Option<String> {
    let (upper, lower) = (ids >> 16, ids & 0xffff);
    if let Some(hex) = as_hex(written, ids).filter(|&hex| is_pair(hex) || is_device(hex)) {
        return Some(format!("it is read as decimal: is {hex:#x} meant?"));
    }
    if ids > u32::MAX.into() {
        // Both with NVIDIA's vendor ID beside them.
        let pair = (((ids >> 32) & 0xffff) << 16) | lower;
        let hint = match [ids >> 48, (ids >> 16) & 0xffff] == [VENDOR, VENDOR] {
            true => format!(": write {pair:#x}"),
            false => String::new(),
        };
        return Some(format!("it has more than 32 bits{hint}"));
    }
    if upper == VENDOR {
        return Some(format!("10de is NVIDIA's vendor ID: write {lower:#x} and the subsystem ID"));
    }
    if upper == 0 {
        return Some(format!(
            "the device ID is missing, or the subsystem ID: write {:#x} for the latter",
            lower << 16
        ));
    }
    (device == Some(lower) && upper != lower)
        .then(|| format!("the device ID comes first: write {:#x}", (lower << 16) | upper))
}

fn wrong_device(written: &Written<'_>, id: u64) -> Option<String> {
    if let Some(hex) = as_hex(written, id).filter(|&hex| is_device(hex)) {
        return Some(format!("it is read as decimal: is {hex:#x} meant?"));
    }
    match id {
        0..=0xffff => None,
        _ if is_pair(id) => Some(format!("this has a subsystem ID, too: write {:#x}", id >> 16)),
        _ if id >> 16 == VENDOR => {
            Some(format!("10de is NVIDIA's vendor ID: write {:#x}", id & 0xffff))
        }
        _ => Some("it has more than 16 bits".to_owned()),
    }
}

/// A number without `0x` that can't be meant as it is, read as hexadecimal.
fn as_hex(written: &Written<'_>, number: u64) -> Option<u64> {
    let digits = written.raw.trim_matches('"');
    let decimal = digits.bytes().all(|c| c.is_ascii_digit());
    let means_nothing = !is_device(number) && !is_pair(number);
    (decimal && means_nothing && matches!(digits.len(), 4 | 8))
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}
