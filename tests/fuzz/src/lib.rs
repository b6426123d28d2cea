// SPDX-License-Identifier: GPL-2.0
//! What the module's pure files promise, as functions that take any bytes and panic where a promise
//! is broken.
//!
//! One file in `target/` a concern. What a target takes apart with [`Input`] is up to it; what
//! people write is taken as text, as it is.

mod input;
mod rodata;
mod target;

pub use input::Input;
pub use target::selftest::PLANTED;

/// A concern, and how it is fuzzed.
#[derive(Debug)]
pub struct Target {
    /// What the developer calls it.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs to start with. They must pass.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that chance alone would take long to find.
    pub words: fn() -> Vec<&'static str>,
    /// The longest input that is worth trying.
    pub max_len: usize,
}

/// Every target, in the order in which they are run.
pub static TARGETS: [&Target; 16] = [
    &target::switches::TARGET,
    &target::sizes::TARGET,
    &target::texts::TARGET,
    &target::uuids::TARGET,
    &target::versions::TARGET,
    &target::gpus::TARGET,
    &target::overrides::TARGET,
    &target::answers::TARGET,
    &target::fields::TARGET,
    &target::processes::TARGET,
    &target::signature::TARGET,
    &target::tables::TARGET,
    &target::entries::TARGET,
    &target::unlock::TARGET,
    &target::types::TARGET,
    &target::vgpud::TARGET,
];

/// Has a bug that only a fuzzer finds that sees how far it gets: a test of the fuzzer.
pub static SELFTEST: &Target = &target::selftest::TARGET;

/// The environment variable that tells the program its target.
pub const TARGET_VARIABLE: &str = "VGPU_UNLOCK_FUZZ_TARGET";

/// The target of this name, the self-test among them.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.into_iter().chain([SELFTEST]).find(|target| target.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_passes() {
        for target in TARGETS.into_iter().chain([SELFTEST]) {
            for seed in (target.seeds)() {
                assert!(seed.len() <= target.max_len, "{}: a seed is too long", target.name);
                (target.run)(&seed);
            }
            (target.run)(&[]);
        }
    }

    #[test]
    fn every_target_is_found_by_its_name() {
        for target in TARGETS {
            assert!(std::ptr::eq(find(target.name).unwrap(), target));
        }
        assert!(find("").is_none());
    }

    #[test]
    #[should_panic(expected = "the planted bug")]
    fn the_planted_bug_is_there() {
        (SELFTEST.run)(b"unlock\x06\x1b\xde\x10");
    }
}
