// SPDX-License-Identifier: GPL-2.0
//! Text with escapes, against the same without a buffer's limits.

use vgpu_unlock::profile::{BadText, Text, text::MAX_TEXT};

use super::texts;
use crate::Target;

pub static TARGET: Target = Target {
    name: "texts",
    run,
    seeds: || {
        let mut seeds = texts(&["GRID P40-2Q", "My%20%22GPU%22 100%25", "%c3%A9é", "a%09b", "%f0"]);
        seeds.extend([vec![b'x'; MAX_TEXT - 1], b"%41".repeat(MAX_TEXT)]);
        seeds
    },
    words: || vec!["%25", "%00", "%c3%a9", "%"],
    max_len: 3 * MAX_TEXT + 8,
};

fn run(raw: &[u8]) {
    let decoded = Text::new(raw).decode();
    match (&decoded, reference(raw)) {
        (Ok(decoded), Ok(expected)) => {
            assert_eq!(decoded.as_str(), expected);
            assert!(expected.len() < MAX_TEXT && !expected.contains('\0'));
            let again = Text::new(super::escaped(&expected).as_bytes())
                .decode()
                .expect("every byte can be escaped");
            assert_eq!(again.as_str(), expected);
        }
        (Err(error), Err(expected)) => assert_eq!(*error, expected),
        (_, expected) => panic!("{decoded:?} instead of {expected:?}"),
    }
}

/// The first thing that is wrong, or the text.
fn reference(raw: &[u8]) -> Result<String, BadText> {
    let mut bytes = vec![];
    let mut at = 0;
    while at < raw.len() {
        let (byte, len) = match raw[at] {
            b'%' => {
                let digits = raw.get(at + 1..at + 3).ok_or(BadText::Escape(at))?;
                let hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
                let digits = std::str::from_utf8(digits).ok().filter(|_| hexadecimal);
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (byte.ok_or(BadText::Escape(at))?, 3)
            }
            c if c.is_ascii_control() => return Err(BadText::Control(at)),
            c => (c, 1),
        };
        if byte == 0 {
            return Err(BadText::Nul(at));
        }
        bytes.push(byte);
        if bytes.len() == MAX_TEXT {
            return Err(BadText::TooLong);
        }
        at += len;
    }
    String::from_utf8(bytes).map_err(|_| BadText::Utf8)
}
