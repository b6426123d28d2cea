// SPDX-License-Identifier: GPL-2.0
//! Sizes with and without a unit, against the same in exact arithmetic; the split of a vGPU's memory.

use vgpu_unlock::profile::{VRAM_MIN, parse_size, size::BadSize, split_vram};

use super::texts;
use crate::Target;

const UNITS: [(&str, u128); 9] = [
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

pub static TARGET: Target = Target {
    name: "sizes",
    run,
    seeds: || {
        texts(&["0", "0x74000000", "4GiB", "512 MiB", "1.5 GB", "16777215.999999TiB", "1.0005kB"])
    },
    words: || {
        let mut words: Vec<_> = UNITS.iter().map(|(unit, _)| *unit).collect();
        words.extend(["0x", "18446744073709551615", "16777215", ".999999"]);
        words
    },
    max_len: 48,
};

fn run(text: &[u8]) {
    let parsed = parse_size(text);
    match std::str::from_utf8(text).ok().and_then(expected) {
        Some(bytes) => match u64::try_from(bytes) {
            Ok(bytes) => assert_eq!(parsed, Ok(bytes)),
            Err(_) => assert_eq!(parsed, Err(BadSize::Range)),
        },
        None => assert!(parsed.is_err(), "{parsed:?}"),
    }
    if let Ok(bytes) = parsed {
        // Read back as it is shown.
        assert_eq!(parse_size(bytes.to_string().as_bytes()), Ok(bytes));
        assert_eq!(parse_size(format!("{bytes:#x}").as_bytes()), Ok(bytes));
        split(bytes);
    }
}

fn split(total: u64) {
    let Some(vram) = split_vram(total) else { return assert!(total < VRAM_MIN) };
    assert!(total >= VRAM_MIN);
    let difference = i128::from(total) - 0x4000_0000;
    assert_eq!(i128::from(vram.reservation), 0x800_0000 + difference.div_euclid(16));
    assert_eq!(vram.framebuffer.checked_add(vram.reservation), Some(total));
}

/// What the grammar's `size` means; the largest number where it has more digits than that holds.
fn expected(text: &str) -> Option<u128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits_of(digits, 16);
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let unit = rest.trim_start_matches(' ');
    if unit.is_empty() {
        // Spaces may only stand in front of a unit.
        return rest.is_empty().then(|| digits_of(number, 10)).flatten();
    }
    let unit = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let denominator = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = digits_of(fraction, 10)? * unit;
    let rounded = (part + denominator / 2) / denominator;
    Some(digits_of(whole, 10)?.saturating_mul(unit).saturating_add(rounded))
}

fn digits_of(digits: &str, radix: u32) -> Option<u128> {
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    all.then(|| u128::from_str_radix(digits, radix).unwrap_or(u128::MAX))
}
