// SPDX-License-Identifier: GPL-2.0
//! What the mdev core's files say about vGPU types: the driver's own text with what is overridden,
//! and nothing else about it changed.

use vgpu_unlock::{
    host::ReadOverrides,
    mdev::{Line, Told, describe, max_instance, number},
    profile::Key,
};

use super::texts;
use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "types",
    run,
    seeds: || {
        let factory = "\nnvidia-46\n24\nnum_heads=4, frl_config=60, framebuffer=1024M, \
            max_resolution=5120x2880, max_instance=24";
        let overrides = [
            "",
            "nvidia-46:num_displays=1,max_instances=3,card_name='My GPU'",
            "nvidia-46:vram=4GiB,display_width=1920",
            "nvidia-46:framebuffer=2GiB,frl_config=144,display_height=1",
        ];
        texts(&overrides.map(|text| format!("{text}{factory}")).each_ref().map(String::as_str))
    },
    words: || {
        let mut words: Vec<_> = Key::ALL.into_iter().map(Key::name).collect();
        words.extend(["nvidia-46:", "num_heads=", "frl_config=", "framebuffer=", "max_instance="]);
        words.extend(["max_resolution=", "M, ", "x"]);
        words
    },
    max_len: 600,
};

/// The type that is overridden.
const TYPE: u32 = 46;

const SHOWN: [&str; 5] =
    ["num_heads", "frl_config", "framebuffer", "max_resolution", "max_instance"];

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let read = ReadOverrides::parse(input.line()).unwrap_or_default();
    let overrides = read.view();
    let told = Told::of(&overrides, TYPE);
    named(input.line(), &told);
    let driver = input.line();
    let description = input.rest();

    let available = told.available(driver, description);
    let all = std::str::from_utf8(driver).ok().and_then(|text| text.parse::<u32>().ok());
    assert!(available.is_none_or(|fewer| all.is_some_and(|all| fewer <= all)));

    let Ok(description) = std::str::from_utf8(description) else { return };
    let mut line = Line::new();
    let described = describe(&told, description, &mut line).map(|()| line.as_str());
    if told.nothing() {
        let room = Line::new().put(description).is_some();
        return assert_eq!(described, room.then_some(description));
    }
    let Some(described) = described else { return };
    is_the_same_but_for_overrides(description, described);
    if let Some(most) = max_instance(description.as_bytes()) {
        assert!(max_instance(described.as_bytes()).is_some_and(|now| now <= most));
    }
    // Said again it is right already; but half an override of the memory is of what the rest was.
    let is_memory = |key: Key| matches!(key, Key::Framebuffer | Key::FramebufferReservation);
    if !overrides.settings().any(|(_, key, _)| is_memory(key)) {
        let mut again = Line::new();
        assert_eq!(describe(&told, described, &mut again), Some(()));
        assert_eq!(again.as_str(), described);
    }
}

fn is_the_same_but_for_overrides(before: &str, after: &str) {
    let (before, after): (Vec<_>, Vec<_>) =
        (before.split(',').collect(), after.split(',').collect());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        let key = |part: &str| part.split('=').next().unwrap_or("").trim().to_owned();
        assert_eq!(key(before), key(after));
        assert!(*before == after || SHOWN.contains(&&*key(before)), "{before:?} became {after:?}");
    }
}

/// The number behind the last dash, and a name that a line has room for.
fn named(name: &[u8], told: &Told) {
    let digits = name.rsplit(|&c| c == b'-').next().unwrap_or(name);
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let expected = std::str::from_utf8(digits).ok().filter(|_| all).and_then(|d| d.parse().ok());
    assert_eq!(number(name), expected);

    let mut line = Line::new();
    if told.name(&mut line).is_some() {
        assert!(line.as_str().len() < 32 && !line.as_str().chars().any(char::is_control));
    }
}
