// SPDX-License-Identifier: GPL-2.0
//! Values of `profile_override.toml`: what vgpu_unlock-rs makes of them, and what we do.
//!
//! How it reads them is known from its source (src/lib.rs, src/human_number.rs): a value of a wrong
//! type makes the whole file unreadable, and then no vGPU starts at all.

use toml::de::DeValue;
use vgpu_unlock::profile::{Key, Kind, VRAM_MIN, parse_size, text::MAX_TEXT};

use super::write::Value;
use super::{literal, suggest};

/// A value that can be taken over, and what the user should know about it.
pub type Taken = Result<(Value, Option<String>), String>;

const OLD_REFUSES: &str = "vgpu_unlock-rs refuses the whole file for it";

/// Takes the value of `key` over. `raw` is how it is written.
///
/// # Errors
/// It can't be; the text says why and what to write instead.
pub fn take(key: Key, value: &DeValue<'_>, raw: &str) -> Taken {
    match key.kind() {
        Kind::U32 => number(key, value, raw, u32::MAX.into()),
        Kind::U64 => number(key, value, raw, u64::MAX),
        Kind::Switch => switch(key, value, raw),
        Kind::Size | Kind::Vram => size(key, value, raw),
        Kind::Text(max) => text(key, value, raw, max),
    }
}

/// What was found, short enough for a line.
pub fn shown(raw: &str) -> String {
    let line: String = raw.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A value of a kind that the key does not take.
fn wrong(key: Key, value: &DeValue<'_>, raw: &str, quotes: &str) -> String {
    let found = match value {
        DeValue::Table(_) => "a section".to_owned(),
        DeValue::Array(_) => format!("a list: {}", shown(raw)),
        _ => shown(raw),
    };
    let expected = key.kind().expected();
    let instead = match suggest::value(key, raw) {
        _ if matches!(value, DeValue::Table(_) | DeValue::Array(_)) => String::new(),
        // The number of a type is another key's.
        _ if key == Key::VgpuType => {
            format!(": the number of a type is {} = {found}", Key::GpuType.name())
        }
        Some(right) => format!(": {} = {right}", key.name()),
        None => String::new(),
    };
    format!("write {expected}{quotes}, not {found}{instead}; {OLD_REFUSES}")
}

fn integer(value: &DeValue<'_>) -> Option<Result<u64, String>> {
    let integer = value.as_integer()?;
    let number = i128::from_str_radix(integer.as_str(), integer.radix())
        .map_err(|_| "the number is too large".to_owned());
    Some(number.and_then(|n| u64::try_from(n).map_err(|_| format!("{n} is negative or too large"))))
}

/// A number as a string, which vgpu_unlock-rs does not read.
fn quoted_number(text: &str) -> Option<u64> {
    let digits = text.trim().replace('_', "");
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

fn number(key: Key, value: &DeValue<'_>, raw: &str, max: u64) -> Taken {
    let expected = key.kind().expected();
    let (number, note) = match (integer(value), value) {
        (Some(number), _) => (number.map_err(|why| format!("{why}: write {expected}"))?, None),
        (None, DeValue::Boolean(on)) => {
            let note = format!("{on} is taken as {}; {OLD_REFUSES}", u8::from(*on));
            (u64::from(*on), Some(note))
        }
        (None, DeValue::String(text)) => {
            let number = quoted_number(text).ok_or_else(|| not_a_number(key, text))?;
            (number, Some(format!("the quotes are not needed; {OLD_REFUSES}")))
        }
        _ => return Err(wrong(key, value, raw, "")),
    };
    if number > max {
        return Err(format!("{number} is too large: write {expected}; {OLD_REFUSES}"));
    }
    Ok((Value::Number(number), note))
}

fn not_a_number(key: Key, text: &str) -> String {
    let instead = match suggest::value(key, text) {
        Some(right) => format!("write {right}"),
        None => format!("write {}, without quotes", key.kind().expected()),
    };
    let other = match key {
        Key::GpuType if text.chars().any(char::is_alphabetic) => "; the class is vgpu_type",
        _ => "",
    };
    format!("{text:?} is no number: {instead}{other}; {OLD_REFUSES}")
}

fn switch(key: Key, value: &DeValue<'_>, raw: &str) -> Taken {
    let (value, note) = number(key, value, raw, u32::MAX.into())?;
    match value {
        Value::Number(n) if n > 1 => {
            let rate = match key {
                Key::FrlEnabled => format!("; the rate is another key: frl_config = {n}"),
                _ => String::new(),
            };
            Ok((Value::Number(1), Some(format!("{n} is taken as 1, as vgpu_unlock-rs does{rate}"))))
        }
        value => Ok((value, note)),
    }
}

fn size(key: Key, value: &DeValue<'_>, raw: &str) -> Taken {
    let DeValue::String(written) = value else {
        return match integer(value) {
            Some(_) => at_least(key, number(key, value, raw, u64::MAX)?),
            None => Err(wrong(key, value, raw, " in quotes")),
        };
    };
    let trimmed = written.trim();
    if let Ok(bytes) = parse_size(trimmed.as_bytes()) {
        let old_reads = !trimmed.starts_with("0x");
        let note = (!old_reads).then(|| format!("hexadecimal in quotes is read; {OLD_REFUSES}"));
        return at_least(key, (Value::Number(bytes), note));
    }
    if let Some(bytes) = any_fraction(trimmed) {
        return at_least(key, (Value::Number(bytes), None));
    }
    let unit = trimmed.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    let meant = match unit.to_ascii_lowercase().as_str() {
        "k" | "m" | "g" | "t" => Some(format!("{}iB", unit.to_ascii_uppercase())),
        "kib" | "mib" | "gib" | "tib" => Some(format!("{}iB", unit[..1].to_ascii_uppercase())),
        "kb" | "mb" | "gb" | "tb" => Some(format!("{}B", unit[..1].to_ascii_uppercase())),
        _ => None,
    };
    let number = trimmed.strip_suffix(unit).unwrap_or(trimmed).trim();
    let hint = match (meant, suggest::value(key, written)) {
        (Some(meant), _) if meant != unit && !number.is_empty() => format!("write {number}{meant}"),
        (_, Some(right)) => format!("write {right}"),
        _ => format!("write {}", key.kind().expected()),
    };
    Err(format!("{written:?} is no size: {hint}; {OLD_REFUSES}"))
}

/// A size with a unit as vgpu_unlock-rs reads it, where the module's grammar is stricter: with any
/// number of digits, or none, on a side of the point, and any white space in front of the unit.
fn any_fraction(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?);
    let unit = unit.trim_start();
    let one = match unit.starts_with(char::is_alphabetic) {
        true => parse_size(format!("1{unit}").as_bytes()).ok()?,
        false => return None,
    };
    let bytes = (number.parse::<f64>().ok()? * one as f64).round();
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

fn at_least(key: Key, taken: (Value, Option<String>)) -> Taken {
    match taken.0 {
        Value::Number(bytes) if key == Key::Vram && bytes < VRAM_MIN => {
            let (shift, unit) = if bytes <= 64 { (30, "GiB") } else { (20, "MiB") };
            let meant = Some(bytes << shift).filter(|meant| *meant >= VRAM_MIN && bytes < 1 << 20);
            let hint = meant.map_or(String::new(), |meant| {
                format!("; is {bytes}{unit} meant? write vram = {}", literal::quoted_size(meant))
            });
            Err(format!("a vGPU has at least 384MiB, not {bytes} bytes{hint}"))
        }
        _ => Ok(taken),
    }
}

fn text(key: Key, value: &DeValue<'_>, raw: &str, max: usize) -> Taken {
    let DeValue::String(text) = value else {
        return Err(wrong(key, value, raw, " in quotes"));
    };
    if text.contains('\0') {
        return Err("a NUL would end the text: take \\u0000 away".to_owned());
    }
    if text.len() > max || text.len() >= MAX_TEXT {
        return Err(format!(
            "{} bytes, but the field takes {max}: shorten it; vgpu_unlock-rs starts no vGPU with it",
            text.len()
        ));
    }
    let short = matches!(key, Key::CardName | Key::VgpuType) && text.len() > 31;
    let note = short.then(|| {
        format!(
            "{} bytes: drivers before 580 take 31 and will keep their own text; \
             vgpu_unlock-rs starts no vGPU with it there",
            text.len()
        )
    });
    Ok((Value::Text(text.to_string()), note))
}
