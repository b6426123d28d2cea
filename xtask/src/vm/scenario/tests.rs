// SPDX-License-Identifier: GPL-2.0
//! Which scenario is run on which kernel: the rules.

use std::collections::BTreeSet;

use super::*;
use crate::kernel::TARGETS;

fn on(target: &str) -> BTreeSet<&'static str> {
    all().filter(|s| s.targets.contains(&target)).map(|s| s.name).collect()
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

#[test]
fn every_target_runs_the_stand_ins_and_no_other_is_named() {
    for target in TARGETS {
        assert!(on(target.name).contains("standin"), "{}", target.name);
    }
    for scenario in all() {
        let targets = set(scenario.targets);
        assert_eq!(targets.len(), scenario.targets.len(), "{}: one twice", scenario.name);
        let known: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        assert!(targets.is_subset(&set(&known)), "{}: {targets:?}", scenario.name);
    }
}

#[test]
fn every_kernel_is_loaded_asked_and_has_its_types_changed() {
    for target in TARGETS.iter().filter(|target| target.mode.name() == "portable") {
        let wanted = set(&["standin", "rm-control", "mdev"]);
        assert!(on(target.name).is_superset(&wanted), "{}", target.name);
    }
    for target in ["debian-6.12-rt", "sid"] {
        assert_eq!(on(target), set(&["standin", "rm-control", "mdev"]), "{target}");
    }
    for target in ["debian-5.10", "debian-7.3"] {
        assert_eq!(on(target), set(&["standin", "faults", "rm-control", "mdev"]), "{target}");
    }
    assert_eq!(on("debian-7.3-linked"), set(&["standin"]));
}

#[test]
fn the_two_ends_are_put_under_load() {
    let wanted = set(&["standin", "rm-control", "rm-under-load", "mdev", "mdev-under-load"]);
    assert_eq!(on("debian-7.2"), wanted);
    let real = set(&[
        "baseline",
        "real",
        "real-535",
        "real-525",
        "real-555",
        "real-tables",
        "real-460",
        "real-450",
        "real-wrong-key",
        "real-listed",
        "rm-real",
    ]);
    assert_eq!(on("debian-6.1"), &wanted | &real);
}

#[test]
fn the_stable_kernel_runs_all_and_the_kernels_crate_all_without_nvidias_driver() {
    let older = |s: &Scenario| s.real_driver.is_some() && s.targets == OLDER;
    let every: BTreeSet<_> = all().filter(|s| !older(s)).map(|s| s.name).collect();
    assert_eq!(on("debian-6.12"), every);
    let only_once = |name: &str| {
        name.starts_with("selftest-") || ["rm-cost-time", "rm-cost-rs", "storm"].contains(&name)
    };
    let wanted = all().filter(|s| s.real_driver.is_none() && !only_once(s.name)).map(|s| s.name);
    assert_eq!(on("debian-7.2-linked"), wanted.collect());
}
