// SPDX-License-Identifier: GPL-2.0
//! overrides.toml: wrong, not in force, too much for the module, or not loaded at boot.

use super::{
    State, asked,
    hosts::{self, finds, healthy},
    link,
};
use crate::{host::made_up::MadeUp, profile::OVERRIDES};

const PARAMETER: &str = "/sys/module/vgpu_unlock/parameters/overrides";
const PARTS: &str = "/sys/module/vgpu_unlock/parameters/overrides_part";
const IN_FORCE: &str = "/sys/kernel/debug/vgpu_unlock/overrides";
const UNITS: [&str; 2] = ["vgpu-unlock-apply.service", "vgpu-unlock-apply.path"];

fn wants(unit: &str) -> String {
    format!("/etc/systemd/system/multi-user.target.wants/{unit}")
}

/// A host whose overrides.toml is in force.
fn with_overrides() -> MadeUp {
    let mut host = healthy();
    host.file(OVERRIDES, "[vm.100]\nnum_displays = 1\nframebuffer = \"1GiB\"\n")
        .file(PARAMETER, "vm/100:num_displays=1,framebuffer=1GiB\n")
        .file(IN_FORCE, "vm/100:num_displays=1,framebuffer=1GiB\n")
        .file(PARTS, "");
    for unit in UNITS {
        host.link(&wants(unit), &format!("/usr/lib/systemd/system/{unit}"));
    }
    host
}

#[test]
fn a_file_that_is_in_force_is_fine_and_so_is_none() {
    finds(&with_overrides(), "overrides", State::Ok, &["in force: 2 settings of 1 target"]);
    finds(&healthy(), "overrides", State::Ok, &["there is no /etc/vgpu_unlock/overrides.toml"]);
    let mut host = with_overrides();
    host.remove("/sys/module/vgpu_unlock");
    let (state, text) = link(&asked(&host, true), "overrides");
    assert_eq!(state, State::Ok);
    assert!(text.contains("right: 2 settings of 1 target"), "{text}");
}

#[test]
fn a_file_that_is_wrong_is_named_with_its_line() {
    for (content, words) in [
        (
            &b"[vm.100]\nnum_displays = two\n"[..],
            "overrides.toml:2: error: [vm.100] num_displays = two",
        ),
        (b"[vm.100]\n\nframebuffer = -1\n", "overrides.toml:3: error: vm/100: framebuffer"),
        (b"\xff\xfe[", "overrides.toml: this is UTF-16"),
        (b"[vm.1]\ncard_name = \"\xf6\"", "overrides.toml: line 2 has a byte that is no UTF-8"),
    ] {
        let mut host = with_overrides();
        host.file(OVERRIDES, content);
        let all = [words, "; what was in force stays", "-> correct it", "-> vgpu-unlock apply\n"];
        finds(&host, "overrides", State::Broken, &all);
    }
}

#[test]
fn a_file_that_is_not_in_force_says_what_differs() {
    let mut host = with_overrides();
    host.file(OVERRIDES, "[vm.100]\nnum_displays = 2\nframebuffer = \"1GiB\"\n");
    let first = "is not what is in force: vm/100: num_displays 1 -> 2\n-> vgpu-unlock apply";
    finds(&host, "overrides", State::Note, &[first]);
    host.file(OVERRIDES, "[vm.100]\nnum_displays = 2\n[vm.101]\ngpu_type = 3\n");
    finds(&host, "overrides", State::Note, &["num_displays 1 -> 2, and 2 more"]);
}

#[test]
fn what_no_board_has_the_memory_for_is_said() {
    let words = [
        "Note: vm/100 needs 12GiB of memory, and the GeForce GTX 1080 Ti of this host has 11GiB\n-> `vgpu-unlock plan`",
    ];
    // By the file, ...
    let mut host = with_overrides();
    host.file(OVERRIDES, "[vm.100]\nframebuffer = \"12GiB\"\n")
        .file(IN_FORCE, "vm/100:framebuffer=12GiB\n");
    finds(&host, "overrides", State::Note, &words);
    // ... before it is loaded, ...
    host.remove("/sys/module/vgpu_unlock");
    let (_, text) = link(&asked(&host, true), "overrides");
    assert!(text.contains(words[0]), "{text}");
    // ... by the module's parameter alone, ...
    let mut host = with_overrides();
    host.remove(OVERRIDES).file(IN_FORCE, "vm/100:framebuffer=12GiB\n");
    finds(&host, "overrides", State::Note, &words);
    // ... and nothing of what fits.
    let (_, text) = link(&asked(&with_overrides(), true), "overrides");
    assert!(!text.contains("of memory"), "{text}");
}

#[test]
fn types_and_vgpus_that_their_board_has_no_memory_for_are_said() {
    let mut host = healthy();
    let device = format!("{}/mdev_supported_types/nvidia-53", hosts::BOARD);
    host.file(&format!("{device}/name"), "GRID P40-24Q\n")
        .file(&format!("{device}/description"), "framebuffer=24576M, max_instance=1\n");
    let words = "0000:01:00.0: the GeForce GTX 1080 Ti has 11GiB, too little for GRID P40-24Q";
    finds(&host, "types", State::Note, &[words]);
    hosts::status(&mut host, |status| {
        status["gpus"][0]["vgpus"] =
            serde_json::json!([{"uuid": "u", "told": {"in_force": {"framebuffer": 24u64 << 30}}}]);
    });
    let words =
        "vGPU u needs 24GiB of memory, and the GeForce GTX 1080 Ti at 0000:01:00.0 has 11GiB";
    finds(&host, "vgpus", State::Note, &[words]);
}

#[test]
fn a_module_that_is_too_old_for_so_many_is_told_from_one_that_is_not() {
    let section = |i: usize| format!("[vm.{i}]\ncard_name = \"the name of a GPU {i}\"\n");
    let many: String = (0..150).map(section).collect();
    let mut host = with_overrides();
    host.file(OVERRIDES, &many);
    finds(&host, "overrides", State::Note, &["is not what is in force"]);
    host.remove(PARTS).remove(IN_FORCE);
    let words =
        ["takes 4094 bytes of overrides", "older than this command", "-> rmmod vgpu_unlock &&"];
    finds(&host, "overrides", State::Broken, &words);
    // It takes as many as fit.
    host.file(OVERRIDES, "[vm.100]\nnum_displays = 1\nframebuffer = \"1GiB\"\n");
    finds(&host, "overrides", State::Ok, &["in force"]);
}

#[test]
fn what_only_root_can_see_is_not_guessed() {
    let mut host = with_overrides();
    host.refuse(IN_FORCE).refuse(PARAMETER);
    finds(&host, "overrides", State::Unseen, &["could not look", "-> ask again as root"]);
    let mut host = with_overrides();
    host.file(PARAMETER, "vm/100:num_displays=1;...\n").refuse(IN_FORCE);
    finds(&host, "overrides", State::Unseen, &[IN_FORCE, "-> ask again as root"]);
}

#[test]
fn what_loads_it_at_boot_and_when_it_changes_is_missed() {
    let install = |unit: &str| format!("-> install -m 644 cli/systemd/{unit} /etc/systemd/system");
    let [service, path] = UNITS;
    for (gone, words) in [
        (&UNITS[..], "nothing loads it at boot, or when it changes"),
        (&[service], "nothing loads it at boot\n"),
        (&[path], "nothing loads it when it changes\n"),
    ] {
        let mut host = with_overrides();
        for unit in gone {
            host.remove(&wants(unit));
        }
        let enable = format!("-> systemctl enable --now {}\n", gone.join(" "));
        let all: Vec<_> = gone.iter().map(|unit| install(unit)).chain([enable.clone()]).collect();
        let mut all: Vec<_> = all.iter().map(String::as_str).collect();
        all.push(words);
        finds(&host, "overrides", State::Note, &all);
        for unit in gone {
            host.file(&format!("/usr/lib/systemd/system/{unit}"), "");
        }
        let (_, text) = link(&asked(&host, false), "overrides");
        assert!(!text.contains("install -m") && text.contains(&enable), "{text}");
    }
}

#[test]
fn whatever_the_module_shows_nothing_panics() {
    for content in [&b""[..], b"...", b";", b"\xff\0:", b"vm/1:", b"vm/1:new=1\n", b"'"] {
        for file in [PARAMETER, IN_FORCE, OVERRIDES] {
            let mut host = with_overrides();
            host.file(file, content);
            if file == PARAMETER {
                host.remove(IN_FORCE);
            }
            link(&asked(&host, true), "overrides");
        }
    }
}
