// SPDX-License-Identifier: GPL-2.0
//! The status as a person reads it.

use core::fmt;

use super::{Answers, DriverState, Report, TablesState};

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
            DriverState::Silent(reason) => {
                writeln!(f, "hooked, but the hooks do nothing: {reason}")?
            }
            DriverState::Disabled => writeln!(f, "left alone, because of enabled=0")?,
            DriverState::Refused(reason) => writeln!(f, "left exactly as it is: {reason}")?,
        }
        if report.gpus.is_empty() {
            writeln!(f, "gpus: none found")?;
        }
        for gpu in report.gpus {
            write!(f, "gpu {} 10de:{:04x}", gpu.address, gpu.device)?;
            if let Some(sibling) = gpu.answer.sibling() {
                write!(f, ", answered as 10de:{:04x} {}", sibling.device, sibling.name)?;
            }
            writeln!(f, ": {}", gpu.state.explanation())?;
            if gpu.profiles_gone {
                writeln!(
                    f,
                    "  this driver branch has no profiles for it: take vgpuConfig.xml from 16.x (535)"
                )?;
            }
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
        let Answers { seen, changed, lost, unknown } = report.answers;
        if seen != 0 || lost != 0 {
            writeln!(f, "answers to the daemons: {seen} seen, {changed} changed, {lost} lost")?;
        }
        if let Some((count, unknown)) = unknown {
            writeln!(f, "  {unknown}: left alone {count} times")?;
        }
        write!(f, "capability tables: {}", report.tables.word())?;
        match report.tables {
            TablesState::Absent => {}
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
