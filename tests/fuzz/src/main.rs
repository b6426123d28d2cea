// SPDX-License-Identifier: GPL-2.0
//! The program around libFuzzer. The environment says which target it runs: see `cargo xtask fuzz`.
#![no_main]

use std::sync::OnceLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var(fuzz::TARGET_VARIABLE).unwrap_or_default();
        let target = fuzz::find(&name).unwrap_or_else(|| panic!("no target {name:?}"));
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| {
        // The initialisation above has set it, or ended the program.
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
