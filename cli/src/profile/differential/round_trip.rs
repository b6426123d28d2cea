// SPDX-License-Identifier: GPL-2.0
//! Whatever settings are written for modprobe.d, the module gets the same.

use proptest::prelude::*;

use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::profile;

use super::super::arbitrary::{named, section};
use super::super::write::{self, Section, Value};
use super::modprobe;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_for_modprobe_is_what_the_module_gets(
        sections in prop::collection::vec(section(), 0..5),
    ) {
        let written: Vec<Section> = sections.iter().map(named).collect();
        let text = write::overrides(&written);
        let line = match write::options(&[("migration", "1"), ("overrides", &text)]) {
            Ok(line) => line,
            Err(error) => {
                prop_assert!(text.len() > 4094, "{error}");
                return Ok(());
            }
        };
        let mut parameters = modprobe::parameters(&line, "vgpu_unlock");
        let got = parameters.remove("overrides").unwrap_or_default();
        prop_assert_eq!(parameters.remove("migration"), Some(b"1".to_vec()));
        prop_assert!(parameters.is_empty());
        let overrides = ReadOverrides::parse(&got);
        prop_assert!(overrides.is_ok(), "{:?}", overrides);
        let read: Vec<_> = overrides
            .unwrap()
            .view()
            .settings()
            .map(|(target, key, value)| {
                let value = match value {
                    profile::Value::Number(number) => Value::Number(number),
                    profile::Value::Text(text) => Value::Text(text.decode().unwrap().as_str().into()),
                };
                (target, key, value)
            })
            .collect();
        let settings = sections.iter().flat_map(|(target, settings)| {
            settings.iter().map(|(key, value)| (*target, *key, value.clone()))
        });
        prop_assert_eq!(read, settings.collect::<Vec<_>>());
    }
}
