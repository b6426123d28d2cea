// SPDX-License-Identifier: GPL-2.0
//! Digits. `char::to_digit` would do, but can panic for a wrong radix.

/// The value of a hexadecimal digit of either case.
pub fn hex_digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => c.checked_sub(b'0'),
        b'a'..=b'f' => c.checked_sub(b'a' - 10),
        b'A'..=b'F' => c.checked_sub(b'A' - 10),
        _ => None,
    }
}

/// The byte of two hexadecimal digits.
pub fn hex_byte(high: u8, low: u8) -> Option<u8> {
    Some((hex_digit(high)? << 4) | hex_digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_the_digit_that_std_says() {
        for c in 0..=255u8 {
            let expected = char::from(c).to_digit(16).map(|d| u8::try_from(d).unwrap());
            assert_eq!(hex_digit(c), expected);
        }
        assert_eq!(hex_byte(b'f', b'F'), Some(255));
        assert_eq!(hex_byte(b'f', b'g'), None);
    }
}
