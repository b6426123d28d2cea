// SPDX-License-Identifier: GPL-2.0
//! Whether the host shows its own screen on a board.
//!
//! Source: NVIDIA's vGPU guide does not support the primary display adapter. Guides for boards like
//! ours use it all the same, and say that the screen goes dark (polloloco/vgpu-proxmox).

use super::{Finding, facts::Facts};
use crate::host::Seen;

pub(super) fn console(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    let framebuffers = framebuffers(facts)?;
    for board in facts.boards()? {
        let own = framebuffers.iter().find(|(_, device)| device == &board.address);
        // The firmware's framebuffer does not say which board it is on: the one it used itself.
        let firmware = framebuffers.iter().find(|(name, _)| is_firmwares(name));
        let shown = own.or(firmware.filter(|_| board.boot_vga));
        if !board.boot_vga && own.is_none() {
            continue;
        }
        let by = shown.map_or_else(String::new, |(name, _)| format!(" by {name}"));
        findings.push(
            Finding::note(format!(
                "{}: the host's own screen is on it{by}, and goes dark or stands still when \
                 NVIDIA's driver takes it",
                board.name()
            ))
            .cure("have ssh ready, and let no desktop run on this board")
            .cure("if there is another display adapter, make it the primary one in the firmware's setup"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("on none of these boards"));
    }
    Ok(findings)
}

/// What draws, and on which device.
fn framebuffers(facts: &Facts<'_>) -> Seen<Vec<(String, String)>> {
    const DIR: &str = "/sys/class/graphics";
    let mut found = vec![];
    for name in facts.host.names(DIR)? {
        let number = name.strip_prefix("fb").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
            continue;
        }
        let what = facts.host.line(&format!("{DIR}/{name}/name"))?.unwrap_or_default();
        let device = facts.host.link_name(&format!("{DIR}/{name}/device"))?.unwrap_or_default();
        found.push((format!("{name} ({what})"), device));
    }
    Ok(found)
}

/// The names that efifb, simpledrm, simplefb and vesafb give themselves.
fn is_firmwares(name: &str) -> bool {
    ["EFI VGA", "simpledrm", "simple", "VESA VGA", "efidrm", "vesadrm"]
        .iter()
        .any(|known| name.contains(known))
}
