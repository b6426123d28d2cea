// SPDX-License-Identifier: GPL-2.0
//! Cuts overrides into pieces that the module takes one by one.

use anyhow::{Result, ensure};

use crate::profile::{Section, overrides};

/// The sections in the module's grammar, in their order, in pieces of whole sections and of at most
/// `limit` bytes. A section that is longer becomes several of the same target, which add up.
///
/// # Errors
/// A single setting is longer.
pub fn chunks(sections: &[Section], limit: usize) -> Result<Vec<String>> {
    let mut chunks: Vec<String> = vec![];
    for section in sections {
        for part in parts(section, limit)? {
            match chunks.last_mut() {
                Some(chunk) if chunk.len() + 1 + part.len() <= limit => {
                    chunk.push(';');
                    chunk.push_str(&part);
                }
                _ => chunks.push(part),
            }
        }
    }
    Ok(chunks)
}

/// A section in as many as it takes; none where it has no setting.
fn parts(section: &Section, limit: usize) -> Result<Vec<String>> {
    let Section { target, settings } = section;
    let written = |settings| {
        let part = Section { target: target.clone(), settings };
        overrides(std::slice::from_ref(&part))
    };
    let (mut parts, mut rest) = (vec![], &settings[..]);
    while let Some((first, _)) = rest.first() {
        // Most sections fit as they are.
        let fits = |count: &usize| {
            rest.get(..*count).is_some_and(|some| written(some.to_vec()).len() <= limit)
        };
        let count = (1..=rest.len()).rev().find(fits).unwrap_or(0);
        ensure!(
            count != 0,
            "{target}: {} is longer than the {limit} bytes of a piece",
            first.name()
        );
        let (part, behind) = rest.split_at(count);
        parts.push(written(part.to_vec()));
        rest = behind;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vgpu_unlock::profile::Key;

    use super::*;
    use crate::profile::{
        Value,
        arbitrary::{named, section},
        settings,
    };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn pieces_say_what_the_whole_says(
            sections in prop::collection::vec(section(), 0..12), limit in 30..6000_usize,
        ) {
            let sections: Vec<_> = sections.iter().map(named).collect();
            let Ok(chunks) = chunks(&sections, limit) else {
                let alone = sections.iter().flat_map(|section| section.settings.iter().map(|setting| {
                    overrides(&[Section { target: section.target.clone(), settings: vec![setting.clone()] }])
                }));
                prop_assert!(alone.map(|text| text.len()).max().unwrap_or(0) > limit);
                return Ok(());
            };
            let mut read = vec![];
            for chunk in &chunks {
                prop_assert!(!chunk.is_empty() && chunk.len() <= limit, "{} bytes", chunk.len());
                read.extend(settings(chunk).unwrap());
            }
            prop_assert_eq!(read, settings(&overrides(&sections)).unwrap());
        }
    }

    #[test]
    fn pieces_are_filled() {
        let of = |number: u64| Section {
            target: format!("vm/{number}"),
            settings: vec![(Key::NumDisplays, Value::Number(1)), (Key::GpuType, Value::Number(9))],
        };
        let sections = [of(1), of(2), of(3)];
        let [first, ..] = &chunks(&sections, 30).unwrap()[..] else { panic!() };
        assert_eq!(first, "vm/1:num_displays=1,gpu_type=9");
        assert_eq!(
            chunks(&sections, 29).unwrap(),
            [
                "vm/1:num_displays=1",
                "vm/1:gpu_type=9",
                "vm/2:num_displays=1",
                "vm/2:gpu_type=9",
                "vm/3:num_displays=1",
                "vm/3:gpu_type=9"
            ]
        );
        assert_eq!(chunks(&sections, 61).unwrap().len(), 2);
        assert_eq!(chunks(&sections, 92).unwrap(), [overrides(&sections)]);
        let error = chunks(&sections, 18).unwrap_err().to_string();
        assert_eq!(error, "vm/1: num_displays is longer than the 18 bytes of a piece");
    }
}
