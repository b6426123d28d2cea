// SPDX-License-Identifier: GPL-2.0
//! Answers to RM control calls: what is asked for changes, byte by byte, and nothing else.
#![allow(missing_docs, reason = "a test")]

mod overrides;
mod properties;

use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::Gpus;
use vgpu_unlock::profile::Uuid;
use vgpu_unlock::rm_control::{edit, Call, Edited, Policy, ProcessMemory, Verdict};

const START_DATA: u32 = 0xc01;
const CREATE_DEVICE: u32 = 0xc02;
const MODE: u32 = 0x80_0289;
const PCI_INFO: u32 = 0x2080_1801;
const TYPE_BY_NUMBER: u32 = 0xa081_0103;
const MIGRATION: u32 = 0xa081_0112;

fn read(overrides: &str) -> ReadOverrides {
    ReadOverrides::parse(overrides.as_bytes()).unwrap_or_else(|e| panic!("{overrides}: {e}"))
}

fn policy<'a>(gpus: &'a Gpus<'a>, migration: bool, overrides: &'a ReadOverrides) -> Policy<'a> {
    Policy { boards: gpus, migration, overrides: overrides.view(), overrides_only: false }
}

/// Edits a call; the verdict and the status afterwards.
fn answer(
    cmd: u32,
    status: u32,
    params: &mut [u8],
    policy: &Policy<'_>,
    process: &mut ProcessMemory,
) -> (Verdict, u32) {
    let mut call = Call { cmd, status, params };
    let verdict = edit(&mut call, policy, process);
    (verdict, call.status)
}

fn params_only(range: core::ops::Range<usize>) -> Verdict {
    Verdict::Edited(Edited { status: false, params: range })
}

fn pci_info(device: u16, subsystem: u16) -> [u8; 16] {
    let mut bytes = [0xee; 16];
    bytes[0..2].copy_from_slice(&0x10de_u16.to_le_bytes());
    bytes[2..4].copy_from_slice(&device.to_le_bytes());
    bytes[4..6].copy_from_slice(&0x1043_u16.to_le_bytes());
    bytes[6..8].copy_from_slice(&subsystem.to_le_bytes());
    bytes
}

#[test]
fn where_only_overrides_work_nothing_else_is_answered() {
    let gpus = Gpus::parse(b"any=1e30").unwrap();
    let overrides = read("nvidia-46:max_instances=3");
    let whole = policy(&gpus, true, &overrides);
    let only = Policy { overrides_only: true, ..whole };
    let mut type_info = vec![0; 5096];
    type_info[8] = 46;
    for (cmd, status, params) in [
        (PCI_INFO, 0, pci_info(0x1b06, 0x85e4).to_vec()),
        (MODE, 0x56, vec![0; 4]),
        (MIGRATION, 0, vec![0]),
        (0xa082_0104, 0x56, vec![]),
        (0x9096_0103, 0x31, vec![]),
        (0x2080_014b, 0x56, vec![0; 5]),
        (TYPE_BY_NUMBER, 0, type_info),
    ] {
        let overridden = cmd == TYPE_BY_NUMBER;
        for (policy, changes) in [(&whole, true), (&only, overridden)] {
            let mut answered = params.clone();
            let (verdict, after) =
                answer(cmd, status, &mut answered, policy, &mut ProcessMemory::new());
            assert_eq!(matches!(verdict, Verdict::Edited(_)), changes, "{cmd:#x}");
            assert_eq!(answered != params || after != status, changes, "{cmd:#x}");
        }
    }
    // A vGPU's own overrides work, too: which one is started is read.
    let overrides = read("mdev/00000001-0000-0000-0000-000000000100:max_instances=3");
    let mine = Policy { overrides_only: true, ..policy(&gpus, false, &overrides) };
    let mut process = ProcessMemory::new();
    let mut started = vec![0; 40];
    started[..16].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    started[24] = 46;
    assert_eq!(answer(CREATE_DEVICE, 0, &mut started, &mine, &mut process).0, Verdict::Untouched);
    let mut info = vec![0; 5096];
    info[8] = 46;
    let (verdict, _) = answer(TYPE_BY_NUMBER, 0, &mut info, &mine, &mut process);
    assert!(matches!(verdict, Verdict::Edited(_)));
}

#[test]
fn boards_are_answered_as_their_siblings() {
    let rules = Gpus::parse(b"1b07=off,1b02=13f2:1234,0000:01:00.0=off").unwrap();
    for (own, answered, range) in [
        ((0x1b06, 0x85e4), (0x1b38, 0x85e4), 2..3), // by the table, subsystem kept
        ((0x1e04, 0x85e4), (0x1e30, 0x12ba), 2..8), // with the table's subsystem
        ((0x1b02, 0x85e4), (0x13f2, 0x1234), 2..8), // by a rule
        ((0x1b07, 0x85e4), (0x1b07, 0x85e4), 0..0), // switched off
        ((0x1b38, 0x11d9), (0x1b38, 0x11d9), 0..0), // listed
        ((0x2684, 0x85e4), (0x2684, 0x85e4), 0..0), // unknown
    ] {
        let mut bytes = pci_info(own.0, own.1);
        let overrides = read("");
        let policy = policy(&rules, false, &overrides);
        let (verdict, status) = answer(PCI_INFO, 0, &mut bytes, &policy, &mut ProcessMemory::new());
        assert_eq!(bytes, pci_info(answered.0, answered.1), "{own:x?}");
        let expected = if range.is_empty() { Verdict::Untouched } else { params_only(range) };
        assert_eq!((verdict, status), (expected, 0), "{own:x?}");
    }
}

#[test]
fn the_mode_is_always_that_of_a_vgpu_host() {
    let gpus = Gpus::default();
    for (status, size) in [(0, 4), (0, 8), (0x56, 4), (0x1f, 8)] {
        let mut bytes = vec![0xee; size];
        let result = answer(
            MODE,
            status,
            &mut bytes,
            &policy(&gpus, false, &read("")),
            &mut Default::default(),
        );
        assert_eq!(result, (params_only(0..4), status));
        assert_eq!(bytes[..4], [3, 0, 0, 0]);
        assert!(bytes[4..].iter().all(|&b| b == 0xee));
    }
}

#[test]
fn migration_is_unlocked_only_on_demand() {
    let gpus = Gpus::default();
    for (unlock, status, expected) in [(true, 0, 1), (false, 0, 0), (true, 0x56, 0)] {
        let mut bytes = [0];
        let overrides = read("");
        let policy = policy(&gpus, unlock, &overrides);
        answer(MIGRATION, status, &mut bytes, &policy, &mut Default::default());
        assert_eq!(bytes, [expected]);
    }
}

#[test]
fn errors_that_do_no_harm_are_hidden() {
    let gpus = Gpus::default();
    for (cmd, status, expected) in [
        (0xa082_0104, 0x56, 0),
        (0xa082_0104, 1, 0),
        (0xa082_0104, 0, 0),
        (0x9096_0103, 0x56, 0),
        (0x2080_014b, 0x56, 0x57),
        (0x2080_014b, 0x1f, 0x1f),
        (0x2080_014b, 0, 0),
        (MIGRATION, 0x56, 0x56),
        (PCI_INFO, 0x1f, 0x1f),
        (0xc03, 0x56, 0x56),
    ] {
        let mut bytes = pci_info(0x1b06, 1);
        let result = answer(
            cmd,
            status,
            &mut bytes,
            &policy(&gpus, true, &read("")),
            &mut Default::default(),
        );
        let verdict = match status == expected {
            true => Verdict::Untouched,
            false => Verdict::Edited(Edited { status: true, params: 0..0 }),
        };
        assert_eq!(result, (verdict, expected), "{cmd:x} {status:x}");
        assert_eq!(bytes, pci_info(0x1b06, 1));
    }
}

#[test]
fn an_answer_that_is_to_be_asked_for_again_is_left_alone() {
    let gpus = Gpus::default();
    for cmd in [MODE, PCI_INFO, MIGRATION, 0xa082_0104, 0x9096_0103, 0x2080_014b, START_DATA] {
        for size in [0, 1, 4, 8, 16, 1056] {
            let mut bytes = vec![0xee; size];
            let result = answer(
                cmd,
                3,
                &mut bytes,
                &policy(&gpus, true, &read("")),
                &mut Default::default(),
            );
            assert_eq!(result, (Verdict::Untouched, 3));
            assert!(bytes.iter().all(|&b| b == 0xee));
        }
    }
}

/// The UUID 00000000-0000-0000-0000-000000000NNN.
fn proxmox(vmid: &str) -> Uuid {
    Uuid::parse(format!("00000000-0000-0000-0000-{vmid:0>12}").as_bytes()).unwrap()
}

/// 01020304-0506-0708-090a-0b0c0d0e0f10 as the driver writes it.
const GUID: [u8; 16] = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16];
const UUID: &str = "01020304-0506-0708-090a-0b0c0d0e0f10";

#[test]
fn vgpus_are_remembered_as_they_start() {
    let gpus = Gpus::default();
    let uuid = Uuid::parse(UUID.as_bytes()).unwrap();
    let mut start = vec![0; 1056];
    start[..16].copy_from_slice(&GUID);
    start[16..31].copy_from_slice(b"vgpu_type_id=55");
    start[1040..1044].copy_from_slice(&4711u32.to_le_bytes());
    let mut create = vec![0; 40];
    create[..16].copy_from_slice(&GUID);
    create[24..28].copy_from_slice(&55u32.to_le_bytes());
    for (cmd, mut bytes, vm) in [
        (START_DATA, start, Some(4711)),
        (CREATE_DEVICE, create[..32].to_vec(), None),
        (CREATE_DEVICE, create, None),
    ] {
        let mut process = ProcessMemory::new();
        let overrides = read("");
        let policy = policy(&gpus, true, &overrides);
        let failed = answer(cmd, 0x56, &mut bytes, &policy, &mut process);
        assert_eq!(failed, (Verdict::Untouched, 0x56));
        assert_eq!(process.starts().count(), 0);
        let before = bytes.clone();
        assert_eq!(answer(cmd, 0, &mut bytes, &policy, &mut process), (Verdict::Untouched, 0));
        assert_eq!(bytes, before);
        let start = *process.starts().next().unwrap();
        assert_eq!((start.uuid, start.vgpu_type, start.vm), (uuid, Some(55), vm));
        let size = bytes.len();
        let odd = answer(cmd, 0, &mut bytes[..size - 1], &policy, &mut process);
        assert_eq!(odd, (Verdict::UnknownSize, 0));
    }
}
