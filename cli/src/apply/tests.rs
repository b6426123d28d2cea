// SPDX-License-Identifier: GPL-2.0
//! Files of users and a module that takes them, or does not.

mod fake;

use proptest::prelude::*;
use vgpu_unlock::profile::Key;

use self::fake::{Age, Fake};
use super::*;
use crate::profile::{
    Value,
    arbitrary::{named, section},
    overrides_toml, settings, written_target,
};

const OLD: &str = "nvidia-46:framebuffer=1GiB;vm/7:num_displays=1";

/// A file that is read.
fn import(toml: &str) -> Import {
    let mut import = Import::default();
    import.profiles("overrides.toml", toml);
    import
}

fn wanted(toml: &str) -> Wanted {
    Wanted::of(&import(toml)).unwrap()
}

/// So many sections of seven keys each, as one for each of 24 vGPUs.
fn many(count: usize) -> String {
    let section = |i: usize| {
        format!(
            "[mdev.00000000-0000-0000-0000-{i:012}]\ncard_name = \"GPU number {i}; 'ours'\"\nnum_displays = 1\n\
             display_width = 1920\ndisplay_height = 1080\nmax_pixels = 2073600\nframebuffer = \"{}MiB\"\n\
             pci_id = 0x1b3811a0\n",
            i + 512
        )
    };
    (0..count).map(section).collect()
}

fn load(fake: &Fake, wanted: &Wanted) -> Result<()> {
    let host = fake.host.borrow().host();
    Step::new(&host, wanted).load(fake)
}

/// An error with all that led to it.
fn said(result: Result<()>) -> String {
    format!("{:#}", result.unwrap_err())
}

fn in_force_of(fake: &Fake) -> String {
    fake.in_force.borrow().join(";")
}

fn written(fake: &Fake) -> Vec<(String, String)> {
    fake.writes.borrow().clone()
}

#[test]
fn more_than_a_page_is_loaded_in_pieces() {
    let (fake, wanted) = (Fake::new(Age::Today, OLD), wanted(&many(24)));
    assert!(wanted.bytes() > MAX_PARAMETER);
    load(&fake, &wanted).unwrap();
    assert_eq!(in_force_of(&fake), wanted.text);
    let writes = written(&fake);
    assert!(writes.iter().all(|(name, value)| name == "overrides_part" && value.len() <= 4094));
    let values: Vec<_> = writes.iter().map(|(_, value)| &value[..]).collect();
    assert!(matches!(values[..], ["begin", _, _, "commit"]), "{values:?}");
    // The parameter does not show it all any more, debugfs does.
    let host = fake.host.borrow().host();
    assert_eq!(Step::new(&host, &wanted).changes().unwrap(), []);
}

#[test]
fn what_changes_is_told_before() {
    let toml = "[profile.nvidia-46]\nframebuffer = \"2GiB\"\n[vm.8]\nnum_displays = 2\n";
    let (fake, wanted) = (Fake::new(Age::Today, OLD), wanted(toml));
    let host = fake.host.borrow().host();
    let changes = Step::new(&host, &wanted).changes().unwrap();
    let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "nvidia-46: framebuffer 1GiB -> 2GiB",
            "vm/8: num_displays not set -> 2",
            "vm/7: num_displays 1 -> not set",
        ]
    );
    assert_eq!(written(&fake), []);
}

#[test]
fn what_is_refused_leaves_what_is_in_force() {
    let wanted = wanted(&many(24));
    for (at, error, words) in [
        (0, 22, "writing \"begin\""),
        (1, 22, "writing piece 1 of 2"),
        (2, 22, "journalctl -k -g vgpu_unlock"),
        (2, 12, "Cannot allocate memory"),
        (3, 12, "writing \"commit\""),
        (0, 13, "(needs root)"),
    ] {
        let fake = Fake::new(Age::Today, OLD);
        fake.fails.set(Some((at, error)));
        let said = said(load(&fake, &wanted));
        let stays =
            "nothing was loaded; what was in force stays: 2 settings of 2 targets: writing ";
        assert!(said.starts_with(stays) && said.contains(words), "{said}");
        assert_eq!(in_force_of(&fake), OLD);
        assert_eq!(written(&fake).last().unwrap().1, "abort");
        // What was staged is gone: the next one starts anew.
        fake.fails.set(None);
        load(&fake, &wanted).unwrap();
        assert_eq!(in_force_of(&fake), wanted.text);
    }
}

#[test]
fn an_old_module_gets_what_it_takes() {
    let fake = Fake::new(Age::Old, OLD);
    let wanted = |toml: &str| Wanted::of(&import(toml)).unwrap();
    load(&fake, &wanted(&many(3))).unwrap();
    assert_eq!(in_force_of(&fake), wanted(&many(3)).text);
    let before = in_force_of(&fake);
    let said = said(load(&fake, &wanted(&many(24))));
    for words in ["what was in force stays: 21 settings of 3 targets", "takes 4094 bytes", "older"]
    {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(in_force_of(&fake), before);
    load(&fake, &wanted("")).unwrap();
    assert_eq!(in_force_of(&fake), "");
    assert!(written(&fake).iter().all(|(name, _)| name == "overrides"));
}

#[test]
fn a_file_that_is_wrong_or_too_large_asks_for_nothing() {
    let error = Wanted::of(&import("[vm.1]\nnum_displays = \"two\"\n[vm.2]\ngpu_type = 1\n"));
    assert!(error.unwrap_err().to_string().contains("what is in force stays"));
    let count = MAX_OVERRIDES / 150;
    let error = Wanted::of(&import(&many(count))).unwrap_err().to_string();
    assert!(error.contains("the module holds 65536"), "{error}");
}

#[test]
fn what_the_module_took_is_looked_at() {
    /// Takes everything and does nothing.
    struct Deaf;
    impl Parameter for Deaf {
        fn write(&mut self, _: &str) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl Module for Deaf {
        fn open(&self, _: &str) -> std::io::Result<Box<dyn Parameter + '_>> {
            Ok(Box::new(Deaf))
        }
    }
    let (fake, wanted) = (Fake::new(Age::Today, OLD), wanted("[vm.7]\nnum_displays = 2\n"));
    let host = fake.host.borrow().host();
    let said = said(Step::new(&host, &wanted).load(&Deaf));
    assert!(said.contains("has something else in force: vm/7: num_displays 1 -> 2"), "{said}");
    // Where it can't be looked at, its word has to do.
    fake.host
        .borrow_mut()
        .refuse("/sys/kernel/debug")
        .refuse("/sys/module/vgpu_unlock/parameters/overrides");
    let host = fake.host.borrow().host();
    let step = Step::new(&host, &wanted);
    assert!(step.changes().unwrap_err().needs_root);
}

/// Every setting as the module reads it, those of a target in their order.
fn by_target(text: &str) -> Vec<(String, Key, Value)> {
    let settings = settings(text).unwrap().into_iter();
    let mut settings: Vec<_> =
        settings.map(|(target, key, value)| (written_target(target), key, value)).collect();
    settings.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    settings
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_committed_is_what_the_file_says(
        sections in prop::collection::vec(section(), 0..25),
        before in prop::collection::vec(section(), 0..3),
        fails in prop::option::weighted(0.2, (0..4_usize, Just(22))),
    ) {
        let mut sections: Vec<_> = sections.iter().map(named).collect();
        // A file has each section once.
        let mut targets = vec![];
        sections.retain(|section| {
            let new = !targets.contains(&section.target);
            targets.push(section.target.clone());
            new
        });
        let before = overrides(&before.iter().map(named).collect::<Vec<_>>());
        let fake = Fake::new(Age::Today, &before);
        fake.fails.set(fails);
        let import = import(&overrides_toml(&sections));
        prop_assert_eq!(import.errors(), "");
        let wanted = match Wanted::of(&import) {
            Ok(wanted) => wanted,
            Err(error) => {
                prop_assert!(overrides(&sections).len() > MAX_OVERRIDES, "{}", error);
                return Ok(());
            }
        };
        let loaded = load(&fake, &wanted);
        let writes = written(&fake);
        prop_assert!(writes.iter().all(|(_, value)| value.len() <= 4094));
        let failed = fails.is_some_and(|(at, _)| writes.len() > at);
        prop_assert_eq!(loaded.is_err(), failed, "{:?}", loaded);
        let expected = if failed { before } else { overrides(&sections) };
        prop_assert_eq!(by_target(&in_force_of(&fake)), by_target(&expected));
    }
}
