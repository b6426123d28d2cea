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
pub mod unlock;
pub mod uuids;
pub mod versions;

/// Seeds that are text.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
