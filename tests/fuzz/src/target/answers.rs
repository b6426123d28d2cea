// SPDX-License-Identifier: GPL-2.0
//! `rm_control::edit`: any command, status, length and bytes, under any policy. Nothing is changed
//! but what the verdict names, and of a vGPU type nothing but the fields that are overridden.

use std::ops::Range;

use vgpu_unlock::{
    gpu::Ids,
    host::MAX_PARAMS,
    host::ReadOverrides,
    params::{Gpus, Which},
    profile::{Field, Key, Value},
    rm_control::{
        Call, Edited, Policy, ProcessMemory, Shown, Verdict, command, edit, fields, interest,
        layout,
    },
};

use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "answers",
    run,
    seeds,
    words: || {
        let mut words: Vec<_> = Key::ALL.into_iter().map(Key::name).collect();
        words.extend(["nvidia-55:", "vm/100:", "vgpu_type_id=55", "1b06=1e30:12ba"]);
        words
    },
    max_len: 768,
};

pub const COMMANDS: [u32; 11] = [
    command::VGPU_GET_START_DATA,
    command::VGPU_CREATE_DEVICE,
    command::GPU_GET_VIRTUALIZATION_MODE,
    command::BUS_GET_PCI_INFO,
    command::GPU_GET_INFOROM_OBJECT_VERSION,
    command::GET_ZBC_CLEAR_TABLE,
    command::VGPU_CONFIG_GET_VGPU_TYPE_INFO,
    command::VGPU_CONFIG_GET_MIGRATION_CAP,
    command::HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO,
    command::HOST_VGPU_DEVICE_0104,
    0xc03,
];

/// Every length that any command knows, and some that none does.
pub const SIZES: [usize; 20] = [
    0, 1, 3, 4, 8, 15, 16, 32, 40, 1056, 1840, 1848, 1872, 2328, 4536, 4960, 5096, 5232, 5424, 5432,
];

const STATUSES: [u32; 6] = [
    command::NV_OK,
    command::NV_ERR_BUSY_RETRY,
    command::NV_ERR_NOT_SUPPORTED,
    command::NV_ERR_OBJECT_NOT_FOUND,
    1,
    u32::MAX,
];

fn seeds() -> Vec<Vec<u8>> {
    let policy = b"1b06=1e30:12ba\nnvidia-55:vram=4GiB,card_name=x;vm/100:num_displays=1,\
        adapter_name=%c3%a9\n\x01";
    let mut seeds = vec![];
    for (cmd, name) in (0u8..).zip(COMMANDS) {
        let size = interest(name).map_or(3, |interest| {
            SIZES.iter().position(|&size| size > 0 && interest.knows(size)).unwrap_or(0)
        });
        // A vGPU starts, then the command is asked: choices of command, status, size, and patches.
        let mut seed = policy.to_vec();
        seed.extend([1, 0, 7, 0, 2, 11, 0, 3, 1, 24, 0, 1, 55]);
        seed.extend([cmd, 0, u8::try_from(size).unwrap_or(0), 0xff, 1, 0, 0, 1, 55]);
        seeds.push(seed);
    }
    // One field is set for the type and for the virtual machine.
    seeds.push(b"\nnvidia-0:adapter_name=d;vm/0:adapter_name=0\nn\0\x001\0\x8a\x8a\x8a".to_vec());
    seeds
}

/// Bytes that stand everywhere, but for a few places that have others.
pub fn params(input: &mut Input<'_>) -> Vec<u8> {
    let size = match input.u8() {
        0xff => usize::from(input.u16()) % (MAX_PARAMS + 2),
        choice => SIZES[usize::from(choice) % SIZES.len()],
    };
    let mut bytes = vec![input.u8(); size];
    for _ in 0..input.u8() % 8 {
        let at = usize::from(input.u16()).min(size);
        let len = usize::from(input.u8() % 64);
        let patch = input.bytes(len);
        let len = patch.len().min(size - at);
        bytes[at..at + len].copy_from_slice(&patch[..len]);
    }
    bytes
}

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let boards = Gpus::parse(input.line()).unwrap_or_default();
    let read = ReadOverrides::parse(input.line()).unwrap_or_default();
    let overrides = read.view();
    let switches = input.u8();
    let (migration, overrides_only) = (switches & 1 == 1, switches & 2 == 2);
    let policy = Policy { boards: &boards, migration, overrides, overrides_only };
    let mut memory = ProcessMemory::new();
    for now in 0..8 {
        if input.is_empty() {
            break;
        }
        memory.set_time(now);
        let cmd = input.choose(&COMMANDS);
        let status = input.choose(&STATUSES);
        one_call(cmd, status, &params(&mut input), &policy, &mut memory);
    }
}

/// What overrides need.
const OF_VGPUS: [u32; 4] = [
    command::VGPU_GET_START_DATA,
    command::VGPU_CREATE_DEVICE,
    command::VGPU_CONFIG_GET_VGPU_TYPE_INFO,
    command::HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO,
];

fn one_call(cmd: u32, status: u32, before: &[u8], policy: &Policy<'_>, memory: &mut ProcessMemory) {
    let known = *memory;
    let mut after = before.to_vec();
    let mut call = Call { cmd, status, params: &mut after };
    let verdict = edit(&mut call, policy, memory);
    let now = call.status;
    let changed = changed(before, &after);
    let (said_status, said) = match &verdict {
        Verdict::Edited(Edited { status, params }) => (*status, params.clone()),
        Verdict::Untouched | Verdict::UnknownSize => (false, 0..0),
    };
    assert_eq!(said_status, now != status, "the status that is written back is another");
    assert_eq!(said.is_empty(), changed.is_empty());
    assert!(said.is_empty() || said == changed, "{said:?} instead of {changed:?}");
    assert!(said_status || !said.is_empty() || !matches!(verdict, Verdict::Edited(_)));

    let Some(interest) = interest(cmd) else { return assert_eq!(verdict, Verdict::Untouched) };
    if status == command::NV_ERR_BUSY_RETRY || (policy.overrides_only && !OF_VGPUS.contains(&cmd)) {
        return assert_eq!(verdict, Verdict::Untouched);
    }
    if said_status {
        assert!(status != command::NV_OK && changed.is_empty());
        assert!(matches!(now, command::NV_OK | command::NV_ERR_OBJECT_NOT_FOUND));
    }
    if !interest.knows(before.len()) {
        assert!(matches!(verdict, Verdict::UnknownSize | Verdict::Untouched));
        assert!(status != command::NV_OK || verdict == Verdict::UnknownSize);
        return;
    }
    assert!(interest.max_params == 0 || before.len() <= interest.max_params);
    assert_ne!(verdict, Verdict::UnknownSize);
    match cmd {
        _ if status != command::NV_OK && cmd != command::GPU_GET_VIRTUALIZATION_MODE => {
            assert!(changed.is_empty());
        }
        command::GPU_GET_VIRTUALIZATION_MODE => {
            assert_eq!(after[..4], command::VIRTUALIZATION_MODE_HOST_VGPU.to_le_bytes());
            assert_eq!(after[4..], before[4..]);
        }
        command::BUS_GET_PCI_INFO => pci_info(before, &after, policy),
        command::VGPU_CONFIG_GET_MIGRATION_CAP => {
            assert_eq!(after[0], if policy.migration { 1 } else { before[0] });
        }
        _ if layout::of(cmd, before.len()).is_some() => {
            type_info(cmd, before, &after, policy, &known);
        }
        _ => assert!(changed.is_empty()),
    }
}

/// From the first to the last byte that is another.
fn changed(before: &[u8], after: &[u8]) -> Range<usize> {
    assert_eq!(before.len(), after.len());
    let mut places = (0..before.len()).filter(|&at| before[at] != after[at]);
    let first = places.next();
    let last = places.next_back().or(first);
    first.zip(last).map_or(0..0, |(first, last)| first..last + 1)
}

fn pci_info(before: &[u8], after: &[u8], policy: &Policy<'_>) {
    let id = |bytes: &[u8], at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let mut expected = before.to_vec();
    let ids = Ids { device: id(before, 2), subsystem: id(before, 6) };
    if let Some(answer) = policy.boards.answer(ids) {
        expected[2..4].copy_from_slice(&answer.device.to_le_bytes());
        expected[6..8].copy_from_slice(&answer.subsystem.to_le_bytes());
    }
    assert_eq!(after, expected);
}

fn type_info(cmd: u32, before: &[u8], after: &[u8], policy: &Policy<'_>, known: &ProcessMemory) {
    let layout = layout::of(cmd, before.len()).expect("asked before");
    let number = |bytes: &[u8]| match fields(cmd, bytes).find(|(f, _)| *f == Field::VgpuType) {
        Some((_, Shown::Number(number))) => u32::try_from(number).expect("four bytes"),
        other => panic!("a type without a number: {other:?}"),
    };
    let vgpu_type = number(before);
    let which = Which { vgpu_type, mdev: known.vgpu(vgpu_type) };
    let keys: Vec<Key> = policy.overrides.matching(which).map(|(_, key, _)| key).collect();
    let mut allowed = vec![];
    for key in &keys {
        allowed.extend(key.field().and_then(|field| layout.place(field)));
        let more: &[Field] = match key {
            Key::Vram => &[Field::FbLength, Field::FbReservation],
            Key::AdapterName => &[Field::AdapterNameUnicode],
            _ => &[],
        };
        allowed.extend(more.iter().filter_map(|field| layout.place(*field)));
    }
    for at in (0..before.len()).filter(|&at| before[at] != after[at]) {
        let inside = allowed.iter().any(|&(offset, len)| (offset..offset + len).contains(&at));
        assert!(inside, "byte {at} belongs to no field that is overridden");
    }

    for key in keys.iter().filter(|_| !keys.contains(&Key::Vram)) {
        let field = key.field().filter(|field| layout.place(*field).is_some());
        let shown = fields(cmd, after).find(|(shown, _)| Some(*shown) == field);
        let Some((_, shown)) = shown else { continue };
        match (shown, policy.overrides.value(which, *key)) {
            (Shown::Number(shown), Some(Value::Number(number))) => assert_eq!(shown, number),
            // A text that is too long for this layout leaves what was there.
            (Shown::Text(shown), Some(Value::Text(text))) => {
                let decoded = text.decode().expect("it was read");
                let (_, len) = field.and_then(|field| layout.place(field)).expect("shown");
                let fits = decoded.as_str().len() < len;
                assert!(!fits || shown == decoded.as_str().as_bytes());
            }
            other => panic!("{other:?}"),
        }
    }
    if number(after) == vgpu_type {
        // Asked again, it is right already.
        let mut again = after.to_vec();
        let mut memory = *known;
        let mut call = Call { cmd, status: command::NV_OK, params: &mut again };
        assert_eq!(edit(&mut call, policy, &mut memory), Verdict::Untouched);
    }
}
