// SPDX-License-Identifier: GPL-2.0
//! The grammar of `overrides`: a test for every production and every error.
#![allow(missing_docs, reason = "a test")]

use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::overrides::target::Target;
use vgpu_unlock::params::{ParseError, Which};
use vgpu_unlock::profile::{Key, Kind, Uuid, Value, EXPECTED_KEY};

const UUID: &str = "2b7bc7e4-8784-4933-8613-9bc92bbc718c";

fn parse(text: &str) -> ReadOverrides {
    ReadOverrides::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every setting, numbers in decimal and texts in quotation marks.
fn settings(text: &str) -> Vec<(Target, &'static str, String)> {
    let shown = |value: Value<'_>| match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{:?}", text.decode().unwrap().as_str()),
    };
    parse(text)
        .view()
        .settings()
        .map(|(target, key, value)| (target, key.name(), shown(value)))
        .collect()
}

fn values(text: &str) -> Vec<String> {
    settings(text).into_iter().map(|(_, _, value)| value).collect()
}

#[test]
fn there_may_be_no_section_at_all() {
    for text in ["", " ", "\n", "\t \n"] {
        assert_eq!(parse(text).view().settings().count(), 0, "{text:?}");
    }
}

#[test]
fn sections_are_for_types_vgpus_and_machines() {
    let text = format!("nvidia-55:gpu_type=1;mdev/{UUID}:gpu_type=2;vm/100:gpu_type=3");
    let uuid = Uuid::parse(UUID.as_bytes()).unwrap();
    let set = |target, value: &str| (target, "gpu_type", value.to_owned());
    let expected =
        [set(Target::Type(55), "1"), set(Target::Mdev(uuid), "2"), set(Target::Vm(100), "3")];
    assert_eq!(settings(&text), expected);
    assert_eq!(settings(&text.replace(UUID, &UUID.to_uppercase())), expected);
    assert_eq!(settings(&format!("{text};")), expected);
    let spaced = text.replace(';', " ; ").replace(':', "\t:\n").replace('=', " = ");
    assert_eq!(settings(&format!(" {spaced}\n")), expected);
}

#[test]
fn sections_whose_targets_others_have_are_left_out() {
    let (all, some) =
        (parse("nvidia-1:num_displays=1;nvidia-2:num_displays=2"), parse("nvidia-2:frl_config=30"));
    let left: Vec<_> = all.view().not_in(&some.view()).collect();
    assert_eq!(left, [b"nvidia-1:num_displays=1"]);
}

#[test]
fn a_section_has_one_setting_or_more() {
    assert_eq!(values("vm/1:num_displays=1"), ["1"]);
    assert_eq!(values("vm/1:num_displays=1,cuda_enabled=1 , frl_enabled = 0"), ["1", "1", "0"]);
    assert_eq!(values("vm/1:gpu_type=1;vm/1:gpu_type=2"), ["1", "2"]);
}

#[test]
fn every_key_takes_a_value_of_its_kind() {
    for key in Key::ALL {
        let (written, value) = match key.kind() {
            Kind::U32 => ("0xffffffff", "4294967295"),
            Kind::U64 => ("18446744073709551615", "18446744073709551615"),
            Kind::Switch => ("1", "1"),
            Kind::Size => ("1.5 GB", "1500000000"),
            Kind::Vram => ("384MiB", "402653184"),
            Kind::Text(_) => ("x", "\"x\""),
        };
        let text = format!("nvidia-1:{}={written}", key.name());
        assert_eq!(settings(&text), [(Target::Type(1), key.name(), value.to_owned())]);
    }
}

#[test]
fn numbers_are_decimal_or_hexadecimal() {
    assert_eq!(values("vm/1:gpu_type=0055"), ["55"]);
    assert_eq!(values("vm/1:gpu_type=0xAb"), ["171"]);
    assert_eq!(values("vm/1:bar1_length=0xffffffffffffffff"), ["18446744073709551615"]);
}

#[test]
fn sizes_have_a_unit_or_none() {
    for (written, bytes) in [
        ("0x74000000", "1946157056"),
        ("1946157056", "1946157056"),
        ("4GiB", "4294967296"),
        ("4  GiB", "4294967296"),
        ("0.5kB", "500"),
    ] {
        assert_eq!(values(&format!("vm/1:framebuffer={written},gpu_type=1"))[0], bytes);
        assert_eq!(values(&format!("vm/1:framebuffer={written} ;"))[0], bytes);
    }
}

#[test]
fn texts_are_bare_or_between_quotation_marks() {
    for (written, text) in [
        ("Quadro", "Quadro"),
        ("a=b:c/d%20e", "a=b:c/d e"),
        ("'GRID P40, 2Q; \"x\"'", "GRID P40, 2Q; \"x\""),
        ("\"it's\"", "it's"),
        ("'%27%22%25%5c'", "'\"%\\"),
        ("''", ""),
        ("\"\"", ""),
        ("Größe", "Größe"),
    ] {
        assert_eq!(values(&format!("vm/1:card_name={written}")), [format!("{text:?}")]);
        let in_between = format!("vm/1:card_name={written} , gpu_type=1");
        assert_eq!(values(&in_between), [format!("{text:?}"), "1".into()]);
    }
}

#[test]
fn the_longest_texts_are_those_of_the_fields() {
    for key in Key::ALL {
        if let Kind::Text(max) = key.kind() {
            let fits = format!("vm/1:{}={}", key.name(), "x".repeat(max));
            assert_eq!(parse(&fits).view().settings().count(), 1);
            let long = format!("{fits}x");
            let at = long.find('=').unwrap() + 1;
            let error = ParseError { at, what: key.name(), expected: key.kind().expected() };
            assert_eq!(ReadOverrides::parse(long.as_bytes()), Err(error));
            // What counts is what is written into the field.
            let escaped = format!("vm/1:{}={}", key.name(), "%78".repeat(max));
            assert_eq!(parse(&escaped).view().settings().count(), 1);
        }
    }
}

#[test]
fn every_error_has_its_place_and_says_what_was_expected() {
    const SECTION: &str = "a section: nvidia-N, mdev/UUID or vm/N";
    const NUMBER: &str = "a type's number, such as nvidia-55";
    const VM: &str = "a virtual machine's number, such as vm/100";
    const MDEV: &str = "a UUID such as 00000000-0000-0000-0000-000000000100";
    const END: &str = "a comma, a semicolon or the end";
    const QUOTE: &str = "a closing quotation mark";
    const ESCAPE: &str = "two hexadecimal digits behind %; %25 is a per cent sign";
    const ONCE: &str = "each key once in a section";
    const EITHER: &str = "either vram or framebuffer and its reservation";
    let u32s = Kind::U32.expected();
    let u64s = Kind::U64.expected();
    let sizes = Kind::Size.expected();
    let vrams = Kind::Vram.expected();
    let names = Kind::Text(63).expected();
    for (text, at, what, expected) in [
        // section
        ("x", 0, "section", SECTION),
        (";", 0, "section", SECTION),
        ("profile.nvidia-55:gpu_type=1", 0, "section", SECTION),
        ("vm/1:gpu_type=1;;", 16, "section", SECTION),
        ("vm/1:gpu_type=1;nvidia55:", 16, "section", SECTION),
        ("nvidia-:gpu_type=1", 7, "section", NUMBER),
        ("nvidia-x:gpu_type=1", 7, "section", NUMBER),
        ("nvidia-0x37:gpu_type=1", 7, "section", NUMBER),
        ("nvidia-55Q:gpu_type=1", 7, "section", NUMBER),
        ("nvidia-4294967296:gpu_type=1", 7, "section", NUMBER),
        ("vm/:gpu_type=1", 3, "section", VM),
        ("vm/-1:gpu_type=1", 3, "section", VM),
        ("vm/18446744073709551616:gpu_type=1", 3, "section", VM),
        ("mdev/100:gpu_type=1", 5, "section", MDEV),
        ("mdev/:gpu_type=1", 5, "section", MDEV),
        ("nvidia-55", 9, "section", ": behind the section"),
        ("nvidia-55 gpu_type=1", 10, "section", ": behind the section"),
        ("nvidia-55=gpu_type", 9, "section", ": behind the section"),
        // key
        ("vm/1:", 5, "key", EXPECTED_KEY),
        ("vm/1:=1", 5, "key", EXPECTED_KEY),
        ("vm/1:num_display=1", 5, "key", EXPECTED_KEY),
        ("vm/1:NUM_DISPLAYS=1", 5, "key", EXPECTED_KEY),
        ("vm/1:gpu_type=1,", 16, "key", EXPECTED_KEY),
        ("vm/1:gpu_type=1,;", 16, "key", EXPECTED_KEY),
        ("vm/1:gpu_type", 13, "gpu_type", "= behind the key"),
        ("vm/1:gpu_type:1", 13, "gpu_type", "= behind the key"),
        ("vm/1:gpu_type=1,gpu_type=1", 16, "gpu_type", ONCE),
        ("vm/1:vram=1GiB,framebuffer=1GiB", 15, "framebuffer", EITHER),
        ("vm/1:framebuffer_reservation=1GiB,vram=1GiB", 34, "vram", EITHER),
        ("vm/1:hidden=1", 5, "hidden", "the section of a type: only a type can be hidden"),
        // value
        ("vm/1:gpu_type=", 14, "gpu_type", u32s),
        ("vm/1:gpu_type=-1", 14, "gpu_type", u32s),
        ("vm/1:gpu_type=4294967296", 14, "gpu_type", u32s),
        ("vm/1:gpu_type=1GiB", 14, "gpu_type", u32s),
        ("vm/1:gpu_type=true", 14, "gpu_type", u32s),
        ("vm/1:gpu_type='1'", 14, "gpu_type", u32s),
        ("vm/1:pci_id=1b38", 12, "pci_id", u64s),
        ("vm/1:pci_id=18446744073709551616", 12, "pci_id", u64s),
        ("vm/1:cuda_enabled=true", 18, "cuda_enabled", "0 or 1"),
        ("vm/1:cuda_enabled=2", 18, "cuda_enabled", "0 or 1"),
        ("vm/1:cuda_enabled=", 18, "cuda_enabled", "0 or 1"),
        ("vm/1:framebuffer=", 17, "framebuffer", sizes),
        ("vm/1:framebuffer=4gb", 17, "framebuffer", sizes),
        ("vm/1:framebuffer=4 G", 17, "framebuffer", sizes),
        ("vm/1:framebuffer=1.5", 17, "framebuffer", sizes),
        ("vm/1:framebuffer='4GiB'", 17, "framebuffer", sizes),
        ("vm/1:vram=383MiB", 10, "vram", vrams),
        ("vm/1:vram=4", 10, "vram", vrams),
        ("vm/1:card_name=", 15, "card_name", names),
        ("vm/1:card_name=,", 15, "card_name", names),
        ("vm/1:card_name='x", 15, "card_name", QUOTE),
        ("vm/1:card_name=\"x'", 15, "card_name", QUOTE),
        ("vm/1:card_name=%4", 15, "card_name", ESCAPE),
        ("vm/1:card_name='ab%zz'", 18, "card_name", ESCAPE),
        ("vm/1:card_name=a%00", 16, "card_name", "no NUL, which would end the text"),
        ("vm/1:card_name='a\nb'", 17, "card_name", "a control character written as %XX"),
        ("vm/1:card_name=%ff", 15, "card_name", "text in UTF-8"),
        // behind the value
        ("vm/1:gpu_type=1 2", 16, "gpu_type", END),
        ("vm/1:card_name=GRID P40", 20, "card_name", END),
        ("vm/1:card_name='a'b", 18, "card_name", END),
        ("vm/1:gpu_type=1:2", 15, "gpu_type", END),
    ] {
        let error = ReadOverrides::parse(text.as_bytes()).expect_err(text);
        assert_eq!(error, ParseError { at, what, expected }, "{text}");
        let said = error.to_string();
        assert!(said.starts_with(&format!("byte {at}, {what}: expected ")), "{said}");
    }
}

#[test]
fn the_value_in_force_can_be_asked_for() {
    let text = "vm/100:max_instances=3;nvidia-55:max_instances=1,hidden=1;\
                nvidia-56:hidden=1;nvidia-56:hidden=0";
    let read = parse(text);
    let overrides = read.view();
    let uuid = Uuid::parse(b"00000001-0000-0000-0000-000000000100");
    let value = |vgpu_type, mdev| overrides.value(Which { vgpu_type, mdev }, Key::MaxInstances);
    assert_eq!(value(55, None), Some(Value::Number(1)));
    assert_eq!(value(55, uuid), Some(Value::Number(3)));
    assert_eq!(value(57, uuid), Some(Value::Number(3)));
    assert_eq!(value(57, None), None);
    assert_eq!([55, 56, 57].map(|t| overrides.hides(t)), [true, false, false]);
    assert_eq!(overrides.text(), text.as_bytes());
}

/// What the kernel makes of `name="value"` on its command line or from modprobe: quotation marks
/// keep spaces together, and the outermost pair is taken off (`next_arg` in lib/cmdline.c).
fn kernel_reads(args: &str) -> Vec<(String, String)> {
    let mut quoted = false;
    let split = args.split(|c: char| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    });
    split
        .map(|arg| {
            let (name, value) = arg.split_once('=').unwrap();
            let value = match value.strip_prefix('"') {
                Some(value) => value.strip_suffix('"').unwrap_or(value),
                None => value,
            };
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn modprobe_and_the_kernels_command_line_carry_every_text() {
    let wanted = ["\"My \\\"GPU\\\"\"".to_owned(), "1".to_owned()];
    for args in [
        r#"enabled=1 overrides="vm/100:card_name='My %22GPU%22',gpu_type=1" migration=1"#,
        r#"enabled=1 overrides=vm/100:card_name=My%20%22GPU%22,gpu_type=1 migration=1"#,
    ] {
        let read = kernel_reads(args);
        assert_eq!(read.len(), 3);
        assert_eq!(read[1].0, "overrides");
        assert_eq!(values(&read[1].1), wanted);
    }
}
