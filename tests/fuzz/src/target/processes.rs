// SPDX-License-Identifier: GPL-2.0
//! Which vGPU a question is about: daemons and their children, in any order of births, starts and
//! questions, on a clock that stands still or goes on.

use vgpu_unlock::{
    params::{Gpus, Overrides},
    profile::Uuid,
    rm_control::{
        Call, Policy, Process, ProcessMemory, ProcessTable, command, edit, process::Start,
    },
};

use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "processes",
    run,
    seeds: || {
        vec![
            vec![0, 1, 9, 0, 1, 55, 1, 0, 5, 2, 55, 2, 1, 5, 1, 55, 3, 0, 5, 0, 56],
            (0..160).collect(),
        ]
    },
    words: Vec::new,
    max_len: 160,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut table = ProcessTable::EMPTY;
    let mut now = 100u64;
    while !input.is_empty() {
        now += u64::from(input.u8() % 16);
        let process =
            |number: u8| Process { number: (number % 64).into(), born: 90 + u64::from(number / 4) };
        let (own, parent) = (process(input.u8()), process(input.u8()));
        let memory = table.recall(own, parent, now).expect("there is always a place");
        is_sound(memory, now);
        let before: Vec<Start> = memory.starts().copied().collect();

        let (kind, vgpu_type) = (input.u8() % 3, input.u8());
        match kind {
            0 => {
                start(memory, input.u8(), vgpu_type);
                is_sound(memory, now);
                // One that is new is the last, and is what a question of its type is about.
                let last = memory.starts().last().copied().expect("one was just started");
                if !before.contains(&last) {
                    assert_eq!(last.at, now);
                    assert_eq!(memory.vgpu(last.vgpu_type.unwrap_or(7)), Some(last.uuid));
                }
            }
            1 => {
                let started = memory.vgpu(vgpu_type.into());
                let fits = |s: &&Start| s.vgpu_type.is_none_or(|t| t == u32::from(vgpu_type));
                assert_eq!(started, before.iter().rev().find(fits).map(|start| start.uuid));
            }
            _ => {
                // Asking again at once changes nothing: not even what is taken over.
                let again = table.recall(own, parent, now).expect("as before");
                assert!(again.starts().eq(before.iter()));
            }
        }
    }
}

/// What is remembered is in order, and nothing of it twice nor of the future.
fn is_sound(memory: &ProcessMemory, now: u64) {
    let starts: Vec<&Start> = memory.starts().collect();
    assert!(starts.len() <= 8);
    assert!(starts.is_sorted_by_key(|start| start.at));
    assert!(starts.iter().all(|start| start.at <= now));
    for (i, start) in starts.iter().enumerate() {
        assert!(!starts[..i].contains(start));
    }
}

/// As the driver tells `nvidia-vgpu-mgr`: of a vGPU with a type and a virtual machine, or without.
fn start(memory: &mut ProcessMemory, name: u8, vgpu_type: u8) {
    let mut params = [name; 1056];
    let (cmd, size) = if vgpu_type == 0 {
        params[24..28].fill(0);
        (command::VGPU_CREATE_DEVICE, 32)
    } else {
        let text = format!("vgpu_type_id={vgpu_type},");
        params[16..16 + text.len()].copy_from_slice(text.as_bytes());
        params[1040..1044].copy_from_slice(&u32::from(name / 8).to_le_bytes());
        (command::VGPU_GET_START_DATA, params.len())
    };
    let boards = Gpus::default();
    let policy = Policy {
        boards: &boards,
        migration: false,
        overrides: Overrides::default(),
        overrides_only: false,
    };
    let mut call = Call { cmd, status: command::NV_OK, params: &mut params[..size] };
    edit(&mut call, &policy, memory);
    let uuid = Uuid::from_guid([name; 16]);
    assert!(memory.starts().any(|start| start.uuid == uuid));
}
