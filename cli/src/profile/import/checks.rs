// SPDX-License-Identifier: GPL-2.0
//! What a section says as a whole, and values that can be taken over but will not do what one may think.

mod memory;
mod pci;
mod settings;

use vgpu_unlock::profile::{Key, Kind};

use super::super::remark::Weight;
use super::super::write::Value;

pub use memory::BoardMemory;
pub use settings::{Complaint, Settings, Written};

use settings::warn;

/// Looks at a section. `is_type` says that it is one of a type.
pub fn check(settings: Settings<'_>, is_type: bool, board: Option<&BoardMemory>) -> Vec<Complaint> {
    let mut found = Vec::new();
    conflicts(settings, is_type, &mut found);
    displays(settings, &mut found);
    single(settings, &mut found);
    class(settings, &mut found);
    pci::check(settings, &mut found);
    memory::check(settings, board, &mut found);
    found
}

/// What the module refuses.
fn conflicts(settings: Settings<'_>, is_type: bool, found: &mut Vec<Complaint>) {
    for (i, written) in settings.0.iter().enumerate() {
        let earlier = &settings.0[..i];
        if let Some(other) = earlier.iter().find(|o| written.key.conflicts() & o.key.bit() != 0) {
            let text = format!(
                "{} stands beside {}: write either vram or framebuffer and its reservation",
                written.key.name(),
                other.key.name()
            );
            found.push((written.at, Weight::Error, text));
        }
        if written.key == Key::Hidden && !is_type {
            let text = "hidden: only a type can be hidden: write it below [profile.nvidia-N]";
            found.push((written.at, Weight::Error, text.to_owned()));
        }
    }
}

fn displays(settings: Settings<'_>, found: &mut Vec<Complaint>) {
    let number = |key| settings.number(key);
    for key in [Key::DisplayWidth, Key::DisplayHeight] {
        if let Some((written, pixels)) = number(key).filter(|(_, n)| !(1..=16384).contains(n)) {
            let text = format!("{} = {pixels}: there is no such display", key.name());
            warn(found, written, format!("{text}: write its pixels, such as 1920"));
        }
    }
    if let Some((written, heads)) = number(Key::NumDisplays).filter(|(_, n)| !(1..=4).contains(n)) {
        let text = format!("num_displays = {heads}: NVIDIA's own types have 1 to 4 displays");
        warn(found, written, text);
    }
    let size = number(Key::DisplayWidth).zip(number(Key::DisplayHeight));
    let Some(((written, width), (_, height))) = size else { return };
    // Upright displays are sold, but hardly anyone wants no other.
    if width < height && width * 2 > height {
        let text = format!(
            "display_width = {width} and display_height = {height} look exchanged: the guest gets no \
             {height}x{width} with it"
        );
        warn(found, written, text);
    }
    let Some((written, most)) = number(Key::MaxPixels) else { return };
    let pixels = width.saturating_mul(height);
    if most < pixels {
        let text = format!(
            "max_pixels = {most}: the guest won't get {width}x{height} with it, which has {pixels} \
             pixels: write max_pixels = {pixels} or more"
        );
        warn(found, written, text);
    }
}

/// Numbers that mean nothing, or something else than they seem to.
fn single(settings: Settings<'_>, found: &mut Vec<Complaint>) {
    let number = |key| settings.number(key);
    if let Some((written, rate)) = number(Key::FrlConfig).filter(|(_, n)| !(2..=1000).contains(n)) {
        let text = format!(
            "frl_config = {rate}: that is the rate in frames per second, such as 60; frl_enabled = 0 \
             switches the limiter off"
        );
        warn(found, written, text);
    }
    if let Some((written, share)) = number(Key::EncoderCapacity).filter(|&(_, n)| n > 100) {
        let text =
            format!("encoder_capacity = {share}: that is a share in per cent: write up to 100");
        warn(found, written, text);
    }
    if let Some((written, _)) = number(Key::MaxInstances).filter(|&(_, n)| n == 0) {
        let text = "max_instances = 0: no vGPU of the type can be created; hidden = 1 keeps it off \
                    the list";
        warn(found, written, text.to_owned());
    }
    if let Some((written, mib)) = number(Key::Bar1Length).filter(|(_, n)| !n.is_power_of_two()) {
        let text = format!(
            "bar1_length = {mib}: a BAR has a power of two of MiB, such as 256, which is NVIDIA's own"
        );
        warn(found, written, text);
    } else if let Some((written, bytes)) = number(Key::Bar1Length).filter(|&(_, n)| n >= 1 << 20) {
        let text = format!(
            "bar1_length = {}: that is in MiB, not in bytes: write bar1_length = {}",
            written.raw,
            bytes >> 20
        );
        warn(found, written, text);
    }
}

/// Text that looks like another key's.
fn class(settings: Settings<'_>, found: &mut Vec<Complaint>) {
    /// What NVIDIA's types have.
    const CLASSES: [&str; 3] = ["Quadro", "NVS", "Compute"];
    let texts = settings.0.iter().filter(|written| matches!(written.key.kind(), Kind::Text(_)));
    for written in texts.filter(|written| written.key == Key::VgpuType) {
        let Value::Text(class) = &written.value else { continue };
        let same = CLASSES.iter().find(|known| known.eq_ignore_ascii_case(class));
        let hint = match same {
            Some(known) if known != class => format!("NVIDIA writes {known}"),
            Some(_) => continue,
            None if class.bytes().any(|c| c.is_ascii_digit()) => {
                "that is the class, such as Quadro; the name is card_name, the number gpu_type"
                    .to_owned()
            }
            None => continue,
        };
        warn(found, written, format!("vgpu_type = {class:?}: {hint}"));
    }
}
