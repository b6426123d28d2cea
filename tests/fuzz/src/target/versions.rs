// SPDX-License-Identifier: GPL-2.0
//! Driver versions, and the branch that one chooses.

use vgpu_unlock::driver::{branch, site::MAX_SITES, version::Version};

use super::texts;
use crate::Target;

pub static TARGET: Target = Target {
    name: "versions",
    run,
    seeds: || {
        texts(&["550.163.01", "535.98", "470.256.02", "525.60.13", "510.108.03", "418.226.00"])
    },
    words: || vec!["450.", "510.", "525.", "535.", "550.", ".01"],
    max_len: 24,
};

fn run(text: &[u8]) {
    let parts: Vec<&[u8]> = text.split(|&c| c == b'.').collect();
    let is_number =
        |part: &&[u8]| matches!(part.len(), 1..=4) && part.iter().all(u8::is_ascii_digit);
    let right = matches!(parts.len(), 2 | 3) && parts.iter().all(is_number);
    let version = Version::parse(text);
    assert_eq!(version.is_some(), right);
    let Some(version) = version else { return };

    let value = |part: &[u8]| String::from_utf8_lossy(part).parse::<u16>().ok();
    assert_eq!((Some(version.branch), Some(version.minor)), (value(parts[0]), value(parts[1])));
    let shown = version.to_string();
    assert_eq!(Version::parse(shown.as_bytes()), Some(version), "{shown}");

    let known = matches!(version.branch, 450..=510 | 525 | 535 | 550 | 555 | 570 | 580);
    let branch = branch::of(&version);
    assert_eq!(branch.is_some(), known);
    assert!(branch.is_none_or(|branch| branch.sites.len() <= MAX_SITES));
}
