// SPDX-License-Identifier: GPL-2.0
//! The screens that README.md shows: each block that begins with `$ vgpu-unlock …` is what that command
//! prints, on a host that is made up. `WRITE_SCREENS=1 cargo test -p vgpu-unlock-cli screens` writes
//! them anew.

use std::fs;

use structures::{OF_VGPU, Structure};
use vgpu_unlock::{
    driver::{acceptance::Acceptance, site::Proof, version::Version},
    gpu::{self, Address, Bound, Ids},
    params::Applied,
    profile::Uuid,
    rm_control::{Daemon, Effective, Told, ToldTable},
    status::{
        Answers, DriverState, Gpu, GpuState, Hook, HookState, Report, TablesState, Text, TypeFiles,
        Vgpu,
    },
};

use crate::{
    cmd,
    doctor::tests::hosts::{self, asked, healthy},
    status,
};

/// How a block begins, and how it ends.
const BEGIN: &str = "```\n$ vgpu-unlock ";
const END: &str = "```\n";

#[test]
fn screens_in_the_readme_are_made_by_a_run() {
    let path = crate::test_files().join("../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let anew = with_screens(&readme);
    if std::env::var_os("WRITE_SCREENS").is_some() {
        return fs::write(&path, &anew).unwrap();
    }
    assert!(anew == readme, "WRITE_SCREENS=1 cargo test -p vgpu-unlock-cli screens");
    assert_eq!(readme.matches(BEGIN).count(), 3);
}

#[test]
fn only_what_a_command_prints_is_written_anew() {
    let text = "a\n```\n$ vgpu-unlock doctor\nold\n```\nb\n```\n$ other\nc\n```\nd\n";
    let anew = with_screens(text);
    let screen = screen("doctor");
    assert_eq!(anew, text.replace("old\n", &screen));
    assert_eq!(with_screens(&anew), anew);
}

/// A document with its screens made anew.
fn with_screens(document: &str) -> String {
    let (mut anew, mut rest) = (String::new(), document);
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (line, shown) = block.split_once('\n').expect("a command is a line");
        anew += before;
        anew += &format!("{BEGIN}{line}\n{}{END}", screen(line));
        rest = shown.split_once(END).expect("a block ends").1;
    }
    anew + rest
}

/// What the command with these arguments prints.
fn screen(line: &str) -> String {
    match line.split_once(' ') {
        Some(("plan", arguments)) => cmd::plan::tests::screen(arguments),
        None if line == "doctor" => {
            // What people with such a board meet on 550, if they have done all else.
            let mut host = healthy();
            host.file(hosts::CONFIG, hosts::config(&["0x1E30", "0x1EB8"]));
            asked(&host, false).to_string()
        }
        None if line == "status" => {
            let mut host = healthy();
            host.file("/sys/kernel/debug/vgpu_unlock/status", module_says());
            status::text(&host.host()).unwrap()
        }
        _ => panic!("README.md shows `vgpu-unlock {line}`: say here on which host"),
    }
}

/// The module's status of a GTX 1080 Ti on 550 with one vGPU, whose name is overridden for VM 100.
fn module_says() -> String {
    let address = Address { domain: 0, bus: 1, slot: 0, function: 0 };
    let uuid = Uuid::parse(hosts::UUID.as_bytes()).unwrap();
    let (device, subsystem) = (0x1b06, 0x120f);
    let gpu = Gpu {
        address,
        device,
        subsystem,
        bound: Bound::Nvidia,
        functions: 0,
        answer: gpu::answer(Ids { device, subsystem }, Some(550)),
        state: GpuState::Unlocked,
        profiles_gone: true,
        types: Some(25),
        vgpus: 1,
    };
    let hook = |name, kind, hits| Hook { name, kind, state: HookState::Placed, hits, misses: 0 };
    let mut told = ToldTable::EMPTY;
    (0..52).for_each(|_| told.asked_by(Daemon::Vgpud));
    (0..6).for_each(|_| told.asked_by(Daemon::Manager));
    told.remember(Told {
        uuid,
        applied: Applied { by_vm: 1, ..Applied::default() },
        effective: Effective::of(OF_VGPU, &type_of_vgpu()),
    });
    let report = Report {
        module_version: env!("CARGO_PKG_VERSION"),
        driver_version: Version::parse(b"550.163.01"),
        driver: DriverState::Attached,
        proof: Some(Proof::Run),
        gpus: &[gpu],
        vgpus: &[Vgpu { gpu: address, uuid, vgpu_type: Some(46) }],
        hooks: &[
            hook("board check", "kprobe", 1),
            hook("second gate", "kprobe", 1),
            hook("nvidia_unlocked_ioctl", "kretprobe", 58),
        ],
        types: TypeFiles::Replaced { calls: 127, hidden: 0 },
        told: &told,
        acceptance: Some((0x1b38, Acceptance::Kept)),
        answers: Answers { seen: 58, changed: 31, ..Answers::default() },
        tables: TablesState::NotNeeded,
        gpu_list_count: 0,
        entries: 0,
        locate_us: 1700,
    };
    Text(&report).to_string()
}

/// What nvidia-vgpu-mgr is told of a vGPU of nvidia-46, as 550 has it, with another name.
fn type_of_vgpu() -> Vec<u8> {
    let structures = structures::all();
    let has_it = |it: &&Structure| it.cmd == OF_VGPU && it.name == "525";
    let structure = structures.iter().find(has_it).expect("550 has 525's");
    let mut params = vec![0; structure.size];
    let mut put = |field: &str, bytes: &[u8]| {
        let (at, _) = structure.place(field).unwrap_or_else(|| panic!("{field}"));
        params[at..][..bytes.len()].copy_from_slice(bytes);
    };
    for (field, text) in [("vgpuName", "My GPU"), ("vgpuClass", "Quadro")] {
        put(field, text.as_bytes());
    }
    for (field, number) in [
        ("vgpuType", 46u32),
        ("maxInstance", 24),
        ("numHeads", 4),
        ("maxResolutionX", 5120),
        ("maxResolutionY", 2880),
        ("maxPixels", 17_694_720),
        ("frlConfig", 60),
        ("cudaEnabled", 1),
        ("encoderCapacity", 100),
        ("frlEnable", 1),
    ] {
        put(field, &number.to_le_bytes());
    }
    for (field, bytes) in
        [("fbLength", 896 << 20), ("fbReservation", 128 << 20), ("bar1Length", 256u64)]
    {
        put(field, &bytes.to_le_bytes());
    }
    params
}
