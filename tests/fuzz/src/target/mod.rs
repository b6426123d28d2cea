// SPDX-License-Identifier: GPL-2.0
//! One file a concern.

pub mod answers;
pub mod entries;
pub mod fields;
pub mod gpus;
pub mod overrides;
pub mod processes;
pub mod selftest;
pub mod signature;
pub mod sizes;
pub mod switches;
pub mod tables;
pub mod texts;
pub mod types;
pub mod unlock;
pub mod uuids;
pub mod versions;
pub mod vgpud;

use std::fmt::Write;

/// A text of which every byte is an escape.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        // Writing into a string does not fail.
        let _ = write!(escaped, "%{byte:02x}");
        escaped
    })
}

/// Seeds that are text.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
