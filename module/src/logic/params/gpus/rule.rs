// SPDX-License-Identifier: GPL-2.0
//! The grammar of `gpus`: rules, each for a board, or for all of a kind.

use crate::logic::gpu::{Address, Ids, NVIDIA_VENDOR};
use crate::logic::params::error::ParseError;
use crate::logic::params::scan::Scanner;
use crate::logic::profile::hex_digit;

/// What a rule says about a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The board is left alone.
    Off,
    /// What the built-in table says; useful to except one board from a rule for many.
    Auto,
    /// The board is answered with this PCI device ID, and this subsystem ID if there is one.
    As(u16, Option<u16>),
}

/// The board that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// The one at this place.
    At(Address),
    /// All with this PCI device ID, or of those the ones with this subsystem ID.
    Device(u16, Option<u16>),
    /// All of them.
    Any,
}

impl Board {
    /// How closely the rule describes a board; `None` where it is not for it.
    pub fn rank(&self, ids: Ids, address: Option<Address>) -> Option<u8> {
        match *self {
            Board::At(at) => (address == Some(at)).then_some(4),
            Board::Device(device, Some(subsystem)) => {
                (Ids { device, subsystem } == ids).then_some(3)
            }
            Board::Device(device, None) => (device == ids.device).then_some(2),
            Board::Any => Some(1),
        }
    }
}

/// The rules of a text with their offsets; ends with the first error.
pub struct Rules<'a> {
    scan: Scanner<'a>,
    failed: bool,
}

const EXPECTED_BOARD: &str = "a board: 10de:1b06, 1b06, 10de:1b06:11a0, 0000:01:00.0 or any";
const EXPECTED_ANSWER: &str = "off, auto, or a device ID such as 1b38 or 1e30:12ba";

impl<'a> Rules<'a> {
    /// Reads from the start.
    pub fn new(text: &'a [u8]) -> Self {
        let mut scan = Scanner::new(text);
        scan.skip_space();
        Self { scan, failed: false }
    }

    fn rule(&mut self) -> Result<(usize, Board, Rule), ParseError> {
        let at = self.scan.at();
        let error = self.scan.error("gpus", EXPECTED_BOARD);
        let board = self.scan.take_while(|c| c.is_ascii_alphanumeric() || b":.".contains(&c));
        let board = board_of(board).ok_or(error)?;
        self.scan.skip_space();
        if !self.scan.eat(b"=") {
            return Err(self.scan.error("gpus", "= behind the board"));
        }
        self.scan.skip_space();
        let error = self.scan.error("gpus", EXPECTED_ANSWER);
        let answer = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == b':');
        let rule = rule_of(answer).ok_or(error)?;
        self.scan.skip_space();
        if !self.scan.is_at_end() && !self.scan.eat(b",") {
            return Err(self.scan.error("gpus", ", or the end"));
        }
        self.scan.skip_space();
        Ok((at, board, rule))
    }
}

impl Iterator for Rules<'_> {
    type Item = Result<(usize, Board, Rule), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.scan.is_at_end() {
            return None;
        }
        let rule = self.rule();
        self.failed = rule.is_err();
        Some(rule)
    }
}

fn board_of(text: &[u8]) -> Option<Board> {
    if text == b"any" {
        return Some(Board::Any);
    }
    let mut parts = text.split(|&c| c == b':');
    let (first, second, third) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    if text.contains(&b'.') {
        // [domain:]bus:slot.function
        let (domain, bus, place) = match third {
            Some(place) => (hex(first, 8)?, second?, place),
            None => (0, first, second?),
        };
        let mut place = place.split(|&c| c == b'.');
        let (slot, function) = (hex(place.next()?, 2)?, hex(place.next()?, 1)?);
        if place.next().is_some() || slot > 31 || function > 7 {
            return None;
        }
        return Some(Board::At(Address {
            domain,
            bus: u8::try_from(hex(bus, 2)?).ok()?,
            slot: u8::try_from(slot).ok()?,
            function: u8::try_from(function).ok()?,
        }));
    }
    match (id(first)?, second, third) {
        (device, None, _) => Some(Board::Device(device, None)),
        (NVIDIA_VENDOR, Some(device), None) => Some(Board::Device(id(device)?, None)),
        (NVIDIA_VENDOR, Some(device), Some(subsystem)) => {
            Some(Board::Device(id(device)?, Some(id(subsystem)?)))
        }
        _ => None,
    }
}

fn rule_of(text: &[u8]) -> Option<Rule> {
    match text {
        b"off" => return Some(Rule::Off),
        b"auto" => return Some(Rule::Auto),
        _ => {}
    }
    let mut parts = text.split(|&c| c == b':');
    let device = id(parts.next()?)?;
    let subsystem = match parts.next() {
        Some(part) => Some(id(part)?),
        None => None,
    };
    match parts.next() {
        None => Some(Rule::As(device, subsystem)),
        Some(_) => None,
    }
}

/// A PCI ID: four hexadecimal digits, as `lspci -nn` prints them, or the same behind `0x`.
fn id(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    if digits.len() != 4 {
        return None;
    }
    u16::try_from(hex(digits, 4)?).ok()
}

/// A hexadecimal number of one to `most` digits.
fn hex(digits: &[u8], most: usize) -> Option<u32> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits
        .iter()
        .try_fold(0u32, |number, &c| Some(number.checked_shl(4)? | u32::from(hex_digit(c)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::params::Gpus;

    #[test]
    fn every_error_has_its_place() {
        for (text, at, expected) in [
            (",", 0, EXPECTED_BOARD),
            ("=1b38", 0, EXPECTED_BOARD),
            ("1b6=1b38", 0, EXPECTED_BOARD),
            ("1b06:1b07=1b38", 0, EXPECTED_BOARD),
            ("1002:1b06=1b38", 0, EXPECTED_BOARD),
            ("10de:1b06:11a0:1=1b38", 0, EXPECTED_BOARD),
            ("0000:01:20.0=off", 0, EXPECTED_BOARD),
            ("0000:01:00.8=off", 0, EXPECTED_BOARD),
            ("0000:01:00.0.0=off", 0, EXPECTED_BOARD),
            ("0000:100:00.0=off", 0, EXPECTED_BOARD),
            ("000000000:01:00.0=off", 0, EXPECTED_BOARD),
            ("0000:01:000.0=off", 0, EXPECTED_BOARD),
            ("0000:01:00.00=off", 0, EXPECTED_BOARD),
            (":01:00.0=off", 0, EXPECTED_BOARD),
            ("01:00.=off", 0, EXPECTED_BOARD),
            ("01:.0=off", 0, EXPECTED_BOARD),
            ("00.0=off", 0, EXPECTED_BOARD),
            ("Any=off", 0, EXPECTED_BOARD),
            ("any:1b06=off", 0, EXPECTED_BOARD),
            ("any=off,any=auto", 8, "one rule a board"),
            ("1b06", 4, "= behind the board"),
            ("1b06 1b38", 5, "= behind the board"),
            ("1b06=", 5, EXPECTED_ANSWER),
            ("1b06=Off", 5, EXPECTED_ANSWER),
            ("1b06=1b3", 5, EXPECTED_ANSWER),
            ("1b06=1b38:", 5, EXPECTED_ANSWER),
            ("1b06=1b38:11a0:1", 5, EXPECTED_ANSWER),
            ("1b06=1b38;1b07=off", 9, ", or the end"),
            ("1b06=off,1b07=auto,10de:1b06=1b38", 19, "one rule a board"),
            ("01:00.0=off,0000:01:00.0=off", 12, "one rule a board"),
        ] {
            let error = ParseError { at, what: "gpus", expected };
            assert_eq!(Gpus::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
