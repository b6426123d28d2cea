// SPDX-License-Identifier: GPL-2.0
//! Files of vgpu_unlock-rs and what becomes of them.

use super::*;

fn import(text: &str) -> Import {
    let mut import = Import::default();
    import.profiles("p.toml", text);
    import
}

/// The value of a parameter in what was written.
fn parameter(import: &Import, name: &str) -> String {
    let conf = import.modprobe_conf().unwrap_or_else(|e| panic!("{e}\n{}", import.report()));
    let (_, rest) = conf.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{conf}"));
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_right_file_is_taken_over() {
    let text = r#"
# A comment.
[profile.nvidia-55]
num_displays = 1
display_width = 1920
cuda_enabled = 1
framebuffer = 0x74000000
framebuffer_reservation = "192 MiB"
card_name = "My \"GPU\""
pci_id = 0x1b3811f5

[vm.100]
frl_enabled = 0
[mdev.00000000-0000-0000-0000-000000000200]
bar1_length = 256
adapter_name = "Größe"
"#;
    let import = import(text);
    assert_eq!(
        parameter(&import, "overrides"),
        "nvidia-55:num_displays=1,display_width=1920,cuda_enabled=1,framebuffer=1856MiB,\
         framebuffer_reservation=192MiB,card_name='My %22GPU%22',pci_id=0x1b3811f5;\
         vm/100:frl_enabled=0;\
         mdev/00000000-0000-0000-0000-000000000200:bar1_length=0x100,adapter_name='Größe'"
    );
    let report = import.report();
    for line in [
        "p.toml:4: nvidia-55: the number of displays becomes 1",
        "p.toml:6: nvidia-55: CUDA in the guest becomes on",
        "p.toml:7: nvidia-55: the guest's video memory becomes 1856MiB (1946157056 bytes)",
        "p.toml:9: nvidia-55: the type's name becomes \"My \\\"GPU\\\"\"",
        "p.toml:13: vm/100: the frame rate limiter becomes off",
        "note: nvidia-55: vram=2GiB says the same",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert!(!report.contains("warning") && !report.contains("error"));
}

#[test]
fn what_the_old_library_ignores_is_said_and_left_out() {
    for (text, said) in [
        ("[profile.nvidia-55]\nnum_display = 1", "2: warning: nvidia-55: num_display is ignored"),
        ("[profile.nvidia-55]\nnum_display = 1", "is num_displays meant?"),
        ("[profile.nvidia-55]\nwhatever = 1", "no such key; vgpu_unlock-rs ignores it too"),
        ("[profiles.nvidia-55]\nnum_displays = 1", "1: warning: [profiles] is ignored"),
        ("[profile.55]\nnum_displays = 1", "1: warning: [profile.55] is ignored"),
        ("[profile.nvidia-055]\nnum_displays = 1", "a type is nvidia-N"),
        ("[mdev.100]\nnum_displays = 1", "this is no UUID"),
        ("[vm.web]\nnum_displays = 1", "a machine is a number"),
        ("[vm.0100]\nnum_displays = 1", "a machine is a number"),
    ] {
        let import = import(text);
        assert!(import.report().contains(said), "{said}\n{}", import.report());
        let conf = import.modprobe_conf().unwrap();
        assert!(conf.ends_with("\noptions vgpu_unlock\n"), "{conf}");
    }
}

#[test]
fn what_the_old_library_dies_on_is_taken_where_it_is_clear() {
    for (line, taken, said) in [
        ("cuda_enabled = true", "cuda_enabled=1", "true is taken as 1"),
        ("frl_enabled = false", "frl_enabled=0", "false is taken as 0"),
        ("cuda_enabled = 7", "cuda_enabled=1", "7 is taken as 1"),
        ("num_displays = \"2\"", "num_displays=2", "the quotes are not needed"),
        ("pci_id = \"0x1b3811f5\"", "pci_id=0x1b3811f5", "the quotes are not needed"),
        ("framebuffer = \"0x74000000\"", "framebuffer=1856MiB", "hexadecimal in quotes"),
        ("framebuffer = 1_000", "framebuffer=0x3e8", "is 1000MiB meant?"),
        ("framebuffer = \" 1.5 GB \"", "framebuffer=0x59682f00", "write framebuffer = \"1536MiB\""),
        ("framebuffer = \".5GiB\"", "framebuffer=512MiB", ""),
        ("framebuffer = \"3.\\tMiB\"", "framebuffer=3MiB", ""),
        ("framebuffer = \"1.1234567 GiB\"", "framebuffer=0x47e6b6ee", "no whole number of pages"),
        ("vram = \"4GiB\"", "vram=4GiB", ""),
    ] {
        let import = import(&format!("[profile.nvidia-1]\n{line}"));
        assert_eq!(parameter(&import, "overrides"), format!("nvidia-1:{taken}"));
        let report = import.report();
        assert!(report.contains(said), "{report}");
        assert_eq!(report.contains("warning"), !said.is_empty(), "{report}");
    }
    let upper = import("[mdev.2B7BC7E4-8784-4933-8613-9BC92BBC718C]\ngpu_type=1");
    assert!(upper.report().contains("takes effect now"));
    assert!(parameter(&upper, "overrides").starts_with("mdev/2b7bc7e4-8784"));
}

#[test]
fn long_names_are_warned_of_where_older_drivers_have_no_room() {
    let text = format!("[profile.nvidia-1]\ncard_name = \"{}\"", "x".repeat(32));
    let import = import(&text);
    assert!(
        import.report().contains("2: warning: nvidia-1: card_name: 32 bytes: drivers before 580")
    );
    assert!(import.modprobe_conf().is_ok());
}

#[test]
fn what_is_wrong_keeps_anything_from_being_written() {
    for (line, said) in [
        ("num_displays = -1", "-1 is negative"),
        ("num_displays = 4294967296", "4294967296 is too large"),
        ("num_displays = 1.5", "write a number"),
        ("num_displays = \"two\"", "\"two\" is no number"),
        ("framebuffer = \"4G\"", "write 4GiB"),
        ("framebuffer = \"4gib\"", "write 4GiB"),
        ("framebuffer = \"4 gb\"", "write 4GB"),
        ("framebuffer = \"lots\"", "is no size"),
        ("framebuffer = \"1.2.3GiB\"", "is no size: write bytes"),
        ("framebuffer = \"1 5GiB\"", "is no size: write bytes"),
        ("framebuffer = \".GiB\"", "is no size: write bytes"),
        ("framebuffer = \"20000000TiB\"", "is no size: write bytes"),
        ("framebuffer = \"\"", "is no size"),
        ("framebuffer = 1.5", "in quotes"),
        ("framebuffer = true", "in quotes"),
        ("vram = \"128MiB\"", "at least 384MiB"),
        ("card_name = 1", "in quotes"),
        ("card_name = \"a\\u0000b\"", "a NUL"),
        ("num_displays = ", "this is not TOML"),
        ("num_displays = 1\nnum_displays = 2", "this is not TOML"),
    ] {
        let import = import(&format!("[profile.nvidia-1]\n{line}"));
        let report = import.report();
        assert!(report.contains("error: ") && report.contains(said), "{said}\n{report}");
        assert!(import.modprobe_conf().is_err());
    }
    let long = import(&format!("[vm.1]\nfeatures = \"{}\"", "x".repeat(128)));
    assert!(long.report().contains("128 bytes, but the field takes 127"));
    assert!(import("profile = 1").report().contains("profile must be a section"));
    for (text, said) in [
        (
            "[vm.1]\nvram = \"1GiB\"\nframebuffer = 1",
            "p.toml:3: error: vm/1: framebuffer stands beside",
        ),
        ("[vm.1]\nvram = \"1GiB\"\nframebuffer = 1", "write either vram or framebuffer"),
        ("[vm.1]\nhidden = 1", "p.toml:2: error: vm/1: hidden: only a type can be hidden"),
    ] {
        let import = import(text);
        assert!(import.report().contains(said), "{}", import.report());
        assert!(import.modprobe_conf().is_err());
    }
}

#[test]
fn more_than_a_parameter_holds_is_refused() {
    let text: String = (0..200)
        .map(|n| format!("[profile.nvidia-{n}]\nnum_displays = 1\n"))
        .collect::<Vec<_>>()
        .concat();
    let import = import(&text);
    let error = import.modprobe_conf().unwrap_err().to_string();
    assert!(error.contains("a parameter holds 4094"), "{error}");
    assert!(error.contains("write /etc/vgpu_unlock/overrides.toml"), "{error}");
    assert_eq!(import.overrides_toml().unwrap(), Some(text));
}

#[test]
fn the_configuration_is_taken_over() {
    let mut import = Import::default();
    import.config(
        "c.toml",
        "unlock = false\nunlock_migration = true\n[pci_info_map]\n\
         0x1b06 = { device_id = 0x1b38, sub_system_id = 0x11a0 }\n\
         6918 = { device_id = 5042, sub_system_id = 0 }\nother = 1",
    );
    assert!(import.modprobe_conf().is_err(), "`other` is no device ID");
    let mut import = Import::default();
    import.config(
        "c.toml",
        "unlock = false\nunlock_migration = true\n[pci_info_map]\n\
         0x1b06 = { device_id = 0x1b38, sub_system_id = 0x11a0 }\n\
         6919 = { device_id = 5042, sub_system_id = 0 }\n",
    );
    let conf = import.modprobe_conf().unwrap();
    assert!(conf.ends_with("options vgpu_unlock migration=1 gpus=\"any=off\"\n"), "{conf}");
    let report = import.report();
    assert!(report.contains("c.toml:1: unlock = false: gpus=any=off keeps every board as it is"));
    assert!(report.contains("c.toml:4: 1b06=1b38:11a0 is left out: unlock = false"), "{report}");
    for (text, said) in [
        ("unlock = 1", "write true or false"),
        ("pci_info_map = 1", "must be a table"),
        ("[pci_info_map]\n1b06 = { device_id = 1, sub_system_id = 1 }", "is no device ID"),
        ("[pci_info_map]\n0x1b06 = { device_id = 65536, sub_system_id = 1 }", "up to 0xffff"),
        ("[pci_info_map]\n0x1b06 = { device_id = 1 }", "sub_system_id must be"),
    ] {
        let mut import = Import::default();
        import.config("c.toml", text);
        assert!(import.report().contains(said), "{said}\n{}", import.report());
        assert!(import.modprobe_conf().is_err());
    }
    let mut import = Import::default();
    import.config("c.toml", "unlok = true");
    assert!(import.report().contains("warning: unlok is ignored"));
}

/// What `unlock = false` switches off there is less than what `enabled=0` does here.
#[test]
fn overrides_survive_that_the_board_is_not_to_be_unlocked() {
    for (overrides, config, expected) in [
        ("", "unlock = false", " enabled=0\n"),
        ("[vm.1]\n[vm.2]\nwhatever = 1", "unlock = false", " enabled=0\n"),
        (
            "[vm.1]\ngpu_type = 1",
            "unlock = false",
            " gpus=\"any=off\" overrides=\"vm/1:gpu_type=1\"\n",
        ),
        ("", "unlock = false\nunlock_migration = true", " migration=1 gpus=\"any=off\"\n"),
        ("", "unlock_migration = false\nunlock = false", " enabled=0\n"),
        ("", "pci_info_map.7 = { device_id = 8, sub_system_id = 9 }", " gpus=\"0007=0008:0009\"\n"),
        (
            "[vm.1]\ngpu_type = 1",
            "pci_info_map.7 = { device_id = 8, sub_system_id = 9 }\nunlock = false",
            " gpus=\"any=off\" overrides=\"vm/1:gpu_type=1\"\n",
        ),
        ("[vm.1]\ngpu_type = 1", "unlock = true", " overrides=\"vm/1:gpu_type=1\"\n"),
    ] {
        let mut import = import(overrides);
        import.config("c.toml", config);
        let conf = import.modprobe_conf().unwrap();
        assert!(conf.ends_with(&format!("options vgpu_unlock{expected}")), "{conf}");
        let kept = import.report().contains("gpus=any=off keeps every board as it is");
        assert_eq!(kept, conf.contains("any=off"), "{}", import.report());
    }
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of files, right and wrong.
    fn pieces() -> impl Strategy<Value = String> {
        let known: Vec<&str> = vec![
            "\n",
            "\r\n",
            "\t",
            " ",
            " = ",
            "=",
            "==",
            ":",
            ",",
            ";",
            "#",
            "//",
            "[",
            "]",
            "[[",
            "{",
            "}",
            "\"",
            "'",
            "\"\"\"",
            "“",
            "”",
            "\u{a0}",
            "\u{feff}",
            ".",
            "-",
            "profile",
            "nvidia-",
            "mdev",
            "vm",
            "unlock",
            "pci_info_map",
            "framebuffer",
            "vram",
            "vgpu_type",
            "pci_id",
            "max_pixels",
            "hidden",
            "2b7bc7e4-8784-4933-8613-9bc92bbc718c",
            "0x",
            "1b30",
            "55",
            "4GiB",
            "2 GB",
            "1,5",
            "true",
            "NVS",
            "é",
            "🎮",
            "9".repeat(20).leak(),
            "1e9",
            "nan",
            "1979-05-27",
        ];
        let piece =
            prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => ".{0,3}"];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn is_taken_or_refused_with_a_reason(text in pieces()) {
            let mut import = Import::default();
            import.files(&[("overrides", &text), ("config.toml", &text)]);
            let lines = text.lines().count() + 1;
            for line in import.report().lines() {
                let place = line.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
                prop_assert!(place.is_some_and(|place| (1..=lines).contains(&place)), "{line}");
            }
            let refused = import.report().contains(": error: ");
            prop_assert_eq!(import.parameters_conf().is_err(), refused);
            // What is not refused, the module takes.
            prop_assert!(refused || import.modprobe_conf().is_ok(), "{}", import.report());
        }
    }
}
