// SPDX-License-Identifier: GPL-2.0
//! `rm_control::fields`: what is shown of a vGPU type is what stands there.

use vgpu_unlock::{
    profile::Field,
    rm_control::{Shown, fields, layout},
};

use super::answers::{COMMANDS, SIZES, params};
use crate::{Input, Target};

pub static TARGET: Target = Target {
    name: "fields",
    run,
    seeds: || {
        let sizes = SIZES.iter().zip(0u8..).filter(|(size, _)| **size > 1056).map(|(_, i)| i);
        sizes.flat_map(|size| [vec![6, size, 65, 1, 12, 0, 3, 0], vec![8, size, 65]]).collect()
    },
    words: Vec::new,
    max_len: 512,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let cmd = input.choose(&COMMANDS);
    let bytes = params(&mut input);
    let Some(layout) = layout::of(cmd, bytes.len()) else {
        return assert_eq!(fields(cmd, &bytes).count(), 0);
    };
    let mut expected =
        layout.fields().map(|(field, _)| field).filter(|field| *field != Field::AdapterNameUnicode);
    for (field, shown) in fields(cmd, &bytes) {
        assert_eq!(expected.next(), Some(field));
        let (offset, len) = layout.place(field).expect("the layout has it");
        let raw = &bytes[offset..offset + len];
        match shown {
            Shown::Number(number) => {
                assert_eq!(number.to_le_bytes()[..len], *raw);
                assert!(number.to_le_bytes()[len..].iter().all(|&byte| byte == 0));
            }
            Shown::Text(text) => {
                assert!(raw.starts_with(text) && !text.contains(&0));
                assert!(text.len() == len || raw[text.len()] == 0);
            }
        }
    }
    assert_eq!(expected.next(), None, "every field is shown");
}
