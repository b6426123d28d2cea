// SPDX-License-Identifier: GPL-2.0
//! The kernel's hooks, and what comes and goes.

use crate::mutate::{Mutation, scenario};

pub const ALL: &[Mutation] = &[
    Mutation {
        name: "probe-without-post-handler",
        what: "the kernel may replace a probe's trap by a jump, which loses the changed instruction pointer: after a while no board is accepted any more",
        file: "module/src/shim/probe.c",
        find: "	probe->kprobe.post_handler = vu_after;",
        replace: "	probe->kprobe.post_handler = address ? NULL : vu_after;",
        catcher: scenario("rm-control"),
    },
    Mutation {
        name: "probe-not-removed",
        what: "a driver's check stays overridden after rmmod, by a probe whose handler is gone",
        file: "module/src/unlock/sites.rs",
        find: "drop(probe.take());",
        replace: "core::mem::forget(probe.take());",
        catcher: scenario("boards"),
    },
    Mutation {
        name: "silent-kprobes-unnoticed",
        what: "the status says that the driver is unlocked while all kprobes are switched off and no check is overridden",
        file: "module/src/sys/canary.rs",
        find: "if self.0.hits() == before {\n            return Err(Reason::KprobesOff);",
        replace: "if self.0.hits() < before {\n            return Err(Reason::KprobesOff);",
        catcher: scenario("standin"),
    },
    Mutation {
        name: "ftrace-not-held",
        what: "ftrace can be switched off while it is hooked, and daemons are told the driver's own answers from then on",
        file: "module/src/shim/hook.c",
        find: "[VU_HOOK_GUARD] = { vu_count, FTRACE_OPS_FL_PERMANENT },",
        replace: "[VU_HOOK_GUARD] = { vu_count, 0 },",
        catcher: scenario("mdev-faults"),
    },
    Mutation {
        name: "hook-not-removed",
        what: "the driver's ioctl stays hooked after rmmod, by a callback that is gone with the module",
        file: "module/src/shim/hook.c",
        find: "	if (unregister_ftrace_function(&hook->ops)) {",
        replace: "	if (hook->kind != VU_HOOK_IOCTL && unregister_ftrace_function(&hook->ops)) {",
        catcher: scenario("boards"),
    },
    Mutation {
        name: "going-ignored",
        what: "a driver's module that goes is not let go of, so its memory is still looked at and hooked when it is free",
        file: "module/src/shim/module.c",
        find: "	if (which >= 0 && event == MODULE_STATE_GOING)",
        replace: "	if (which >= 0 && event == MODULE_STATE_UNFORMED)",
        catcher: scenario("mdev-status"),
    },
    Mutation {
        name: "coming-ignored",
        what: "a driver that is loaded after us is not noticed, as it is after every boot",
        file: "module/src/shim/module.c",
        find: "	if (which >= 0 && (event == MODULE_STATE_COMING || event == MODULE_STATE_LIVE))",
        replace: "	if (which >= 0 && event == MODULE_STATE_UNFORMED)",
        catcher: scenario("mdev-status"),
    },
    Mutation {
        name: "module-reference-leaked",
        what: "each look at NVIDIA's module leaves a reference behind, so the driver can't be unloaded or updated until the next boot",
        file: "module/src/shim/module.c",
        find: "	module_put(mod);",
        replace: "	if (!mod)\n		module_put(mod);",
        catcher: scenario("boards"),
    },
    Mutation {
        name: "calls-not-waited-for",
        what: "rmmod does not wait for daemons' calls that are being looked at, and frees the code under them",
        file: "module/src/unlock/lifecycle/mod.rs",
        find: "    calls::wait_for_all();\n",
        replace: "    if calls::lost() == u64::MAX {\n        calls::wait_for_all();\n    }\n",
        catcher: scenario("rm-under-load"),
    },
    Mutation {
        name: "switched-off-forgotten",
        what: "with enabled=0 a driver that is loaded later is unlocked all the same",
        file: "module/src/unlock/lifecycle/mod.rs",
        find: "if known || !self.running || !self.enabled {",
        replace: "if known || !self.running {",
        catcher: scenario("rm-policy"),
    },
];
