// SPDX-License-Identifier: GPL-2.0
//! The status as a person reads it.

use core::fmt::{self, Write};

use super::{
    chain, Answers, DriverState, Gpu, GpuState, Link, Report, TablesState, TypeFiles, Vgpu,
};
use crate::logic::driver::acceptance::Acceptance;
use crate::logic::driver::site::Proof;
use crate::logic::rm_control::{Daemon, InForce, Told};

/// Formats a [`Report`] as lines of text.
pub struct Text<'a>(pub &'a Report<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(f, "vgpu_unlock {}", report.module_version)?;
        write!(f, "driver: ")?;
        if let Some(version) = report.driver_version {
            write!(f, "{version}, ")?;
        }
        match report.driver {
            DriverState::Absent => writeln!(f, "not loaded")?,
            DriverState::Attached => writeln!(f, "attached")?,
            DriverState::AnswersOnly(reason) => writeln!(
                f,
                "answers only: {reason}; overrides work for boards that it lists itself, nothing else is changed"
            )?,
            DriverState::Silent(reason) => {
                writeln!(f, "hooked, but the hooks do nothing: {reason}")?
            }
            DriverState::Disabled => writeln!(f, "left alone, because of enabled=0")?,
            DriverState::Refused(reason) => writeln!(f, "left exactly as it is: {reason}")?,
        }
        if report.proof == Some(Proof::Published) {
            writeln!(
                f,
                "  what is changed in this branch is known from published bytes, and was not run by us: please \
                 report once whether it works, with what `vgpu-unlock inspect` says of the driver"
            )?;
        }
        if report.gpus.is_empty() {
            writeln!(f, "gpus: none found")?;
        }
        for gpu in report.gpus {
            write!(f, "gpu {} 10de:{:04x}", gpu.address, gpu.device)?;
            if let Some(sibling) = gpu.answered_as() {
                write!(f, ", answered as 10de:{:04x} {}", sibling.device, sibling.name)?;
            }
            writeln!(f, ": {}", gpu.explanation())?;
            if gpu.functions != 0 {
                writeln!(f, "  virtual functions: {}", gpu.functions)?;
            }
            if gpu.state == GpuState::Held {
                continue;
            }
            if gpu.profiles_gone {
                writeln!(
                    f,
                    "  this driver branch has no profiles for it: take vgpuConfig.xml from 16.x (535)"
                )?;
            }
            progress(f, report, gpu)?;
        }
        for hook in report.hooks {
            writeln!(
                f,
                "hook {} ({}): {}, {} hits, {} misses",
                hook.name,
                hook.kind,
                hook.state.word(),
                hook.hits,
                hook.misses
            )?;
        }
        match report.types {
            TypeFiles::NotLoaded | TypeFiles::LeftAlone => {}
            TypeFiles::Replaced { calls, hidden } => {
                writeln!(f, "vGPU types: shown as overridden, {hidden} hidden, {calls} calls")?;
            }
            TypeFiles::Refused(reason) => {
                writeln!(f, "vGPU types: shown as the driver has them: {reason}")?;
            }
        }
        for (name, daemon) in
            [("nvidia-vgpud", Daemon::Vgpud), ("nvidia-vgpu-mgr", Daemon::Manager)]
        {
            let asked = report.told.asked(daemon);
            if asked != 0 {
                writeln!(f, "{name}: asked {asked} times")?;
            }
        }
        if let Some((device, acceptance)) = report.acceptance {
            write!(f, "nvidia-vgpud, told 10de:{device:04x}: ")?;
            match acceptance {
                Acceptance::Accepted => writeln!(f, "accepts it")?,
                Acceptance::Kept => {
                    writeln!(f, "accepts it, since its own copy of its program was changed")?
                }
                Acceptance::GivenUp(why) => writeln!(f, "{why}")?,
            }
        }
        let Answers { seen, changed, lost, unknown } = report.answers;
        if seen != 0 || lost != 0 {
            writeln!(f, "answers to the daemons: {seen} seen, {changed} changed, {lost} lost")?;
        }
        if let Some((count, unknown)) = unknown {
            writeln!(f, "  {unknown}: left alone {count} times")?;
        }
        write!(f, "capability tables: {}", report.tables.word())?;
        match report.tables {
            TablesState::Absent | TablesState::NotNeeded => {}
            TablesState::Located => write!(f, ", {} boards listed", report.gpu_list_count)?,
            TablesState::Rewritten => write!(f, ", {} entries", report.entries)?,
            TablesState::Refused(refusal) => write!(f, ": {refusal}")?,
        }
        writeln!(f)?;
        match report.driver {
            DriverState::Attached => writeln!(f, "everything located in {} us", report.locate_us),
            _ => Ok(()),
        }
    }
}

/// How far a board has come, with its vGPUs.
fn progress(f: &mut fmt::Formatter<'_>, report: &Report<'_>, gpu: &Gpu) -> fmt::Result {
    if let Some(types @ 1..) = gpu.types {
        writeln!(f, "  vGPU types registered: {types}, vGPUs: {}", gpu.vgpus)?;
    }
    for vgpu in report.vgpus.iter().filter(|vgpu| vgpu.gpu == gpu.address) {
        show_vgpu(f, vgpu, report.told.about(vgpu.uuid))?;
    }
    let missing = chain::missing(report, gpu);
    let there = Link::ALL.into_iter().take_while(|link| missing.map_or(true, |(m, _)| m != *link));
    let mut lead = "  so far: ";
    for link in there {
        write!(f, "{lead}{}", link.name())?;
        lead = ", ";
    }
    if lead == ", " {
        writeln!(f)?;
    }
    match missing {
        Some((link, advice)) => writeln!(f, "  missing: {} ({advice})", link.name()),
        None => writeln!(f, "  nothing is missing"),
    }
}

/// A vGPU, and what a daemon was told about it.
fn show_vgpu(f: &mut fmt::Formatter<'_>, vgpu: &Vgpu, told: Option<&Told>) -> fmt::Result {
    write!(f, "  vgpu {}", vgpu.uuid)?;
    if let Some(number) = vgpu.vgpu_type {
        write!(f, ", nvidia-{number}")?;
    }
    let Some(told) = told else { return writeln!(f, ": nvidia-vgpu-mgr has not asked about it") };
    let applied = &told.applied;
    writeln!(
        f,
        ": overridden by its type: {}, by its UUID: {}, by its virtual machine: {}",
        applied.by_type, applied.by_mdev, applied.by_vm
    )?;
    if let Some((key, why)) = applied.skipped {
        writeln!(f, "    {} is not in force: {why}", key.name())?;
    }
    write!(f, "    in force:")?;
    for (key, value) in told.effective.values() {
        match value {
            InForce::Number(number) => write!(f, " {}={number}", key.name())?,
            InForce::Text(text) => {
                write!(f, " {}='", key.name())?;
                // It is to stay one line.
                text.chars()
                    .try_for_each(|c| f.write_char(if c.is_control() { '?' } else { c }))?;
                f.write_char('\'')?;
            }
        }
    }
    writeln!(f)
}
