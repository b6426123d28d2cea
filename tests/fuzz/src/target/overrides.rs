// SPDX-License-Identifier: GPL-2.0
//! `overrides`: what was read is within its limits, can be written down and read again, and is
//! applied in the order that is promised.

use vgpu_unlock::{
    host::ReadOverrides,
    params::{Overrides, Which, overrides::target::Target as Section},
    profile::{Content, Editor, Field, Key, Kind, Skipped, Uuid, VRAM_MIN, Value},
};

use super::{escaped, texts};
use crate::Target;

pub static TARGET: Target = Target {
    name: "overrides",
    run,
    seeds: || {
        texts(&[
            "nvidia-55:vram=4GiB,num_displays=1;vm/100:card_name='My GPU'",
            "mdev/00000000-0000-0000-0000-000000000100:framebuffer=0x74000000;nvidia-1:hidden=1",
            "nvidia-55 : adapter_name = %c3%a9 , pci_id=0x1b3811e8 ;\n vm/100: frl_enabled=0 ;",
            "nvidia-1:framebuffer=1.5 GB,framebuffer_reservation=64MiB;nvidia-1:framebuffer=2GB",
            "nvidia-7:features=\"Quadro-Virtual-DWS,5.0\",license_type='it%27s'",
        ])
    },
    words: || {
        let mut words: Vec<_> = Key::ALL.into_iter().map(Key::name).collect();
        words.extend(["nvidia-", "mdev/", "vm/", ":", "=", ",", ";", "'", "%20", "GiB", " MiB"]);
        words.extend(["00000000-0000-0000-0000-000000000100", "384MiB", "4294967295", "0x"]);
        words
    },
    max_len: 512,
};

type Setting<'a> = (Section, Key, Value<'a>);

fn run(text: &[u8]) {
    let read = match ReadOverrides::parse(text) {
        Ok(read) => read,
        Err(error) => {
            // The text in front of it may be right, and is as good as another one.
            assert!(error.at <= text.len(), "{error}");
            let Some(end) = text.get(..error.at).and_then(|t| t.iter().rposition(|&c| c == b';'))
            else {
                return;
            };
            match ReadOverrides::parse(&text[..end]) {
                Ok(read) => read,
                // The semicolon stood within quotation marks.
                Err(error) => return assert!(error.at <= end, "{error}"),
            }
        }
    };
    let overrides = read.view();
    sections_stand_alone(&overrides);
    let settings: Vec<_> = overrides.settings().collect();
    settings.iter().for_each(is_within_its_limits);
    can_be_written_down(&settings);
    // A few of each kind are as good as many, and the text is read anew for each question.
    let mut sections: Vec<Section> = vec![];
    for &(section, ..) in &settings {
        if !sections.contains(&section) && sections.len() < 4 {
            sections.push(section);
            is_applied_in_order(&overrides, &settings, section);
        }
    }
}

/// Each section's own text is read as that section, so that they can be put together anew.
fn sections_stand_alone(overrides: &Overrides<'_>) {
    let mut settings = overrides.settings();
    for text in overrides.section_texts() {
        let read = ReadOverrides::parse(text).expect("a section is right by itself");
        assert_eq!(read.view().section_texts().count(), 1);
        for alone in read.view().settings() {
            assert_eq!(Some(alone), settings.next());
        }
        assert!(overrides.not_in(&read.view()).all(|other| other != text));
    }
    assert_eq!(settings.next(), None);
}

fn is_within_its_limits((section, key, value): &Setting<'_>) {
    match (key.kind(), value) {
        (Kind::U32, Value::Number(number)) => assert!(*number <= u64::from(u32::MAX)),
        (Kind::Switch, Value::Number(number)) => assert!(*number <= 1),
        (Kind::Vram, Value::Number(number)) => assert!(*number >= VRAM_MIN),
        (Kind::U64 | Kind::Size, Value::Number(_)) => {}
        (Kind::Text(max), Value::Text(text)) => {
            let decoded = text.decode().expect("it was read");
            assert!(decoded.as_str().len() <= max && !decoded.as_str().contains('\0'));
        }
        (kind, value) => panic!("{value:?} for {kind:?}"),
    }
    assert!(*key != Key::Hidden || matches!(section, Section::Type(_)));
}

/// A section for each setting, which says the same; also for whoever reads it line by line.
fn can_be_written_down(settings: &[Setting<'_>]) {
    let mut written = String::new();
    for (section, key, value) in settings {
        let section = match section {
            Section::Type(number) => format!("nvidia-{number}"),
            Section::Mdev(uuid) => format!("mdev/{uuid}"),
            Section::Vm(number) => format!("vm/{number}"),
        };
        let value = match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => {
                let decoded = text.decode().expect("it was read");
                format!("'{}'", escaped(decoded.as_str()))
            }
        };
        written += &format!("{section}:{}={value};\n", key.name());
    }
    let again = ReadOverrides::parse(written.as_bytes()).expect("what was read can be written");
    let again: Vec<_> = again.view().settings().collect();
    assert_eq!(again.len(), settings.len());
    for ((section, key, value), setting) in again.iter().zip(settings) {
        assert_eq!((*section, *key), (setting.0, setting.1));
        match (value, setting.2) {
            (Value::Text(a), Value::Text(b)) => {
                assert_eq!(a.decode().unwrap().as_str(), b.decode().unwrap().as_str());
            }
            (a, b) => assert_eq!(*a, b),
        }
    }
}

/// Takes every field, and keeps a list.
#[derive(Default)]
struct List(Vec<Field>);

impl Editor for List {
    fn set(&mut self, field: Field, _: Content<'_>) -> Result<(), Skipped> {
        self.0.push(field);
        Ok(())
    }
}

fn fields_of(key: Key) -> Vec<Field> {
    match key {
        Key::Vram => vec![Field::FbLength, Field::FbReservation],
        Key::AdapterName => vec![Field::AdapterName, Field::AdapterNameUnicode],
        _ => key.field().into_iter().collect(),
    }
}

fn is_applied_in_order(overrides: &Overrides<'_>, settings: &[Setting<'_>], section: Section) {
    let which = match section {
        Section::Type(vgpu_type) => Which { vgpu_type, mdev: None },
        Section::Mdev(uuid) => Which { vgpu_type: 55, mdev: Some(uuid) },
        Section::Vm(number) => {
            let text = format!("00000000-0000-0000-0000-{number:012}");
            Which { vgpu_type: 55, mdev: Uuid::parse(text.as_bytes()) }
        }
    };
    let fits = |section: Section| match section {
        Section::Type(number) => (number == which.vgpu_type).then_some(0),
        Section::Mdev(uuid) => (Some(uuid) == which.mdev).then_some(1),
        Section::Vm(number) => (which.mdev.and_then(|u| u.vmid()) == Some(number)).then_some(2),
    };
    let mut expected: Vec<_> = settings.iter().filter(|s| fits(s.0).is_some()).copied().collect();
    expected.sort_by_key(|setting| fits(setting.0));
    let matching: Vec<_> = overrides.matching(which).collect();
    assert_eq!(matching, expected);

    for key in expected.iter().map(|setting| setting.1).take(4).chain([Key::Vram]) {
        let last = expected.iter().rev().find(|setting| setting.1 == key).map(|setting| setting.2);
        assert_eq!(overrides.value(which, key), last);
    }
    let mut list = List::default();
    let applied = overrides.apply(which, &mut list);
    let counted = [applied.by_type, applied.by_mdev, applied.by_vm].map(usize::from);
    let written = (0..3).map(|rank| {
        expected.iter().filter(|s| fits(s.0) == Some(rank) && s.1 != Key::Hidden).count()
    });
    assert!(written.eq(counted) && applied.skipped.is_none());
    // Each field once, by the last setting that concerns it.
    let mut fields = vec![];
    for setting in expected.iter().rev() {
        for field in fields_of(setting.1) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    assert_eq!(list.0, fields);

    let hidden = settings.iter().rev().find(|s| s.1 == Key::Hidden && fits(s.0) == Some(0));
    let hidden = hidden.is_some_and(|setting| setting.2 == Value::Number(1));
    assert_eq!(overrides.hides(which.vgpu_type), hidden);
}
