// SPDX-License-Identifier: GPL-2.0
//! The parameters that are a single number.

use super::number::{take_number, take_switch};
use super::scan::Scanner;
use super::ParseError;

/// How much is written to the kernel's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only what went wrong.
    Quiet,
    /// Also what was attached, unlocked and refused.
    #[default]
    Normal,
    /// Also every answer that was changed.
    Detailed,
}

/// Reads a parameter that is on or off: `0` or `1`. `name` is the parameter's.
///
/// # Errors
/// It is neither.
pub fn parse_switch(name: &'static str, text: &[u8]) -> Result<bool, ParseError> {
    alone(text, name, |scan| take_switch(scan, name))
}

/// Reads `verbosity`: `0`, `1` or `2`.
///
/// # Errors
/// It is none of them.
pub fn parse_verbosity(text: &[u8]) -> Result<Verbosity, ParseError> {
    alone(text, "verbosity", |scan| {
        Ok(match take_number(scan, 2, "verbosity", "0, 1 or 2")? {
            0 => Verbosity::Quiet,
            1 => Verbosity::Normal,
            _ => Verbosity::Detailed,
        })
    })
}

/// Reads a text in which `value` stands alone, but for white space: `echo` ends a line.
fn alone<'a, T>(
    text: &'a [u8],
    name: &'static str,
    value: impl FnOnce(&mut Scanner<'a>) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    let mut scan = Scanner::new(text);
    scan.skip_space();
    let value = value(&mut scan)?;
    scan.skip_space();
    if scan.is_at_end() {
        Ok(value)
    } else {
        Err(scan.error(name, "nothing more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_0_or_1() {
        assert_eq!(parse_switch("enabled", b"0"), Ok(false));
        assert_eq!(parse_switch("enabled", b" 1\n"), Ok(true));
        for (text, at, expected) in [
            ("", 0, "0 or 1"),
            ("\n", 1, "0 or 1"),
            ("2", 0, "0 or 1"),
            ("10", 0, "0 or 1"),
            ("true", 0, "0 or 1"),
            ("Y", 0, "0 or 1"),
            ("1 0", 2, "nothing more"),
        ] {
            let error = ParseError { at, what: "migration", expected };
            assert_eq!(parse_switch("migration", text.as_bytes()), Err(error), "{text:?}");
        }
    }

    #[test]
    fn verbosity_has_three_steps() {
        assert_eq!(parse_verbosity(b"0"), Ok(Verbosity::Quiet));
        assert_eq!(parse_verbosity(b"1\n"), Ok(Verbosity::Normal));
        assert_eq!(parse_verbosity(b"2"), Ok(Verbosity::Detailed));
        assert!(Verbosity::Quiet < Verbosity::Normal && Verbosity::Normal < Verbosity::Detailed);
        for (text, at, expected) in [
            ("", 0, "0, 1 or 2"),
            ("3", 0, "0, 1 or 2"),
            ("1kB", 0, "0, 1 or 2"),
            ("1;", 1, "nothing more"),
        ] {
            let error = ParseError { at, what: "verbosity", expected };
            assert_eq!(parse_verbosity(text.as_bytes()), Err(error), "{text:?}");
        }
    }
}
