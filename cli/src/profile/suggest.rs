// SPDX-License-Identifier: GPL-2.0
//! What a value was meant to be.
//!
//! Only what leaves no doubt is suggested: a test reads every suggestion back as a value of its key.

use vgpu_unlock::profile::{Key, Kind, VRAM_MIN, parse_size};

use super::literal::{quoted, quoted_size};

/// Marks that people and programs put around text: TOML's own two, and those that a word processor, a
/// web page or a shell has.
const QUOTES: [char; 13] = ['"', '\'', '`', '´', '“', '”', '„', '‟', '‘', '’', '‚', '«', '»'];

/// Whether this is a mark that looks like TOML's, but is none.
pub fn is_wrong_quote(c: char) -> bool {
    QUOTES.contains(&c) && c != '"' && c != '\''
}

/// The right side of `key = …` that `raw` was meant to be, in TOML.
pub fn value(key: Key, raw: &str) -> Option<String> {
    let text = bare(raw);
    let lower = text.to_ascii_lowercase();
    match key.kind() {
        Kind::Switch => switch(&lower).map(|on| u8::from(on).to_string()),
        Kind::U32 => {
            let number = match key {
                Key::MaxPixels => number(&text).or_else(|| product(&lower)),
                Key::FrlConfig => unit_off(&lower, &["fps", "hz"]).and_then(number),
                Key::EncoderCapacity => unit_off(&lower, &["%", "percent"]).and_then(number),
                Key::DisplayWidth | Key::DisplayHeight => {
                    unit_off(&lower, &["px", "pixels", "pixel"]).and_then(number)
                }
                Key::GpuType => number(lower.strip_prefix("nvidia-").unwrap_or(&lower)),
                _ => number(&text),
            };
            number.filter(|&number| number <= u32::MAX.into()).map(|number| number.to_string())
        }
        Kind::U64 => match key {
            Key::Bar1Length => number(&text)
                .or_else(|| bytes(&lower).filter(|bytes| bytes % (1 << 20) == 0).map(|b| b >> 20))
                .map(|number| number.to_string()),
            _ => ids(&lower).map(|ids| format!("{ids:#x}")),
        },
        Kind::Size => bytes(&lower).map(quoted_size),
        Kind::Vram => bytes(&lower).filter(|&bytes| bytes >= VRAM_MIN).map(quoted_size),
        Kind::Text(max) => {
            let fits = !text.is_empty() && text.len() <= max && !text.contains('\0');
            fits.then(|| quoted(&text))
        }
    }
}

/// The size that `raw` was meant to be, in bytes.
pub fn size(raw: &str) -> Option<u64> {
    bytes(&bare(raw).to_ascii_lowercase())
}

/// What is left without quotation marks, what ends a statement elsewhere, and odd spaces.
fn bare(raw: &str) -> String {
    let plain = raw.replace(|c: char| c.is_whitespace() || c == '\u{feff}', " ");
    let ends = |c: char| QUOTES.contains(&c) || c == ' ' || c == ';';
    plain.trim_matches(ends).trim_end_matches([',', ' ']).trim_matches(ends).to_owned()
}

fn switch(lower: &str) -> Option<bool> {
    match lower {
        "1" | "true" | "yes" | "on" | "y" | "enabled" | "enable" => Some(true),
        "0" | "false" | "no" | "off" | "n" | "disabled" | "disable" => Some(false),
        _ => None,
    }
}

/// A number: decimal, also with leading zeros or with its thousands apart, or hexadecimal behind `0x`.
fn number(text: impl AsRef<str>) -> Option<u64> {
    let text = text.as_ref().trim();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(&hex.replace('_', ""), 16).ok();
    }
    digits(text)?.parse().ok()
}

/// The digits of a decimal number without what keeps its thousands apart.
fn digits(text: &str) -> Option<String> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit() || c == b'_') {
        return Some(text.replace('_', ""));
    }
    let mark = text.chars().find(|c| !c.is_ascii_digit())?;
    let groups: Vec<&str> = text.split(mark).collect();
    let apart = [',', '.', '\'', ' '].contains(&mark)
        && (1..=3).contains(&groups[0].len())
        // One point is a decimal point.
        && (mark != '.' || groups.len() > 2)
        && groups[1..].iter().all(|group| group.len() == 3);
    let numeric = groups.iter().all(|group| group.bytes().all(|c| c.is_ascii_digit()));
    (apart && numeric).then(|| groups.concat())
}

/// `1920*1080`, `1920 x 1080`.
fn product(lower: &str) -> Option<u64> {
    let mut factors = lower.split(['*', 'x', '×']).map(|factor| number(factor.trim()));
    let first = factors.next()??;
    let mut product = first;
    let mut more = false;
    for factor in factors {
        product = product.checked_mul(factor?)?;
        more = true;
    }
    more.then_some(product)
}

/// What stands in front of one of these units, if any does.
fn unit_off<'t>(lower: &'t str, units: &[&str]) -> Option<&'t str> {
    let number = units.iter().find_map(|unit| lower.strip_suffix(unit)).unwrap_or(lower).trim();
    (!number.is_empty()).then_some(number)
}

/// Bytes: a number, or one with a unit in whatever form. `4G` and `4gb` are 4 GiB: nobody means others.
fn bytes(lower: &str) -> Option<u64> {
    if let Some(bytes) = number(lower) {
        return Some(bytes);
    }
    if lower.contains('*') {
        return product(lower);
    }
    let end = lower.find(|c: char| c.is_ascii_alphabetic())?;
    let (amount, unit) = lower.split_at(end);
    let (amount, unit) = (amount.trim_end(), unit.trim());
    let unit = match unit {
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" | "gig" | "gigs" => "GiB",
        "t" | "tb" | "tib" => "TiB",
        _ => return None,
    };
    // A comma is a decimal point in half of the world.
    let amount = digits(amount).unwrap_or_else(|| amount.replace(',', "."));
    parse_size(format!("{amount}{unit}").as_bytes()).ok()
}

/// PCI IDs: hexadecimal with `0x`, without it, or as `lspci` and assemblers write it.
fn ids(lower: &str) -> Option<u64> {
    let digits = lower.strip_prefix("0x").or_else(|| lower.strip_prefix('$')).unwrap_or(lower);
    let digits = digits.strip_suffix('h').unwrap_or(digits).replace([':', '_', ' '], "");
    let digits = digits.strip_prefix("10de").filter(|rest| !rest.is_empty()).unwrap_or(&digits);
    let known = matches!(digits.len(), 4 | 8);
    known.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use toml::de::DeTable;

    #[test]
    fn what_is_clear_is_suggested() {
        for (key, raw, suggested) in [
            (Key::VgpuType, "NVS", "\"NVS\""),
            (Key::CardName, "“GRID P40-2Q”", "\"GRID P40-2Q\""),
            (Key::CardName, "'GRID\"", "\"GRID\""),
            (Key::CardName, "40", "\"40\""),
            (Key::CudaEnabled, "True", "1"),
            (Key::FrlEnabled, "\"off\"", "0"),
            (Key::EccSupported, "1,", "1"),
            (Key::NumDisplays, "01;", "1"),
            (Key::MaxPixels, "1920 x 1080", "2073600"),
            (Key::MaxPixels, "2.073.600", "2073600"),
            (Key::DisplayWidth, "1920px", "1920"),
            (Key::FrlConfig, "60 Hz", "60"),
            (Key::EncoderCapacity, "50%", "50"),
            (Key::GpuType, "\"nvidia-46\"", "46"),
            (Key::PciId, "1b3811a0", "0x1b3811a0"),
            (Key::PciId, "10de:1b38:11a0", "0x1b3811a0"),
            (Key::PciDeviceId, "1B38h", "0x1b38"),
            (Key::PciDeviceId, "10de:1b38", "0x1b38"),
            (Key::Bar1Length, "256 MiB", "256"),
            (Key::Framebuffer, "4 GiB", "\"4GiB\""),
            (Key::Framebuffer, "\"4G\"", "\"4GiB\""),
            (Key::Framebuffer, "1,5 gb", "\"1536MiB\""),
            (Key::Framebuffer, "1,073,741,824", "\"1GiB\""),
            (Key::Framebuffer, "1 073 741 824", "\"1GiB\""),
            (Key::Framebuffer, "2*1024*1024*1024", "\"2GiB\""),
            (Key::Framebuffer, "0X74000000", "\"1856MiB\""),
            (Key::Vram, "2048MB", "\"2GiB\""),
        ] {
            assert_eq!(super::value(key, raw).as_deref(), Some(suggested), "{} {raw}", key.name());
            let line = format!("x = {suggested}");
            let table = DeTable::parse(&line).unwrap();
            let read = value::take(key, table.get_ref().values().next().unwrap().get_ref(), "");
            assert!(matches!(read, Ok((_, None))), "{line}: {read:?}");
        }
    }

    #[test]
    fn what_is_not_clear_is_not() {
        for (key, raw) in [
            (Key::NumDisplays, "two"),
            (Key::NumDisplays, "1.5"),
            (Key::NumDisplays, "4294967296"),
            (Key::NumDisplays, "1,50"),
            (Key::CudaEnabled, "maybe"),
            (Key::PciId, "1b38a"),
            (Key::PciDeviceId, "x"),
            (Key::Framebuffer, "lots"),
            (Key::Framebuffer, "4 apples"),
            (Key::Framebuffer, "1.2.3GiB"),
            (Key::Framebuffer, "1 5GiB"),
            (Key::Vram, "128MiB"),
            (Key::CardName, ""),
            (Key::MaxPixels, "1920x"),
        ] {
            assert_eq!(super::value(key, raw), None, "{} {raw}", key.name());
        }
    }
}
