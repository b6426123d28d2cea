// SPDX-License-Identifier: GPL-2.0
//! What people really have and ask, and what must be said to it: one case a line, each asked of what the
//! command itself asks. `cargo test -p vgpu-unlock-cli field_case -- --nocapture` prints what was
//! observed.
//!
//! Override files have more cases, with every remark, in `tests/field_cases` (`profile/field_cases.rs`).
//! What the module itself must say or do is in its own tests, and whether it builds on Proxmox in
//! `tests/dkms`.

use std::fs;

use crate::{
    doctor::tests::hosts::{self, BOARD, STATUS, asked, board, healthy, link},
    host::made_up::MadeUp,
    inspect::{self, tests::packages},
    profile::{BoardMemory, Branch, Import, Question, explain},
};

/// A case: what it is, what must be said, and what is.
struct Case {
    what: &'static str,
    expected: &'static [&'static str],
    observed: fn() -> String,
}

/// What must not be said: a word that begins with this.
const NOT: &str = "not: ";

const fn case(
    what: &'static str,
    expected: &'static [&'static str],
    observed: fn() -> String,
) -> Case {
    Case { what, expected, observed }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Override files.
    case("pci_id and pci_device_id exchanged, as in a public table",
        &["look exchanged", "0xDDDDSSSS", "pci_id = 0x1b3011a0 and pci_device_id = 0x1b30"],
        || imported("pci_device_id = 0x1B3011A0\npci_id = 0x1B30\n")),
    case("3840x2160 with max_pixels = 2073600",
        &["won't get 3840x2160", "8294400"],
        || imported("num_displays = 1\ndisplay_width = 3840\ndisplay_height = 2160\nmax_pixels = 2073600\n")),
    case("framebuffer = 2048", &["2048 bytes; is 2048MiB meant?"], || imported("framebuffer = 2048\n")),
    case("framebuffer = \"2 GB\"", &["2GiB"], || imported("framebuffer = \"2 GB\"\n")),
    case("framebuffer = 984263338", &["warning:", "MiB"], || imported("framebuffer = 984263338\n")),
    case("framebuffer = \"16GiB\" on a board with 11", &["warning:", "11GiB"],
        || imported("framebuffer = \"16GiB\"\n")),
    case("frl_enabled = 60", &["frl_config = 60"], || imported("frl_enabled = 60\n")),
    case("vgpu_type = NVS", &["vgpu_type = \"NVS\"", "not: nan"], || imported("vgpu_type = NVS\n")),
    case("a placeholder of a guide instead of the number",
        &["mdevctl types", "not: unclosed"],
        || of_files("[profile.nvidia-{profile id}]\nnum_displays = 1\n", None)),
    case("frl", &["frl_config"], || imported("frl = 60\n")),
    case("vgpu_name", &["card_name", "not: vgpu_type"], || imported("vgpu_name = \"x\"\n")),
    case("ecc_enabled", &["ecc_supported", "not: frl_enabled"], || imported("ecc_enabled = 1\n")),
    case("profileSize, of vgpuConfig.xml", &["framebuffer is what the guest has", "vram is the whole"],
        || imported("profileSize = 0x40000000\n")),
    case("fbReservation, of vgpuConfig.xml", &["framebuffer_reservation"],
        || imported("fbReservation = 0x8000000\n")),
    case("24 sections of seven keys", &["168 settings", "not: 4094"], many_sections),
    case("unlock = false, with overrides besides", &["gpus=any=off"],
        || of_files("[profile.nvidia-46]\nnum_displays = 1\n", Some("unlock = false\n"))),
    // Drivers.
    case("explain --branch 17.5", &["driver 550.144.02 (vGPU 17.5): the module attaches"],
        || explained("17.5")),
    case("explain for 510", &["driver branch 510 (vGPU 14): the module attaches"], || explained("510")),
    case("explain for 570", &["driver branch 570 (vGPU 18): the module attaches"], || explained("570")),
    case("explain for 580", &["driver branch 580 (vGPU 19): the module attaches"], || explained("580")),
    case("explain for 590", &["driver branch 590: the module changes only answers", "for boards that the driver lists itself"], || explained("590")),
    case("inspect of an installer", &["550.144.02 (vGPU 17.5), proprietary kernel module: supported"],
        inspected),
    // Hosts.
    case("boards that NVIDIA lists, on 535",
        &["listed: 1e78 13f3 1bb4 15f8 1db4 20b0 20b7 2231 2233 2235 2236 25b6 1eb8;", "other: ;"],
        || boards(535, &[0x1e78, 0x13f3, 0x1bb4, 0x15f8, 0x1db4, 0x20b0, 0x20b7, 0x2231, 0x2233, 0x2235,
            0x2236, 0x25b6, 0x1eb8])),
    case("a real P40, P4, P6, M60, M6 or P100 on 550",
        &["listed: ;", "dropped: 1b38 1bb3 1bb4 13f2 13f3 15f8;"],
        || boards(550, &[0x1b38, 0x1bb3, 0x1bb4, 0x13f2, 0x13f3, 0x15f8])),
    case("GeForce of Ampere and newer", &["nobody: 2503 2206 2204 2684;"],
        || boards(550, &[0x2503, 0x2206, 0x2204, 0x2684])),
    case("a second board on vfio-pci",
        &["Note: 0000:02:00.0 10de:1c03: used by vfio-pci", "not: restart"],
        || doctored("holder", |host| board(host, "0000:02:00.0", "0x1c03", "vfio-pci"))),
    case("an SR-IOV board with 32 functions, another board behind it",
        &["0000:41:00.0 10de:2230 (32 of 32 virtual functions)", "0000:42:00.0 10de:1b06",
          "not: 0000:41:00.1"],
        || doctored("board", with_functions)),
    case("a patched driver",
        &["Broken: 550.163.01 is left exactly as it is: this driver is patched", "NVIDIA's original driver"],
        || doctored("unlocked", |host| hosts::status(host, |status| {
            status["driver"]["state"] = "refused".into();
            status["driver"]["reason"] = "this driver is patched: reinstall the original".into();
        }))),
    case("drop-ins of the preloaded library",
        &["nvidia-vgpud.service.d/vgpu_unlock.conf:2: Environment=LD_PRELOAD", "-> rm /etc/systemd"],
        || doctored("leftovers", |host| {
            host.file("/etc/systemd/system/nvidia-vgpud.service.d/vgpu_unlock.conf",
                "[Service]\nEnvironment=LD_PRELOAD=/opt/vgpu_unlock-rs/libvgpu_unlock_rs.so\n");
        })),
    case("NVIDIA's open kernel modules", &["Broken: these are NVIDIA's open", "=proprietary"],
        || doctored("flavour", |host| {
            host.file("/proc/driver/nvidia/version",
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.03  x\n");
        })),
    case("types gone from vgpuConfig.xml on 550", &["Broken: ", "take vgpuConfig.xml from a vGPU 16.x"],
        || doctored("config", |host| { host.file(hosts::CONFIG, hosts::config(&["0x1E30"])); })),
    case("nvidia-vgpud asked before the module was loaded", &["systemctl restart nvidia-vgpud"],
        || doctored("daemons", |host| hosts::status(host, |status| {
            status["asked"]["nvidia-vgpud"] = 0.into();
            status["gpus"][0]["missing"] = "nvidia-vgpud asked".into();
            status["gpus"][0]["advice"] = "systemctl restart nvidia-vgpud".into();
        }))),
    case("no package of ours on Proxmox", &["-> apt install ./vgpu-unlock-dkms_*.deb"],
        || doctored("built", |host| {
            host.file("/usr/bin/pveversion", "").remove("/var/lib/dkms/vgpu_unlock");
            host.remove("/sys/module/vgpu_unlock").remove(STATUS);
            host.file(&format!("/lib/modules/{}/modules.dep", hosts::RELEASE),
                "updates/dkms/nvidia.ko:\nupdates/dkms/nvidia-vgpu-vfio.ko:\n");
        })),
];

#[test]
fn each_field_case_gets_its_answer() {
    let mut complaints = String::new();
    for Case { what, expected, observed } in CASES {
        let observed = observed();
        println!(
            "{what}\n  expected: {}\n  observed: {}",
            expected.join(" | "),
            observed.trim_end()
        );
        for word in *expected {
            let right = match word.strip_prefix(NOT) {
                Some(word) => !observed.contains(word),
                None => observed.contains(word),
            };
            if !right {
                complaints += &format!("{what}: {word:?}\n{observed}\n");
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// What is said about files, on a host with a board of 11 GiB.
fn of_files(overrides: &str, config: Option<&str>) -> String {
    let mut import = Import::default();
    import.set_board(BoardMemory { name: "the board".into(), bytes: 11 << 30 });
    import.profiles("overrides", overrides);
    if let Some(config) = config {
        import.config("config", config);
    }
    import.report()
}

/// What is said about a type's section with these lines.
fn imported(lines: &str) -> String {
    of_files(&format!("[profile.nvidia-46]\n{lines}"), None)
}

/// What `apply --check` would count.
fn many_sections() -> String {
    let keys = "num_displays = 1\ndisplay_width = 1920\ndisplay_height = 1080\nmax_pixels = 2073600\n\
                cuda_enabled = 1\nfrl_enabled = 0\nframebuffer = \"896MiB\"\n";
    let section = |number: u32| format!("[mdev.00000000-0000-0000-0000-{number:012}]\n{keys}");
    let text: String = (100..124).map(section).collect();
    let mut import = Import::default();
    import.profiles("overrides", &text);
    format!("{}{} settings", import.complaints(), import.settings().count())
}

fn explained(branch: &str) -> String {
    let branch = Branch::parse(branch).unwrap();
    let question = Question { vgpu_type: 55, mdev: None, branch, description: None };
    explain("nvidia-55:num_displays=1", &question).unwrap()
}

fn inspected() -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run");
    fs::write(&file, packages::installer()).unwrap();
    inspect::inspect(&file, None).unwrap().to_string()
}

/// What doctor says about a link of a healthy host that was changed.
fn doctored(id: &str, change: impl Fn(&mut MadeUp)) -> String {
    let mut host = healthy();
    change(&mut host);
    link(&asked(&host, false), id).1
}

/// Which of these boards are called what, each the only one of its host.
fn boards(branch: u16, devices: &[u16]) -> String {
    let kinds = [
        ("listed", "NVIDIA lists this board, it needs nothing"),
        ("dropped", "this driver's no longer does"),
        ("nobody", "nobody is known to have vGPUs on this board"),
        ("other", ""),
    ];
    let mut found = kinds.map(|(name, _)| format!("{name}: "));
    for device in devices {
        let said = doctored("board", |host| {
            host.file(&format!("{BOARD}/device"), format!("{device:#06x}"));
            host.file("/sys/module/nvidia/version", format!("{branch}.1.1\n"));
        });
        let kind = kinds.iter().position(|(_, words)| said.contains(words)).unwrap();
        found[kind] += &format!("{device:04x} ");
    }
    found.map(|line| format!("{};", line.trim_end_matches(' '))).join("\n").replace(":;", ": ;")
}

fn with_functions(host: &mut MadeUp) {
    board(host, "0000:41:00.0", "0x2230", "nvidia");
    hosts::functions(host, "41", "0x2230", 32);
    board(host, "0000:42:00.0", "0x1b06", "nvidia");
}
