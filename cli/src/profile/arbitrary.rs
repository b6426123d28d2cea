// SPDX-License-Identifier: GPL-2.0
//! Sections with whatever can stand in them, for tests.

use proptest::prelude::*;

use vgpu_unlock::params::overrides::target::Target;
use vgpu_unlock::profile::{Key, Kind, Uuid, VRAM_MIN};

use super::write::{self, Section, Value};

/// A value that a key can have.
fn value(key: Key) -> BoxedStrategy<Value> {
    let number = |numbers: std::ops::RangeInclusive<u64>| numbers.prop_map(Value::Number).boxed();
    match key.kind() {
        Kind::U32 => number(0..=u32::MAX.into()),
        Kind::Switch => number(0..=1),
        Kind::U64 => number(0..=u64::MAX),
        Kind::Size => sizes(0),
        Kind::Vram => sizes(VRAM_MIN),
        Kind::Text(max) => text(max),
    }
}

/// Whole units as often as any other number of bytes.
fn sizes(min: u64) -> BoxedStrategy<Value> {
    let whole = (1u64..1 << 20, prop::sample::select(vec![0u32, 10, 20, 30, 40]));
    let whole = whole.prop_map(move |(number, shift)| (number << shift).max(min));
    prop_oneof![whole, min..=u64::MAX].prop_map(Value::Number).boxed()
}

/// Characters that someone on the way takes for himself are as frequent as all others together.
fn text(max: usize) -> BoxedStrategy<Value> {
    let special: Vec<char> = "'\"\\%$`;,=:# \t\n\u{7f}\u{a0}à\u{85}🎮".chars().collect();
    let character = prop_oneof![prop::sample::select(special), "[^\0]".prop_map(first)];
    let characters = prop::collection::vec(character, 0..=max);
    let cut = move |characters: Vec<char>| {
        let mut text = String::new();
        for c in characters {
            if text.len() + c.len_utf8() <= max {
                text.push(c);
            }
        }
        Value::Text(text)
    };
    characters.prop_map(cut).boxed()
}

fn first(text: String) -> char {
    text.chars().next().unwrap_or('x')
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        any::<u32>().prop_map(Target::Type),
        any::<[u8; 16]>().prop_map(|bytes| Target::Mdev(Uuid::from_bytes(bytes))),
        any::<u64>().prop_map(Target::Vm),
    ]
}

/// A section as it may be: no key twice, nor one that sets the same as another.
pub fn section() -> impl Strategy<Value = (Target, Vec<(Key, Value)>)> {
    let keys = prop::sample::subsequence(Key::ALL.to_vec(), 0..=Key::ALL.len()).prop_shuffle();
    (target(), keys).prop_flat_map(|(target, keys)| {
        let (mut taken, mut kept) = (0, Vec::new());
        for key in keys {
            let elsewhere = key == Key::Hidden && !matches!(target, Target::Type(_));
            if taken & key.conflicts() == 0 && !elsewhere {
                taken |= key.bit();
                kept.push(key);
            }
        }
        let settings: Vec<_> = kept.into_iter().map(|key| (Just(key), value(key))).collect();
        (Just(target), settings)
    })
}

/// The same as it is written.
pub fn named((target, settings): &(Target, Vec<(Key, Value)>)) -> Section {
    Section { target: write::target(*target), settings: settings.clone() }
}
