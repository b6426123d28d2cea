// SPDX-License-Identifier: GPL-2.0
//! UUIDs, their virtual machines, and the form that they have in NVIDIA's structures.

use vgpu_unlock::profile::Uuid;

use super::texts;
use crate::Target;

pub static TARGET: Target = Target {
    name: "uuids",
    run,
    seeds: || {
        texts(&[
            "2b7bc7e4-8784-4933-8613-9bc92bbc718c",
            "00000001-0000-0000-0000-000000000100",
            "FFFFFFFF-0000-0000-0000-999999999999",
            "0123456789abcdef",
        ])
    },
    words: || vec!["-", "00000000-0000-0000-0000-000000000100"],
    max_len: 40,
};

fn run(text: &[u8]) {
    if let Ok(guid) = <[u8; 16]>::try_from(text) {
        from_guid(guid);
    }
    let groups: Vec<&[u8]> = text.split(|&c| c == b'-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits = groups.iter().all(|group| group.iter().all(u8::is_ascii_hexdigit));
    let uuid = Uuid::parse(text);
    assert_eq!(uuid.is_some(), digits && lengths == [8, 4, 4, 4, 12]);
    if let Some(uuid) = uuid {
        let lower = String::from_utf8(text.to_ascii_lowercase()).expect("digits and dashes");
        assert_eq!(uuid.to_string(), lower);
        let vm = lower[9..].strip_prefix("0000-0000-0000-").and_then(|vm| vm.parse().ok());
        assert_eq!(uuid.vmid(), vm);
    }
}

/// A GUID's first three groups are turned round, which done twice is nothing.
fn from_guid(guid: [u8; 16]) {
    let mut turned = guid;
    turned[..4].reverse();
    turned[4..6].reverse();
    turned[6..8].reverse();
    assert_eq!(Uuid::from_guid(turned), Uuid::from_bytes(guid));
    assert_eq!(Uuid::from_guid(guid), Uuid::from_bytes(turned));
}
