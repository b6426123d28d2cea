// SPDX-License-Identifier: GPL-2.0
//! What is tried. An error that leaves a scenario means that it could not be set up; what is checked
//! is reported check by check.

mod answers;
mod baseline;
mod boards;
mod consumers;
mod demo;
mod faults;
mod faults_hooks;
mod faults_tasks;
mod libvirt;
mod lockdown;
mod mdev;
mod mdev_faults;
mod mdev_load;
mod mdev_overridden;
mod mdev_status;
mod no_memory;
mod real;
mod real_boards;
mod refusals;
mod rm_control;
mod rm_cost;
mod rm_cost_rs;
mod rm_load;
mod rm_params;
mod rm_parts;
mod rm_policy;
mod rm_real;
mod rm_slow;
mod selftest;
mod standin;
mod steps;
mod storm;
mod unlock;
mod vgpud;

use anyhow::{Result, bail};

use crate::{report::Report, rm::cost::Unit};

pub fn run(name: &str, report: &mut Report) -> Result<()> {
    match name {
        "selftest-pass" => selftest::pass(report),
        "selftest-check" => selftest::check(report),
        "selftest-setup" => selftest::setup(),
        "selftest-warn" => selftest::warn(report),
        "selftest-taint" => selftest::taint(),
        "selftest-gone" => selftest::gone(),
        "selftest-hang" => selftest::hang(),
        "baseline" => baseline::run(report),
        "standin-baseline" => baseline::standins(report),
        "real" => real::run(report, &real::V550),
        "real-535" => real::run(report, &real::V535),
        "real-525" => real::run(report, &real::V525),
        "real-555" => real::run(report, &real::V555),
        "real-tables" => real::tables(report, &real::V470),
        "real-460" => real::tables(report, &real::V460),
        "real-450" => real::tables(report, &real::V450),
        "real-boards" => real_boards::run(report),
        "real-boards-470" => real_boards::tables(report),
        "real-listed" => real_boards::listed(report),
        "real-wrong-key" => real::wrong_key(report),
        "standin" => standin::run(report),
        "standin-wrong-key" => standin::wrong_key(report),
        "standin-refusals" => refusals::run(report),
        "boards" => boards::run(report),
        "rm-control" => rm_control::run(report),
        "rm-cost" => rm_cost::run(report, Unit::Instructions),
        "rm-cost-time" => rm_cost::run(report, Unit::Nanoseconds),
        "rm-cost-rs" => rm_cost_rs::run(report),
        "rm-policy" => rm_policy::run(report),
        "rm-under-load" => rm_load::run(report),
        "vgpud" => vgpud::run(report),
        "storm" | "storm-short" => storm::run(report),
        "lockdown" => lockdown::run(report),
        "no-memory" => no_memory::run(report),
        "faults" => faults::run(report),
        "rm-real" => rm_real::run(report),
        "mdev-baseline" => mdev::baseline(report),
        "mdev" => mdev::run(report),
        "mdev-status" => mdev_status::run(report),
        "mdev-faults" => mdev_faults::run(report),
        "mdev-under-load" => mdev_load::run(report),
        "consumers" => consumers::run(report),
        "libvirt" => libvirt::run(report),
        "demo" => demo::run(report),
        _ => bail!("there is no scenario {name}"),
    }
}
