// SPDX-License-Identifier: GPL-2.0
//! `enabled`, `migration` and `verbosity`: one digit, and white space around it.

use vgpu_unlock::params::{Verbosity, parse_switch, parse_verbosity};

use super::texts;
use crate::Target;

pub static TARGET: Target = Target {
    name: "switches",
    run,
    seeds: || texts(&["0", "1\n", " 2", "0x1", "01", "1 0", "1kB", ""]),
    words: Vec::new,
    max_len: 32,
};

fn run(text: &[u8]) {
    let expected = match text.trim_ascii() {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    };
    match parse_switch("enabled", text) {
        Ok(on) => assert_eq!(Some(on), expected),
        Err(error) => {
            assert_eq!(expected, None);
            assert!(error.at <= text.len() && error.what == "enabled");
        }
    }
    match parse_verbosity(text) {
        Ok(verbosity) => {
            let step = number(text.trim_ascii()).expect("a number was read");
            let steps = [Verbosity::Quiet, Verbosity::Normal, Verbosity::Detailed];
            assert_eq!(steps.get(step), Some(&verbosity));
        }
        Err(error) => {
            assert!(number(text.trim_ascii()).is_none_or(|step| step > 2));
            assert!(error.at <= text.len() && error.what == "verbosity");
        }
    }
}

/// The grammar's `number`, as far as it matters here.
fn number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let all = !digits.is_empty() && digits.bytes().all(|c| char::from(c).is_digit(radix));
    // What is too large for the number is too large for the parameter.
    all.then(|| usize::from_str_radix(digits, radix).unwrap_or(usize::MAX))
}
