// SPDX-License-Identifier: GPL-2.0
//! A planted bug, to see whether the fuzzer finds bugs.
//!
//! Six bytes and a number of 32 bits have to be right, each found out alone because the ones in
//! front are. By chance that is one input in 2^80; who sees coverage and comparisons needs seconds.

use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "selftest",
    run,
    seeds: || vec![b"nothing".to_vec()],
    words: Vec::new,
    max_len: 64,
};

/// What the bug says, for those who look whether it was this one that was found.
pub const PLANTED: &str = "the planted bug";

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    for expected in *b"unlock" {
        if input.u8() != expected {
            return;
        }
    }
    assert!(input.u32() != 0x10de_1b06, "{PLANTED}");
}
