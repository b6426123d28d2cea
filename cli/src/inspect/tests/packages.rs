// SPDX-License-Identifier: GPL-2.0
//! What is said of a package: of each driver in it, of its daemon, and of what it is for.

use super::*;

/// The loop of `nvidia-vgpud` as public guides show it for 550.163.02, with a table at 0x4170a0.
const LOOP: &str = "b8a4704100 baf2130000 0fb74b0a eb0e 0f1f8000000000 0fb710 4883c004 6639d1 \
                    0f843f010000 483dc0704100 75e8";

/// A program with a text at 0x401000 and data at 0x4170a0.
fn program(text: &[u8], data: &[u8]) -> Vec<u8> {
    const HEADERS: u64 = 64 + 2 * 56;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let half = |file: &mut Vec<u8>, numbers: &[u16]| {
        numbers.iter().for_each(|number| file.extend(number.to_le_bytes()));
    };
    let wide = |file: &mut Vec<u8>, numbers: &[u64]| {
        numbers.iter().for_each(|number| file.extend(number.to_le_bytes()));
    };
    // A program for x86-64, version 1.
    half(&mut file, &[2, 62, 1, 0]);
    wide(&mut file, &[0x40_1000, 64, 0]);
    half(&mut file, &[0, 0, 64, 56, 2, 64, 0, 0]);
    let mut offset = HEADERS;
    for (address, flags, bytes) in [(0x40_1000, 5, text), (0x41_70a0, 4, data)] {
        half(&mut file, &[1, 0, flags, 0]);
        let len = bytes.len() as u64;
        wide(&mut file, &[offset, address, address, len, len, 1]);
        offset += len;
    }
    file.extend(text);
    file.extend(data);
    file
}

/// A table of eight device IDs, a word of 16 bits every four bytes.
fn table(ids: [u16; 8]) -> Vec<u8> {
    ids.iter().flat_map(|id| u32::from(*id).to_le_bytes()).collect()
}

const IDS: [u16; 8] = [0x13f2, 0x13bd, 0x1b38, 0x1bb3, 0x1bb4, 0x15f7, 0x15f8, 0x1234];

fn daemon(loops: usize) -> Vec<u8> {
    program(&bytes(&format!("90{}", LOOP.repeat(loops))), &table(IDS))
}

/// 550's closed part that calls itself `version`.
fn blob(identification: &str) -> Vec<u8> {
    let mut driver = Driver::new(Architecture::X86_64);
    driver.data(format!("{identification}  Tue Apr  8\0").as_bytes());
    driver.text(BOARD_CHECK_550);
    driver.text(SECOND_GATE_550);
    driver.tables(20, 40);
    driver.file()
}

const CLOSED: &str = "NVIDIA UNIX x86_64 Kernel Module  550.144.02";
const OPEN: &str = "NVIDIA UNIX Open Kernel Module for x86_64  550.144.02";

/// An installer of a host's 550.144.02: a script that says where its archive begins, and the archive.
pub(crate) fn installer() -> Vec<u8> {
    let mut tar = tar::Builder::new(b"#!/bin/sh\nskip=3\n".to_vec());
    for (path, content) in [
        ("./nvidia-vgpud", daemon(1)),
        ("./nvidia-vgpu-mgr", program(&[0x90], &[0])),
        ("./kernel/nvidia/nv-kernel.o_binary", blob(CLOSED)),
        ("./kernel-open/nvidia/nv-kernel.o_binary", blob(OPEN)),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn of_directory(files: &[(&str, &[u8])], board: Option<(Magic, Key)>) -> Report {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    inspect(dir.path(), board).unwrap()
}

#[test]
fn each_flavour_gets_its_verdict_and_the_one_that_hosts_comes_first() {
    let report = of_directory(
        &[
            ("kernel-open/nvidia/nv-kernel.o_binary", &blob(OPEN)),
            ("kernel/nvidia/nv-kernel.o_binary", &blob(CLOSED)),
            ("nvidia-vgpud", &daemon(1)),
            ("kernel/nvidia-vgpu-vfio/nvidia-vgpu-vfio.c", b"c"),
        ],
        Some((MAGIC, KEY)),
    );
    assert_eq!(report.flavour, Some(Flavour::Proprietary));
    assert_eq!(report.verdict, Verdict::Supported);
    assert_eq!(report.file.as_deref(), Some("kernel/nvidia/nv-kernel.o_binary"));
    assert_eq!(report.driver.releases, ["17.5"]);
    assert!(matches!(report.unlock, Some(Some(_))));
    let [open] = report.other_drivers.as_slice() else { panic!("{report}") };
    assert_eq!(open.flavour, Some(Flavour::Open));
    assert_eq!((open.verdict, open.sites.len()), (Verdict::AnswersOnly, 0));
    assert_eq!(open.driver.version.as_deref(), Some("550.144.02"));
    assert!(open.reasons[0].contains("--kernel-module-type=proprietary"), "{:?}", open.reasons);
    let package = report.package.as_ref().unwrap();
    assert!(package.for_hosts);
    assert_eq!(package.host_parts, ["nvidia-vgpud", "nvidia-vgpu-vfio"]);

    let text = report.to_string();
    for line in [
        "a host's package: it has nvidia-vgpud, nvidia-vgpu-vfio\n\
         driver 550.144.02 (vGPU 17.5), proprietary kernel module: supported\n  \
         in kernel/nvidia/nv-kernel.o_binary\n",
        "\n\ndriver 550.144.02 (vGPU 17.5), open kernel module: answers only: overrides work for boards that it lists itself\n  \
         in kernel-open/nvidia/nv-kernel.o_binary\n- These are NVIDIA's open kernel modules",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_a_driver_is_counts_more_than_what_its_licence_or_folder_says() {
    let licensed = |identification: &str, info: &str| {
        let mut driver = Driver::whole_550();
        if !identification.is_empty() {
            driver = Driver::new(Architecture::X86_64);
            driver.data(identification.as_bytes());
        }
        let info_section =
            driver.object.add_section(vec![], b".modinfo".to_vec(), SectionKind::ReadOnlyData);
        driver.object.append_section_data(info_section, info.as_bytes(), 1);
        driver.report(None).flavour
    };
    let open = Some(Flavour::Open);
    let proprietary = Some(Flavour::Proprietary);
    // Published patches give the proprietary module the other one's licence.
    assert_eq!(licensed("", "license=Dual MIT/GPL\0version=550.1\0"), proprietary);
    assert_eq!(licensed("x", "license=Dual MIT/GPL\0version=550.1\0"), open);
    assert_eq!(licensed("x", "license=NVIDIA\0version=550.1\0"), proprietary);
    assert_eq!(licensed("x", "license=GPL\0version=550.1\0"), None);
    assert_eq!(licensed(&format!("{CLOSED}\0{OPEN}\0"), "license=GPL\0"), None);
    let in_open = of_directory(&[("x/kernel-open/nvidia/nv-kernel.o_binary", &blob("?"))], None);
    assert_eq!(in_open.flavour, open);
    let named = of_directory(&[("x/kernel-open/nvidia/nv-kernel.o_binary", &blob(CLOSED))], None);
    assert_eq!(named.flavour, proprietary);
}

#[test]
fn of_an_open_module_it_is_said_what_the_module_would_do() {
    for (version, verdict) in [
        ("550.144.02", Verdict::AnswersOnly),
        ("570.124.03", Verdict::AnswersOnly),
        ("595.45.04", Verdict::Unsupported),
    ] {
        let open = format!("NVIDIA UNIX Open Kernel Module for x86_64  {version}");
        let file = blob(&open);
        let report = of_directory(&[("kernel-open/nvidia/nv-kernel.o_binary", &file)], None);
        assert_eq!((report.flavour, report.verdict), (Some(Flavour::Open), verdict), "{version}");
    }
}

#[test]
fn a_desktops_package_is_no_hosts() {
    let report = of_directory(&[("usr/src/nvidia/nv-kernel.o_binary", &blob(CLOSED))], None);
    assert!(!report.package.as_ref().unwrap().for_hosts);
    assert!(report.reasons[0].contains("hosts no vGPUs"), "{:?}", report.reasons);
    assert!(report.to_string().starts_with("no host's package\n"), "{report}");
}

#[test]
fn a_module_that_hosts_exports_what_nvidia_vgpu_vfio_needs() {
    for (info, defined, hosts) in [
        ("license=NVIDIA\0version=550.1\0vermagic=6.12\0", Some(true), true),
        ("license=NVIDIA\0version=550.1\0vermagic=6.12\0", Some(false), false),
        ("license=NVIDIA\0version=550.1\0vermagic=6.12\0", None, false),
        // No whole module, so nothing can be told.
        ("license=NVIDIA\0version=550.1\0", None, true),
    ] {
        let mut driver = Driver::whole_550();
        let section =
            driver.object.add_section(vec![], b".modinfo".to_vec(), SectionKind::ReadOnlyData);
        driver.object.append_section_data(section, info.as_bytes(), 1);
        if let Some(defined) = defined {
            let section = SymbolSection::Section(driver.text);
            driver.object.add_symbol(Symbol {
                name: b"nvidia_vgpu_vfio_get_ops".to_vec(),
                value: 1,
                size: 0,
                kind: SymbolKind::Text,
                scope: SymbolScope::Linkage,
                weak: false,
                section: if defined { section } else { SymbolSection::Undefined },
                flags: SymbolFlags::None,
            });
        }
        let reasons = driver.report(None).reasons;
        let said = reasons.iter().any(|reason| reason.contains("nvidia_vgpu_vfio_get_ops"));
        assert_eq!(said, !hosts, "{info} {reasons:?}");
    }
}

#[test]
fn the_daemons_table_is_read_from_the_program() {
    let driver = blob(CLOSED);
    let with = |daemon: &[u8]| {
        of_directory(&[("nv-kernel.o_binary", &driver), ("usr/bin/nvidia-vgpud", daemon)], None)
    };
    let report = with(&daemon(1));
    let [found] = report.nvidia_vgpud.as_slice() else { panic!("{report}") };
    assert_eq!((found.loops, found.file.as_str()), (1, "usr/bin/nvidia-vgpud"));
    let refusal = found.refusal.as_ref().unwrap();
    // The jump is the 36th byte of the loop, which begins one byte into the text.
    assert_eq!((refusal.jump, refusal.table), (0x40_1000 + 1 + 33, 0x41_70a0));
    assert_eq!(refusal.devices, IDS.map(id));
    let answered: Vec<_> = refusal.boards_answered_as.iter().map(|b| b.device.as_str()).collect();
    // Other boards are answered as an M10, an M60 or a P40, but as a P4 only if somebody says so.
    assert_eq!(answered, ["0x13bd", "0x13f2", "0x1b38"]);
    let reason = "nvidia-vgpud by itself gives up boards that are answered as 0x13bd (Tesla M10) or \
                  0x13f2 (Tesla M60) or 0x1b38 (Tesla P40).";
    assert_eq!(report.reasons, [reason]);
    assert!(
        report.to_string().contains("usr/bin/nvidia-vgpud: refuses 8 device IDs\n"),
        "{report}"
    );

    let report = with(&daemon(0));
    assert_eq!((report.nvidia_vgpud[0].loops, report.reasons.len()), (0, 0));
    let report = with(&daemon(2));
    assert_eq!(report.nvidia_vgpud[0].loops, 2);
    assert!(report.nvidia_vgpud[0].refusal.is_none());
    assert!(report.reasons[0].contains("more than once"), "{:?}", report.reasons);
}

#[test]
fn a_damaged_daemon_is_said_to_be_one() {
    let driver = blob(CLOSED);
    let whole = daemon(1);
    for (daemon, said) in [
        (&whole[..20], "no whole ELF file"),
        (&whole[..64 + 2 * 56 + 10], "cut off"),
        (&program(&bytes(LOOP), &table(IDS)[..28]), "outside of the program"),
    ] {
        let files = [("nv-kernel.o_binary", driver.as_slice()), ("nvidia-vgpud", daemon)];
        let report = of_directory(&files, None);
        assert!(report.nvidia_vgpud.is_empty());
        assert!(report.reasons[0].contains(said), "{:?}", report.reasons);
        assert_eq!(report.verdict, Verdict::Supported);
    }
}
