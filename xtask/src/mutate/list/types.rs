// SPDX-License-Identifier: GPL-2.0
//! vGPU types and vGPUs in sysfs.

use crate::mutate::{Mutation, scenario, unit};

pub const ALL: &[Mutation] = &[
    Mutation {
        name: "limit-not-kept",
        what: "more vGPUs of a type are created than max_instances allows, and the board's memory is given away twice",
        file: "module/src/unlock/types/creating.rs",
        find: "if left == Some(0) {",
        replace: "if left == Some(u32::MAX) {",
        catcher: scenario("mdev-status"),
    },
    Mutation {
        name: "hidden-type-there",
        what: "a hidden type is registered all the same, and vGPUs of it can be created",
        file: "module/src/unlock/types/registered.rs",
        find: "map_or(true, |number| !user.overrides.hides(number))",
        replace: "map_or(true, |number| number != 0 || !user.overrides.hides(number))",
        catcher: scenario("mdev-status"),
    },
    Mutation {
        name: "hidden-after-rmmod",
        what: "hidden types do not come back with rmmod, so they are gone until the driver is loaded again",
        file: "module/src/unlock/types/registered.rs",
        find: "    LEAVING.store(true, Ordering::SeqCst);",
        replace: "    LEAVING.store(false, Ordering::SeqCst);",
        catcher: scenario("mdev"),
    },
    Mutation {
        name: "unregistered-under-a-vgpu",
        what: "a board's types are registered anew while a virtual machine uses a vGPU of them",
        file: "module/src/unlock/types/registered.rs",
        find: "let idle = quiet && registration.is_idle();",
        replace: "let idle = quiet || registration.is_idle();",
        catcher: scenario("mdev"),
    },
    Mutation {
        name: "strangers-types-changed",
        what: "types of other drivers that have a number of NVIDIA's are shown and limited as NVIDIA's",
        file: "module/src/shim/mdev.c",
        find: "		return vu_is_nvidias((struct device *)second);",
        replace: "		return second != 0;",
        catcher: scenario("mdev-faults"),
    },
    Mutation {
        name: "half-replaced",
        what: "where a function of the mdev core is somebody else's, the others are replaced all the same, so files say one thing and creating does another",
        file: "module/src/sys/mdev/mod.rs",
        find: "            *slot = Some(placed.map_err(|errno| (label(symbol), errno))?);",
        replace: "            *slot = placed.map_err(|errno| (label(symbol), errno)).ok();",
        catcher: scenario("mdev-faults"),
    },
    Mutation {
        name: "unregistering-unhooked-first",
        what: "types that are registered with us while we go are unregistered past us, so their board is still looked after when it is gone",
        file: "module/src/logic/placed.rs",
        find: "self.0.iter_mut().rev().for_each(|slot| drop(slot.take()));",
        replace: "self.0.iter_mut().for_each(|slot| drop(slot.take()));",
        catcher: unit("logic::placed::tests::the_last_one_goes_first"),
    },
    Mutation {
        name: "name-shown-unchanged",
        what: "types that are overridden keep the driver's name in sysfs, and people choose another one",
        file: "module/src/unlock/types/files.rs",
        find: "    if told.nothing() {",
        replace: "    if told.nothing() || matches!(file, File::Name) {",
        catcher: scenario("mdev-faults"),
    },
    Mutation {
        name: "vgpus-not-counted",
        what: "as many vGPUs of a type are said to be available as are allowed, however many there are",
        file: "module/src/logic/mdev/mod.rs",
        find: "Some(driver.saturating_sub(fewer))",
        replace: "Some(factory.saturating_sub(fewer))",
        catcher: unit("logic::mdev::tests::fewer_instances_are_available_where_fewer_are_allowed"),
    },
];
