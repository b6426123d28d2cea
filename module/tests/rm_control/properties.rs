// SPDX-License-Identifier: GPL-2.0
//! What must hold for all calls, parameters and overrides there can be.

use proptest::prelude::*;

use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::{Gpus, Which};
use vgpu_unlock::profile::{Key, Kind};
use vgpu_unlock::rm_control::{edit, fields, layout, Call, Policy, ProcessMemory, Verdict};

/// A command, more often than not one of ours.
fn command() -> impl Strategy<Value = u32> {
    prop_oneof![
        prop::sample::select(vec![
            0xc01u32,
            0xc02,
            0x80_0289,
            0x2080_1801,
            0x2080_014b,
            0x9096_0103,
            0xa081_0103,
            0xa081_0112,
            0xa082_0102,
            0xa082_0104,
        ]),
        any::<u32>(),
    ]
}

/// Parameters, more often than not of a length that a command has.
fn parameters() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        1usize, 4, 8, 16, 32, 40, 1056, 1840, 1848, 1872, 2328, 4536, 4960, 5096, 5232, 5424, 5432,
    ];
    let size = prop_oneof![4 => prop::sample::select(known), 1 => 0usize..6000];
    (size, any::<u64>()).prop_map(|(size, seed)| {
        let byte =
            |i: usize| (seed.rotate_left((i % 61) as u32).wrapping_mul(i as u64 | 1) >> 24) as u8;
        (0..size).map(byte).collect()
    })
}

/// A value for a key, as it is written.
fn value(kind: Kind) -> BoxedStrategy<String> {
    let text = |max: usize| {
        let plain = prop::collection::vec("[ -$&-~äß]", 0..=max / 2).prop_map(|c| c.concat());
        plain.prop_map(|text| format!("'{}'", text.replace('\'', "%27"))).boxed()
    };
    match kind {
        Kind::U32 => any::<u32>().prop_map(|n| n.to_string()).boxed(),
        Kind::U64 => any::<u64>().prop_map(|n| format!("{n:#x}")).boxed(),
        Kind::Switch => any::<bool>().prop_map(|on| u8::from(on).to_string()).boxed(),
        Kind::Size => (0..9999u32, "(kB|MiB|GiB|TB)").prop_map(|(n, u)| format!("{n}{u}")).boxed(),
        Kind::Vram => (384..99999u32).prop_map(|n| format!("{n}MiB")).boxed(),
        Kind::Text(max) => text(max),
    }
}

/// A section of settings for type 55, and the keys in it.
fn section() -> impl Strategy<Value = (String, Vec<Key>)> {
    let keys = prop::sample::subsequence(Key::ALL.to_vec(), 1..Key::ALL.len());
    keys.prop_flat_map(|mut keys| {
        if keys.contains(&Key::Vram) {
            keys.retain(|key| key.conflicts() == 0 || *key == Key::Vram);
        }
        let values: Vec<_> = keys.iter().map(|key| value(key.kind())).collect();
        (values, Just(keys)).prop_map(|(values, keys)| {
            let settings: Vec<_> = keys
                .iter()
                .zip(values)
                .map(|(key, value)| format!("{}={value}", key.name()))
                .collect();
            (format!("nvidia-55:{}", settings.join(",")), keys)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_changes_but_what_the_verdict_says(
        cmd in command(),
        status in prop_oneof![Just(0u32), Just(3), Just(0x56), any::<u32>()],
        mut params in parameters(),
        (text, _) in section(),
        migration: bool,
    ) {
        let gpus = Gpus::default();
        let read = ReadOverrides::parse(text.as_bytes()).unwrap();
        let overrides = read.view();
        let policy = Policy { boards: &gpus, migration, overrides, overrides_only: false };
        let before = params.clone();
        let mut call = Call { cmd, status, params: &mut params };
        let verdict = edit(&mut call, &policy, &mut ProcessMemory::new());
        let after = call.status;
        match verdict {
            Verdict::Untouched | Verdict::UnknownSize => {
                prop_assert_eq!(after, status);
                prop_assert_eq!(&params, &before);
            }
            Verdict::Edited(edited) => {
                prop_assert_eq!(edited.status, after != status);
                prop_assert!(edited.status || !edited.params.is_empty());
                let (start, end) = (edited.params.start, edited.params.end);
                prop_assert_eq!(&params[..start], &before[..start]);
                prop_assert_eq!(&params[end..], &before[end..]);
                if !edited.params.is_empty() {
                    prop_assert_ne!(params[start], before[start]);
                    prop_assert_ne!(params[end - 1], before[end - 1]);
                }
            }
        }
        prop_assert!(status != 3 || after == 3);
        // What is shown of any parameters is never out of bounds.
        prop_assert!(fields(cmd, &params).count() <= 25);
    }

    #[test]
    fn only_the_fields_of_the_keys_given_change(
        (text, keys) in section(),
        which in 0..structures::all().len(),
    ) {
        let structure = &structures::all()[which];
        let gpus = Gpus::default();
        let read = ReadOverrides::parse(text.as_bytes()).unwrap();
        let overrides = read.view();
        prop_assert_eq!(overrides.settings().count(), keys.len());
        let policy = Policy { boards: &gpus, migration: false, overrides, overrides_only: false };
        let before = structure.filled(55);
        let mut params = before.clone();
        let mut call = Call { cmd: structure.cmd, status: 0, params: &mut params };
        edit(&mut call, &policy, &mut ProcessMemory::new());
        let mut may_change = vec![false; structure.size];
        for key in keys {
            let names: &[&str] = match key {
                Key::Vram => &["fbLength", "fbReservation"],
                Key::AdapterName => &["adapterName", "adapterName_Unicode"],
                _ => &[],
            };
            let place = key.field().and_then(|f| layout::of(structure.cmd, structure.size)?.place(f));
            for (at, len) in names.iter().filter_map(|n| structure.place(n)).chain(place) {
                may_change[at..at + len].fill(true);
            }
        }
        for (at, may) in may_change.iter().enumerate() {
            prop_assert!(*may || params[at] == before[at], "{}: byte {at}", structure.name);
        }
    }

    #[test]
    fn a_text_that_is_not_right_is_refused_and_never_panics(
        (text, _) in section(),
        at: prop::sample::Index,
        byte: u8,
        cut: bool,
    ) {
        let mut text = text.into_bytes();
        let at = at.index(text.len());
        if cut { text.truncate(at) } else { text[at] = byte }
        match ReadOverrides::parse(&text) {
            Ok(read) => prop_assert!(read.view().settings().count() <= Key::ALL.len()),
            Err(error) => {
                prop_assert!(error.at <= text.len());
                prop_assert!(!error.what.is_empty() && !error.expected.is_empty());
            }
        }
    }

    #[test]
    fn any_bytes_can_be_read(text in prop::collection::vec(any::<u8>(), 0..300)) {
        match ReadOverrides::parse(&text) {
            Ok(read) => {
                let which = Which { vgpu_type: 55, mdev: None };
                prop_assert!(read.view().matching(which).count() <= text.len());
            }
            Err(error) => prop_assert!(error.at <= text.len()),
        }
        if let Err(error) = Gpus::parse(&text) {
            prop_assert!(error.at <= text.len());
        }
        // As what another text was read as, they do no harm.
        let other = ReadOverrides::parse(b"nvidia-55:card_name='another text',vram=4GiB").unwrap();
        let which = Which { vgpu_type: 55, mdev: None };
        prop_assert_eq!(other.view_of(&text).matching(which).count(), 2);
    }
}
