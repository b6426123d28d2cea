// SPDX-License-Identifier: GPL-2.0
//! Numbers and switches.

use super::scan::Scanner;
use super::ParseError;
use crate::logic::profile::parse_size;

/// Takes a decimal or `0x` hexadecimal number of at most `max`.
///
/// # Errors
/// `what`, `expected`, where there is no such number.
pub fn take_number(
    scan: &mut Scanner<'_>,
    max: u64,
    what: &'static str,
    expected: &'static str,
) -> Result<u64, ParseError> {
    let error = scan.error(what, expected);
    // A size without a unit is a number; a point or a unit ends the number here.
    let digits = scan.take_while(|c| c.is_ascii_alphanumeric() || c == b'.');
    match parse_size(digits) {
        Ok(number) if number <= max && is_plain(digits) => Ok(number),
        _ => Err(error),
    }
}

/// Whether these digits are a number as such, and not one with a unit.
fn is_plain(digits: &[u8]) -> bool {
    digits.starts_with(b"0x") || digits.iter().all(u8::is_ascii_digit)
}

/// Takes the number of a switch.
///
/// # Errors
/// It is neither 0 nor 1.
pub fn take_switch(scan: &mut Scanner<'_>, what: &'static str) -> Result<bool, ParseError> {
    let error = scan.error(what, "0 or 1");
    match scan.take_while(|c| c.is_ascii_alphanumeric()) {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(error),
    }
}
