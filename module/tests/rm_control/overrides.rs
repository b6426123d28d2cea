// SPDX-License-Identifier: GPL-2.0
//! Overrides on whole structures. What is expected is written from the documented meaning of
//! `profile_override.toml` (names, types and precedence as DESIGN 2.4 has them).

use vgpu_unlock::params::Gpus;
use vgpu_unlock::profile::{Key, Skipped};
use vgpu_unlock::rm_control::{fields, ProcessMemory, Shown, Verdict};

use super::{answer, policy, proxmox, read, CREATE_DEVICE};
use structures::{Structure, OF_VGPU};

/// What must stand in a field of C's declaration.
#[derive(Clone, Copy, Debug)]
enum Expect {
    N(u64),
    S(&'static str),
    /// UTF-16.
    U(&'static str),
}
use Expect::{N, S, U};

type Fields = &'static [(&'static str, Expect)];

/// Overrides, and what they make of the vGPU of type 55 with the UUID of virtual machine 100.
const CASES: &[(&str, Fields)] = &[
    ("", &[]),
    // The example of mbilker/vgpu_unlock-rs's README, in our words.
    (
        "nvidia-55:num_displays=1,display_width=1920,display_height=1080,max_pixels=2073600,\
         cuda_enabled=1,frl_enabled=0",
        &[
            ("numHeads", N(1)),
            ("maxResolutionX", N(1920)),
            ("maxResolutionY", N(1080)),
            ("maxPixels", N(2_073_600)),
            ("cudaEnabled", N(1)),
            ("frlEnable", N(0)),
        ],
    ),
    // Each key by itself.
    ("nvidia-55:gpu_type=47", &[("vgpuType", N(47))]),
    ("nvidia-55:card_name='GRID P40-4Q'", &[("vgpuName", S("GRID P40-4Q"))]),
    ("nvidia-55:vgpu_type=Quadro", &[("vgpuClass", S("Quadro"))]),
    (
        "nvidia-55:features='Quadro-Virtual-DWS,5.0;GRID-Virtual-WS,2.0'",
        &[("license", S("Quadro-Virtual-DWS,5.0;GRID-Virtual-WS,2.0"))],
    ),
    ("nvidia-55:max_instances=24", &[("maxInstance", N(24))]),
    ("nvidia-55:num_displays=4", &[("numHeads", N(4))]),
    ("nvidia-55:display_width=7680", &[("maxResolutionX", N(7680))]),
    ("nvidia-55:display_height=4320", &[("maxResolutionY", N(4320))]),
    ("nvidia-55:max_pixels=33177600", &[("maxPixels", N(33_177_600))]),
    ("nvidia-55:frl_config=0xffffffff", &[("frlConfig", N(0xffff_ffff))]),
    ("nvidia-55:cuda_enabled=0", &[("cudaEnabled", N(0))]),
    ("nvidia-55:ecc_supported=1", &[("eccSupported", N(1))]),
    ("nvidia-55:mig_instance_size=3", &[("gpuInstanceSize", N(3))]),
    ("nvidia-55:multi_vgpu_supported=1", &[("multiVgpuSupported", N(1))]),
    ("nvidia-55:pci_id=0x1b3811f5", &[("vdevId", N(0x1b38_11f5))]),
    ("nvidia-55:pci_device_id=0x1b38", &[("pdevId", N(0x1b38))]),
    ("nvidia-55:framebuffer=0x74000000", &[("fbLength", N(0x7400_0000))]),
    ("nvidia-55:framebuffer=4GiB", &[("fbLength", N(4 << 30))]),
    ("nvidia-55:mappable_video_size=1.5 GB", &[("mappableVideoSize", N(1_500_000_000))]),
    ("nvidia-55:framebuffer_reservation=128MiB", &[("fbReservation", N(0x800_0000))]),
    ("nvidia-55:encoder_capacity=100", &[("encoderCapacity", N(100))]),
    ("nvidia-55:bar1_length=0x100", &[("bar1Length", N(256))]),
    ("nvidia-55:frl_enabled=1", &[("frlEnable", N(1))]),
    (
        "nvidia-55:adapter_name='Größe 1'",
        &[("adapterName", S("Größe 1")), ("adapterName_Unicode", U("Größe 1"))],
    ),
    ("nvidia-55:short_gpu_name=GP102GL-A", &[("shortGpuNameString", S("GP102GL-A"))]),
    ("nvidia-55:license_type=%22NVIDIA%20RTX%22", &[("licensedProductName", S("\"NVIDIA RTX\""))]),
    ("nvidia-55:card_name=''", &[("vgpuName", S(""))]),
    // The total, in its parts: users' values for 2 GiB and 512 MiB.
    ("nvidia-55:vram=2GiB", &[("fbLength", N(0x7400_0000)), ("fbReservation", N(0xc00_0000))]),
    ("nvidia-55:vram=512MiB", &[("fbLength", N(0x1a00_0000)), ("fbReservation", N(0x600_0000))]),
    // Sections that are for others.
    ("nvidia-56:num_displays=1;vm/101:num_displays=2", &[]),
    ("mdev/00000000-0000-0000-0000-000000000101:num_displays=2", &[]),
    ("nvidia-47:cuda_enabled=1;nvidia-55:gpu_type=47", &[("vgpuType", N(47))]),
    // Type, then UUID, then virtual machine, in whatever order they are written.
    (
        "vm/100:num_displays=3;mdev/00000000-0000-0000-0000-000000000100:num_displays=2,\
         cuda_enabled=1;nvidia-55:num_displays=1,cuda_enabled=0,ecc_supported=1",
        &[("numHeads", N(3)), ("cudaEnabled", N(1)), ("eccSupported", N(1))],
    ),
    ("nvidia-55:num_displays=1;nvidia-55:num_displays=2", &[("numHeads", N(2))]),
    (
        "nvidia-55:vram=4GiB;vm/100:framebuffer=1GiB",
        &[("fbLength", N(1 << 30)), ("fbReservation", N(0x1400_0000))],
    ),
    ("nvidia-55:hidden=1", &[]),
];

fn expected(structure: &Structure, fields: Fields) -> Vec<u8> {
    let mut bytes = structure.filled(55);
    for (field, expect) in fields {
        let Some((at, len)) = structure.place(field) else { continue };
        let mut content = match expect {
            N(number) => number.to_le_bytes()[..len].to_vec(),
            S(text) => text.as_bytes().to_vec(),
            U(text) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        };
        content.resize(len, 0);
        bytes[at..at + len].copy_from_slice(&content);
    }
    bytes
}

/// A process that has started the vGPU of type 55 of virtual machine 100.
fn process() -> ProcessMemory {
    let mut process = ProcessMemory::new();
    start(&mut process, "100", 55);
    process
}

fn start(process: &mut ProcessMemory, vmid: &str, vgpu_type: u32) {
    let mut create = [0; 32];
    let vmid: Vec<u8> = format!("{vmid:0>12}").bytes().map(|c| c - b'0').collect();
    for (byte, digits) in create[10..16].iter_mut().zip(vmid.chunks(2)) {
        *byte = (digits[0] << 4) | digits[1];
    }
    create[24..28].copy_from_slice(&vgpu_type.to_le_bytes());
    let gpus = Gpus::default();
    answer(CREATE_DEVICE, 0, &mut create, &policy(&gpus, false, &read("")), process);
}

#[test]
fn every_key_changes_its_fields_in_every_structure_and_no_other_byte() {
    let gpus = Gpus::default();
    for structure in structures::all() {
        for (text, fields) in CASES {
            let before = structure.filled(55);
            let mut bytes = before.clone();
            let overrides = read(text);
            let policy = policy(&gpus, false, &overrides);
            let (verdict, status) = answer(structure.cmd, 0, &mut bytes, &policy, &mut process());
            let expected = expected(&structure, fields);
            assert!(bytes == expected, "{}: {text}", structure.name);
            let differs = |(a, b): (&u8, &u8)| a != b;
            let first = before.iter().zip(&bytes).position(differs);
            let last = before.iter().zip(&bytes).rposition(differs);
            match (verdict, first.zip(last)) {
                (Verdict::Untouched, None) => {}
                (Verdict::Edited(edited), Some((first, last))) => {
                    assert_eq!((edited.status, edited.params), (false, first..last + 1));
                }
                other => panic!("{}: {text}: {other:?}", structure.name),
            }
            assert_eq!(status, 0);
        }
    }
}

#[test]
fn every_key_is_in_the_table() {
    for key in Key::ALL {
        let alone = format!("nvidia-55:{}=", key.name());
        assert!(CASES.iter().any(|(text, _)| text.starts_with(&alone)), "{}", key.name());
    }
}

#[test]
fn an_answer_with_an_error_is_not_changed() {
    let gpus = Gpus::default();
    for structure in structures::all() {
        for status in [1, 3, 0x56] {
            let mut bytes = structure.filled(55);
            let overrides = read("nvidia-55:num_displays=1");
            let policy = policy(&gpus, true, &overrides);
            let result = answer(structure.cmd, status, &mut bytes, &policy, &mut process());
            assert_eq!(result, (Verdict::Untouched, status));
            assert_eq!(bytes, structure.filled(55));
        }
    }
}

#[test]
fn a_size_that_no_layout_has_is_left_alone() {
    let gpus = Gpus::default();
    for structure in structures::all() {
        for size in [0, 1, 8, structure.size - 8, structure.size - 1, structure.size + 1, 6000] {
            let known = [4960, 5096, 5232, 5424, 5432, 4536, 1840, 1848, 1872, 2328];
            if known.contains(&size) {
                continue;
            }
            let before: Vec<u8> = structure.filled(55).into_iter().cycle().take(size).collect();
            let mut bytes = before.clone();
            let overrides = read("nvidia-55:num_displays=1");
            let policy = policy(&gpus, true, &overrides);
            let result = answer(structure.cmd, 0, &mut bytes, &policy, &mut process());
            assert_eq!(result, (Verdict::UnknownSize, 0));
            assert_eq!(bytes, before);
        }
    }
}

#[test]
fn text_that_a_branch_has_no_room_for_is_skipped_and_said() {
    let gpus = Gpus::default();
    let text = format!("nvidia-55:card_name={},num_displays=1", "x".repeat(32));
    for structure in structures::all() {
        let mut bytes = structure.filled(55);
        let mut process = process();
        answer(structure.cmd, 0, &mut bytes, &policy(&gpus, false, &read(&text)), &mut process);
        let fits = structure.place("vgpuName").unwrap().1 > 32;
        let (vgpu_type, uuid, applied) = process.take_answer().unwrap();
        assert_eq!((vgpu_type, uuid), (55, Some(proxmox("100"))));
        assert_eq!(applied.by_type, if fits { 2 } else { 1 });
        let skipped = (!fits).then_some((Key::CardName, Skipped::TooLong));
        assert_eq!(applied.skipped, skipped, "{}", structure.name);
        let name = structure.place("vgpuName").unwrap();
        assert_eq!(bytes[name.0] == b'x', fits);
        let heads = structure.place("numHeads").unwrap();
        assert_eq!(bytes[heads.0..heads.0 + 4], [1, 0, 0, 0]);
    }
}

/// The fuzzer has found that what one section wrote and the next one wrote back counted as changed.
#[test]
fn of_two_sections_that_set_a_field_the_last_one_counts_and_is_written_alone() {
    let gpus = Gpus::default();
    let overrides =
        read("vm/100:num_displays=3,adapter_name=b;nvidia-55:num_displays=1,adapter_name=a");
    let policy = policy(&gpus, false, &overrides);
    for structure in structures::all().iter().filter(|structure| structure.cmd == OF_VGPU) {
        let mut bytes = structure.filled(55);
        let mut process = process();
        answer(structure.cmd, 0, &mut bytes, &policy, &mut process);
        let heads = structure.place("numHeads").unwrap().0;
        assert_eq!(bytes[heads..heads + 4], [3, 0, 0, 0], "{}", structure.name);
        let again = answer(structure.cmd, 0, &mut bytes, &policy, &mut process);
        assert_eq!(again, (Verdict::Untouched, 0), "{}", structure.name);
    }
}

#[test]
fn a_key_that_a_structure_has_no_field_for_is_said() {
    let gpus = Gpus::default();
    let structure = &structures::all()[0];
    let mut bytes = structure.filled(55);
    let mut process = process();
    let overrides = read("nvidia-55:adapter_name=x");
    let policy = policy(&gpus, false, &overrides);
    let result = answer(structure.cmd, 0, &mut bytes, &policy, &mut process);
    assert_eq!(result, (Verdict::Untouched, 0));
    let applied = process.take_answer().unwrap().2;
    assert_eq!(applied.skipped, Some((Key::AdapterName, Skipped::Absent)));
    assert!(applied.any());
}

#[test]
fn two_vgpus_of_one_machine_have_their_own_overrides() {
    let gpus = Gpus::default();
    let text = "mdev/00000000-0000-0000-0000-000000000100:num_displays=1;\
                mdev/00000000-0000-0000-0000-000000000200:num_displays=2;vm/200:cuda_enabled=1";
    let structures = structures::all();
    let structure = structures.iter().find(|s| s.cmd == OF_VGPU && s.size == 1872).unwrap();
    let heads = |process: &mut ProcessMemory, vgpu_type| {
        let mut bytes = structure.filled(vgpu_type);
        answer(OF_VGPU, 0, &mut bytes, &policy(&gpus, false, &read(text)), process);
        bytes[structure.place("numHeads").unwrap().0]
    };
    let neither = structure.filled(55)[structure.place("numHeads").unwrap().0];

    // Of two types: asked about in any order.
    let mut process = ProcessMemory::new();
    start(&mut process, "100", 55);
    start(&mut process, "200", 56);
    assert_eq!([55, 56, 55, 57].map(|t| heads(&mut process, t)), [1, 2, 1, neither]);

    // Of one type: each as it starts.
    let mut process = ProcessMemory::new();
    start(&mut process, "100", 55);
    assert_eq!(heads(&mut process, 55), 1);
    start(&mut process, "200", 55);
    assert_eq!(heads(&mut process, 55), 2);
}

#[test]
fn fields_are_shown_as_they_are() {
    let gpus = Gpus::default();
    for structure in structures::all() {
        let mut bytes = structure.filled(55);
        let text = "nvidia-55:card_name='GRID X',vram=2GiB,num_displays=7";
        answer(structure.cmd, 0, &mut bytes, &policy(&gpus, false, &read(text)), &mut process());
        let shown: Vec<_> = fields(structure.cmd, &bytes).map(|(f, s)| (f.name(), s)).collect();
        for expected in [
            ("vgpu_type", Shown::Number(55)),
            ("vgpu_name", Shown::Text(b"GRID X")),
            ("num_heads", Shown::Number(7)),
            ("fb_length", Shown::Number(0x7400_0000)),
        ] {
            assert!(shown.contains(&expected), "{}: {expected:?}", structure.name);
        }
        assert_eq!(fields(structure.cmd, &bytes[1..]).count(), 0);
    }
}
