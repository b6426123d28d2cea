// SPDX-License-Identifier: GPL-2.0
//! Sizes: what was meant, whether they are whole, and whether a board has so much.

use std::path::Path;

use vgpu_unlock::profile::{Key, Kind, VRAM_MIN, split_vram};

use super::super::super::{literal, remark::Weight, suggest};
use super::settings::{Complaint, Settings, Written, warn};
use crate::board::{self, host};

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

/// More than any board has.
const TOO_MUCH: u64 = 512 << 30;

/// The memory of the board that the overrides are for.
#[derive(Clone, Debug)]
pub struct BoardMemory {
    /// What the board is called in a sentence.
    pub name: String,
    /// In bytes.
    pub bytes: u64,
}

impl BoardMemory {
    /// That of the largest board of the host below `root`, if that of all of them is known.
    pub fn of_host(root: &Path) -> Option<Self> {
        let known = |board: &host::HostBoard| {
            let known = board::find(board.device)?;
            let name = format!("the {} of this host", known.name);
            Some(Self { name, bytes: known.memory()? })
        };
        let boards = host::boards(root);
        let known = boards.iter().map(known).collect::<Option<Vec<_>>>()?;
        known.into_iter().max_by_key(|board| board.bytes)
    }
}

/// Looks at all sizes of a section.
pub fn check(settings: Settings<'_>, board: Option<&BoardMemory>, found: &mut Vec<Complaint>) {
    for written in settings.0.iter().filter(|w| matches!(w.key.kind(), Kind::Size | Kind::Vram)) {
        let Some((_, bytes)) = settings.number(written.key) else { continue };
        if let Some(why) = odd(written, bytes) {
            let text = format!("{} = {}: {why}", written.key.name(), written.raw);
            warn(found, written, text);
        }
    }
    let number = |key| settings.number(key);
    let framebuffer = number(Key::Framebuffer);
    let reservation = number(Key::FramebufferReservation);
    if let (Some((_, framebuffer)), Some((written, reservation))) = (framebuffer, reservation) {
        if reservation > framebuffer && framebuffer >= MIB {
            let text = "framebuffer_reservation is more than framebuffer: it is what the host keeps, \
                        a 16th and 64MiB in NVIDIA's own types; are both exchanged?";
            warn(found, written, text.to_owned());
        }
        same_as_vram(written, framebuffer, reservation, found);
    }
    if let (Some((_, framebuffer)), Some((written, mappable))) =
        (framebuffer, number(Key::MappableVideoSize))
    {
        if mappable > framebuffer && framebuffer >= MIB {
            let text = "mappable_video_size is more than framebuffer: the guest can't map more than \
                        it has";
            warn(found, written, text.to_owned());
        }
    }
    let whole = number(Key::Vram).or_else(|| {
        let (written, framebuffer) = framebuffer?;
        let reservation = reservation.map_or(0, |(_, bytes)| bytes);
        Some((written, framebuffer.saturating_add(reservation)))
    });
    if let Some((written, bytes)) = whole {
        fits(settings, written, bytes, board, found);
    }
}

/// What is odd about a single size.
fn odd(written: &Written<'_>, bytes: u64) -> Option<String> {
    let key = written.key;
    if bytes == 0 {
        let has = matches!(key, Key::Framebuffer | Key::Vram);
        return has
            .then(|| "the guest has no memory with it: write a size such as \"2GiB\"".to_owned());
    }
    let unit = written
        .raw
        .trim_matches(['"', '\'', ' '])
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let bare = unit.is_empty() || unit.starts_with(['x', 'o', 'b', '_']);
    let hex = written.raw.trim_start_matches('"').starts_with("0x");
    // No vGPU of NVIDIA's has less than half a GiB.
    let whole = matches!(key, Key::Framebuffer | Key::Vram);
    if hex && whole && (4 * MIB..64 * MIB).contains(&bytes) {
        let more = bytes << 4;
        return Some(format!(
            "{bytes} bytes, less than any vGPU has; is a digit missing? {more:#x} would be {}",
            amount(more)
        ));
    }
    if let Some((meant, unit)) = meant(bytes, whole).filter(|_| bare) {
        let right = literal::quoted_size(meant);
        return Some(format!(
            "{bytes} bytes; is {bytes}{unit} meant? write {} = {right}",
            key.name()
        ));
    }
    if bytes % MIB == 0 {
        return None;
    }
    let unwhole = if bytes % PAGE == 0 { "MiB" } else { "pages" };
    let near = match unit {
        // Who writes a unit of thousands means the other one.
        "kB" | "KB" | "MB" | "GB" | "TB" => suggest::size(written.raw).unwrap_or(bytes),
        _ => bytes,
    };
    let right = literal::quoted_size((near / MIB).max(1) * MIB);
    Some(format!("{bytes} bytes, no whole number of {unwhole}: write {} = {right}", key.name()))
}

/// A size that is too small to be one, in the unit in which it would be one, and the unit. `whole` is
/// that of a whole vGPU.
fn meant(bytes: u64, whole: bool) -> Option<(u64, &'static str)> {
    if bytes < MIB {
        let (shift, unit) = match bytes {
            1..=64 if whole => (30, "GiB"),
            1..=0x3ffff => (20, "MiB"),
            _ => (10, "KiB"),
        };
        return Some((bytes << shift, unit));
    }
    let kib = bytes.checked_mul(1 << 10)?;
    let would_be = whole && bytes < 64 * MIB && (VRAM_MIN..=TOO_MUCH).contains(&kib);
    would_be.then_some((kib, "KiB"))
}

fn same_as_vram(
    written: &Written<'_>,
    framebuffer: u64,
    reservation: u64,
    found: &mut Vec<Complaint>,
) {
    let Some(total) = framebuffer.checked_add(reservation) else { return };
    let Some(split) = split_vram(total) else { return };
    if (split.framebuffer, split.reservation) == (framebuffer, reservation) {
        let text = format!(
            "vram={} says the same as both of framebuffer and framebuffer_reservation",
            literal::size(total)
        );
        found.push((written.at, Weight::Note, text));
    }
}

/// Whether the board has so much, and so often.
fn fits(
    settings: Settings<'_>,
    written: &Written<'_>,
    bytes: u64,
    board: Option<&BoardMemory>,
    found: &mut Vec<Complaint>,
) {
    let (name, size) = (written.key.name(), amount(bytes));
    let Some(board) = board else {
        if bytes > TOO_MUCH {
            warn(found, written, format!("{name}: no board has {size}"));
        }
        return;
    };
    let has = amount(board.bytes);
    if bytes > board.bytes {
        let text = format!("{name}: the vGPU needs {size}, but {} has {has}", board.name);
        return warn(found, written, text);
    }
    let Some((most, instances)) = settings.number(Key::MaxInstances) else { return };
    if bytes != 0 && bytes.saturating_mul(instances) > board.bytes {
        let text = format!(
            "max_instances = {instances}: {} of {has} has room for {} vGPUs of {size}",
            board.name,
            board.bytes / bytes
        );
        warn(found, most, text);
    }
}

/// A size in a sentence.
fn amount(bytes: u64) -> String {
    if bytes % MIB == 0 { literal::size(bytes) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::host::tests::add;

    #[test]
    fn the_largest_board_counts_if_all_are_known() {
        let root = tempfile::tempdir().unwrap();
        let bytes = |root: &Path| BoardMemory::of_host(root).map(|memory| memory.bytes);
        assert_eq!(bytes(root.path()), None);
        add(root.path(), "0000:01:00.0", ["0x10de", "0x1b06", "0x030000"]);
        add(root.path(), "0000:02:00.0", ["0x10de", "0x1c03", "0x030000"]);
        assert_eq!(bytes(root.path()), Some(11 << 30));
        // An RTX 6000 or an RTX 8000.
        add(root.path(), "0000:03:00.0", ["0x10de", "0x1e30", "0x030000"]);
        assert_eq!(bytes(root.path()), None);
    }
}
