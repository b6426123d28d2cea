// SPDX-License-Identifier: GPL-2.0
//! Lines that are no TOML.

use super::*;

fn said(text: &str) -> String {
    let file = Source { name: "p.toml", text };
    let (_, errors) = DeTable::parse_recoverable(text);
    let said = complaints(&file, &errors);
    let lines = said.iter().map(|(at, text)| format!("{}: {text}\n", file.line(*at)));
    lines.collect()
}

#[test]
fn a_line_is_said_what_is_wrong_with_it() {
    for (line, expected) in [
        ("vgpu_type = NVS", "text needs quotes: write vgpu_type = \"NVS\""),
        ("card_name = GRID P40-2Q # mine", "write card_name = \"GRID P40-2Q\""),
        ("card_name = “GRID”", "text stands between two \": write card_name = \"GRID\""),
        ("card_name = \"GRID", "text stands between two \": write card_name = \"GRID\""),
        ("card_name = 'GRID\"", "text stands between two \": write card_name = \"GRID\""),
        ("framebuffer = 4GiB", "text needs quotes: write framebuffer = \"4GiB\""),
        ("framebuffer = 4 GB", "write framebuffer = \"4GiB\""),
        ("framebuffer = 1,073,741,824", "write framebuffer = \"1GiB\""),
        ("framebuffer = 0x74000000 (2GB)", "begins with #: write framebuffer = 0x74000000"),
        ("framebuffer = lots", "write bytes, or a size such as 4GiB"),
        ("cuda_enabled = True", "write cuda_enabled = 1"),
        ("cuda_enabled = yes", "write cuda_enabled = 1"),
        ("frl_enabled = off", "write frl_enabled = 0"),
        ("num_displays = 1;", "nothing ends a line: write num_displays = 1"),
        ("num_displays = 1,", "nothing ends a line: write num_displays = 1"),
        ("num_displays = 1 // one", "a comment begins with #: write num_displays = 1"),
        ("num_displays = 01", "write num_displays = 1"),
        ("num_displays 1", "there is no =: write num_displays = 1"),
        ("num_displays: 1", "there is no =: write num_displays = 1"),
        ("\"num_displays\": 1,", "there is no =: write num_displays = 1"),
        ("framebuffer: 2 GiB", "there is no =: write framebuffer = \"2GiB\""),
        ("num_displays == 1", "one = is enough"),
        ("num_displays =", "there is no value: write num_displays = and a number"),
        ("= 1", "there is no key"),
        ("num displays = 1", "do not belong there: write num_displays"),
        ("num_displays\u{a0}= 1", "do not belong there: write num_displays"),
        ("num_displays = 1 cuda_enabled = 1", "a line of its own"),
        ("max_pixels = 1920*1080", "write max_pixels = 2073600"),
        ("pci_id = 1b3811a0", "write pci_id = 0x1b3811a0"),
        ("pci_id = 0X1B3811A0", "write pci_id = 0x1b3811a0"),
        ("pci_device_id = <id>", "write a number of 64 bits"),
        ("; a comment", "a comment begins with #"),
        ("// a comment", "a comment begins with #"),
        ("[vm.200", "write [vm.200]"),
        ("[vm.200] num_displays = 1", "alone on its line: write [vm.200] and num_displays = 1"),
        ("[profile.nvidia-{profile id}]", "write the number of your type"),
        ("[profile nvidia-55]", "is [profile.nvidia-55] meant?"),
        ("[profile.GRID P40-2Q]", "is [profile.nvidia-47] meant?"),
        ("[]", "the section has no name"),
        ("[some thing]", "no section's name"),
        ("vm.200", "a section stands in brackets: write [vm.200]"),
        ("profile.nvidia-55]", "in brackets: write [profile.nvidia-55]"),
        ("x = = 1", ""),
    ] {
        let said = said(&format!("[vm.100]\n{line}\n"));
        assert!(said.starts_with("2: ") && said.contains(expected), "{line}: {said}");
        assert!(said.contains("this is not TOML: "), "{said}");
    }
    let text = said("[mdev.{2b7bc7e4-8784-4933-8613-9bc92bbc718c}]\n");
    assert!(text.contains("is [mdev.2b7bc7e4-8784-4933-8613-9bc92bbc718c] meant?"), "{text}");
}

#[test]
fn what_stands_twice_is_said_where() {
    let text = "[vm.1]\nnum_displays = 1\n[vm.2]\n\"num_displays\" = 1\nnum_displays = 2\n[vm.1]\n";
    let said = said(text);
    assert!(said.contains("5: [vm.2] num_displays = 2: "), "{said}");
    assert!(said.contains("the key stands in line 4 already"), "{said}");
    assert!(
        said.contains("6: [vm.1]: ") && said.contains("the section stands in line 1"),
        "{said}"
    );
}

#[test]
fn every_wrong_line_is_named_once_and_not_too_many() {
    let text = "a: 1\nb = 1\nc = 1 d = 2 e\n".repeat(2).replace("b = 1\n", "");
    assert_eq!(said(&text).lines().count(), 4);
    let many = said(&"x y\n".repeat(50));
    assert_eq!(many.lines().count(), MOST);
    assert!(many.ends_with("; 30 more lines are wrong\n"), "{many}");
}

#[test]
fn other_languages_are_recognised() {
    for (text, expected) in [
        ("<?xml version=\"1.0\"?>\n<vgpuconfig>", "this is XML"),
        ("{\n\"profile\": {}\n}", "this is JSON"),
        ("# ours\noptions vgpu_unlock overrides=\"vm/1:gpu_type=1\"", "for modprobe.d"),
    ] {
        let said = said(text);
        assert!(said.starts_with("1: ") && said.contains(expected), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}
