// SPDX-License-Identifier: GPL-2.0
//! Sizes as people write them, and the split of a vGPU's memory.

use super::hex_digit;

/// The smallest total for which the split is known to make sense.
pub const VRAM_MIN: u64 = 384 << 20;

/// A vGPU's video memory in its two parts, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vram {
    /// What the guest has.
    pub framebuffer: u64,
    /// What the host keeps for it.
    pub reservation: u64,
}

/// Splits a total, in bytes; `None` below [`VRAM_MIN`].
///
/// The rule (DESIGN 2.4; NVIDIA's own types of 1 GiB and more follow it) is `reservation =
/// 0x8000000 + (total - 0x40000000) / 16`, where the difference is negative below 1 GiB: 512 MiB
/// reserve 96 MiB. As 0x40000000 / 16 is whole, that is the same as 0x4000000 + total / 16, which
/// needs no signs.
pub fn split_vram(total: u64) -> Option<Vram> {
    if total < VRAM_MIN {
        return None;
    }
    let reservation = 0x400_0000_u64.checked_add(total / 16)?;
    Some(Vram { framebuffer: total.checked_sub(reservation)?, reservation })
}

/// Why a text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSize {
    /// It does not begin with a number.
    Number,
    /// The unit is none of `kB`, `KB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB`, `TiB`.
    Unit,
    /// More than six digits behind the point, or a point without a unit.
    Fraction,
    /// It does not fit into 64 bits.
    Range,
}

/// The most digits behind the point: so many times a TiB still fit into 64 bits.
const MAX_FRACTION: usize = 6;

/// Reads a size: a decimal or `0x` hexadecimal number of bytes, or a decimal number, possibly with
/// a point, and a unit, possibly with spaces in front of it. Fractions of a byte are rounded, a
/// half upwards.
///
/// Source of the units, which tell upper from lower case: `profile_override.toml`'s, as
/// mbilker/vgpu_unlock-rs reads them.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse_size(text: &[u8]) -> Result<u64, BadSize> {
    if let Some(digits) = text.strip_prefix(b"0x") {
        return number(digits, 16);
    }
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = (text.get(..end).unwrap_or(&[]), text.get(end..).unwrap_or(&[]));
    let whole = number(whole, 10)?;
    let (fraction, rest) = match rest.strip_prefix(b".") {
        None => (None, rest),
        Some(rest) => {
            let end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
            (rest.get(..end), rest.get(end..).unwrap_or(&[]))
        }
    };
    let spaces = rest.iter().take_while(|&&c| c == b' ').count();
    let unit = rest.get(spaces..).unwrap_or(&[]);
    if unit.is_empty() {
        return match (fraction, spaces) {
            (Some(_), _) => Err(BadSize::Fraction),
            (None, 0) => Ok(whole),
            (None, _) => Err(BadSize::Unit),
        };
    }
    let unit = unit_bytes(unit).ok_or(BadSize::Unit)?;
    let bytes = whole.checked_mul(unit).ok_or(BadSize::Range)?;
    let part = match fraction {
        None => 0,
        Some(digits) if digits.len() > MAX_FRACTION => return Err(BadSize::Fraction),
        Some(digits) => {
            let numerator = number(digits, 10).map_err(|_| BadSize::Fraction)?;
            let denominator = digits.iter().fold(1u64, |d, _| d.saturating_mul(10));
            let scaled = numerator.checked_mul(unit).ok_or(BadSize::Range)?;
            let rounded = scaled.checked_add(denominator / 2).ok_or(BadSize::Range)?;
            rounded.checked_div(denominator).ok_or(BadSize::Range)?
        }
    };
    bytes.checked_add(part).ok_or(BadSize::Range)
}

fn unit_bytes(unit: &[u8]) -> Option<u64> {
    Some(match unit {
        b"kB" | b"KB" => 1_000,
        b"MB" => 1_000_000,
        b"GB" => 1_000_000_000,
        b"TB" => 1_000_000_000_000,
        b"KiB" => 1 << 10,
        b"MiB" => 1 << 20,
        b"GiB" => 1 << 30,
        b"TiB" => 1 << 40,
        _ => return None,
    })
}

fn number(digits: &[u8], radix: u8) -> Result<u64, BadSize> {
    if digits.is_empty() {
        return Err(BadSize::Number);
    }
    let mut value = 0u64;
    for &c in digits {
        let digit = hex_digit(c).filter(|&digit| digit < radix).ok_or(BadSize::Number)?;
        value = value
            .checked_mul(radix.into())
            .and_then(|value| value.checked_add(digit.into()))
            .ok_or(BadSize::Range)?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("0x74000000", 0x7400_0000),
            ("18446744073709551615", u64::MAX),
            ("0xffffffffffffffff", u64::MAX),
            ("4GiB", 4 << 30),
            ("512 MiB", 512 << 20),
            ("1.5 GB", 1_500_000_000),
            ("1.5GiB", 3 << 29),
            ("0.5KiB", 512),
            ("1.0005 kB", 1_001),
            ("2kB", 2_000),
            ("2KB", 2_000),
            ("3MB", 3_000_000),
            ("1TB", 1_000_000_000_000),
            ("1TiB", 1 << 40),
            ("7KiB", 7_168),
            ("1.999999TiB", 2_199_022_156_040),
        ] {
            assert_eq!(parse_size(text.as_bytes()), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_size_is_told() {
        for (text, why) in [
            ("", BadSize::Number),
            ("GiB", BadSize::Number),
            (".5GiB", BadSize::Number),
            ("-1", BadSize::Number),
            ("0x", BadSize::Number),
            ("0xg", BadSize::Number),
            ("4G", BadSize::Unit),
            ("4gib", BadSize::Unit),
            ("4 GiB ", BadSize::Unit),
            ("4 ", BadSize::Unit),
            ("1.5", BadSize::Fraction),
            ("1.GiB", BadSize::Fraction),
            ("1.1234567GiB", BadSize::Fraction),
            ("1.5.5GiB", BadSize::Unit),
            ("18446744073709551616", BadSize::Range),
            ("0x10000000000000000", BadSize::Range),
            ("16777216TiB", BadSize::Range),
        ] {
            assert_eq!(parse_size(text.as_bytes()), Err(why), "{text}");
        }
    }

    /// The memory of NVIDIA's own types: P40-8A as `nvidia-vgpud` logs it (0x1dc000000 and
    /// 0x24000000, DualCoder/vgpu_unlock issue 70), the others as users' overrides have them.
    #[test]
    fn totals_are_split_as_nvidia_splits_them() {
        for (mib, framebuffer, reservation) in [
            (384, 0x1280_0000, 0x580_0000),
            (512, 0x1a00_0000, 0x600_0000),
            (1024, 0x3800_0000, 0x800_0000),
            (2048, 0x7400_0000, 0xc00_0000),
            (3072, 0xb000_0000, 0x1000_0000),
            (4096, 0xec00_0000, 0x1400_0000),
            (8192, 0x1_dc00_0000, 0x2400_0000),
            (24576, 0x5_9c00_0000, 0x6400_0000),
        ] {
            assert_eq!(split_vram(mib << 20), Some(Vram { framebuffer, reservation }), "{mib}");
        }
    }

    #[test]
    fn the_split_is_the_rule_in_signed_numbers_and_loses_no_byte() {
        for total in (VRAM_MIN..VRAM_MIN + 4096).chain((1 << 30) - 99..(1 << 30) + 99) {
            let signed = 0x800_0000 + (i128::from(total) - 0x4000_0000).div_euclid(16);
            let vram = split_vram(total).unwrap();
            assert_eq!(i128::from(vram.reservation), signed);
            assert_eq!(vram.framebuffer + vram.reservation, total);
        }
        assert_eq!(split_vram(VRAM_MIN - 1), None);
        assert!(split_vram(u64::MAX).is_some());
    }
}
