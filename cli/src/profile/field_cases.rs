// SPDX-License-Identifier: GPL-2.0
//! What people really have in their files, and what is to be said to them.
//!
//! Each `tests/field_cases/NAME.toml`, with its `NAME.config.toml` where there is one, is imported, and
//! what `NAME.expected.toml` has must come of it: every remark that is no mere statement, and whether
//! anything is written. The files were written for this; what is wrong with them was seen in issues,
//! guides and forum threads.

use super::Import;
use super::differential::modprobe::parameters;
use super::differential::{Case, cases_in, import, wrong_remarks};
use super::write;

fn cases() -> Vec<Case> {
    cases_in("../tests/field_cases")
}

#[test]
fn people_are_told_what_is_wrong_and_what_would_be_right() {
    let cases = cases();
    assert!(cases.len() > 20, "{} cases only", cases.len());
    let wrong = |case: &Case| wrong_remarks(case, &import(case));
    let complaints: Vec<_> = cases.iter().filter_map(wrong).collect();
    assert!(complaints.is_empty(), "{}", complaints.concat());
}

#[test]
fn what_is_right_is_taken_over_as_it_is_and_what_is_wrong_is_not() {
    for case in cases() {
        let (name, import, expected) = (&case.name, import(&case), &case.expected);
        let overrides = import.overrides_toml();
        assert_eq!(overrides.is_err(), expected.refused, "{name}: {}", import.report());
        let Ok(overrides) = overrides else {
            assert!(import.parameters_conf().is_err() && import.modprobe_conf().is_err(), "{name}");
            continue;
        };
        let text = case.overrides.trim_start_matches('\u{feff}');
        assert_eq!(overrides.as_deref(), Some(text), "{name}");
        let conf = import.parameters_conf().unwrap().unwrap_or_default();
        assert_eq!(parameters(&conf, "vgpu_unlock"), expected.parameters, "{name}");
        let sections = write::overrides(&import.sections);
        match &expected.overrides {
            Some(expected) => assert_eq!(&sections, expected, "{name}"),
            None => assert!(sections.is_empty(), "{name}: {sections}"),
        }
        // What was written is read as the same.
        let mut again = Import::default();
        again.profiles("overrides", text);
        assert_eq!(write::overrides(&again.sections), sections, "{name}");
    }
}
