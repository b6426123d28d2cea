// SPDX-License-Identifier: GPL-2.0
//! The status as a tool reads it: one JSON object.
//!
//! Every string in it is one of our own literals or is made of digits and dots, so nothing has to
//! be escaped; a test parses it back.

use core::fmt::{self, Display};

use super::{Answers, DriverState, Gpu, Hook, Report, TablesState};

/// Formats a [`Report`] as one line of JSON.
pub struct Json<'a>(pub &'a Report<'a>);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(f, r#"{{"module":{{"name":"vgpu_unlock","version":"{}"}}"#, report.module_version)?;
        let (state, reason) = match &report.driver {
            DriverState::Absent => ("absent", None),
            DriverState::Attached => ("attached", None),
            DriverState::Silent(reason) => ("silent", Some(reason)),
            DriverState::Disabled => ("disabled", None),
            DriverState::Refused(reason) => ("refused", Some(reason)),
        };
        write!(f, r#","driver":{{"state":"{state}","version":"#)?;
        optional(f, report.driver_version.as_ref())?;
        write!(f, r#","branch":"#)?;
        optional(f, report.driver_version.map(|v| v.branch).as_ref())?;
        write!(f, r#","reason":"#)?;
        optional(f, reason)?;
        write!(f, r#"}},"gpus":["#)?;
        list(f, report.gpus, gpu)?;
        write!(f, r#"],"hooks":["#)?;
        list(f, report.hooks, hook)?;
        let reason = match &report.tables {
            TablesState::Absent | TablesState::Located | TablesState::Rewritten => None,
            TablesState::Refused(refusal) => Some(refusal),
        };
        write!(
            f,
            r#"],"tables":{{"state":"{}","gpu_list_count":{},"entries":{},"reason":"#,
            report.tables.word(),
            report.gpu_list_count,
            report.entries
        )?;
        optional(f, reason)?;
        let Answers { seen, changed, lost, unknown } = report.answers;
        write!(f, r#"}},"answers":{{"seen":{seen},"changed":{changed},"lost":{lost},"unknown":"#)?;
        let (count, last) = unknown.map_or((0, None), |(count, last)| (count, Some(last)));
        write!(f, r#"{count},"last_unknown":"#)?;
        optional(f, last.as_ref())?;
        writeln!(f, r#"}},"locate_us":{}}}"#, report.locate_us)
    }
}

fn gpu(f: &mut fmt::Formatter<'_>, gpu: &Gpu) -> fmt::Result {
    write!(
        f,
        r#"{{"address":"{}","device":"{:#06x}","subsystem":"{:#06x}","answered_as":"#,
        gpu.address, gpu.device, gpu.subsystem
    )?;
    match gpu.answer.sibling() {
        Some(sibling) => write!(
            f,
            r#"{{"device":"{:#06x}","subsystem":"{:#06x}","name":"{}"}}"#,
            sibling.device,
            sibling.subsystem.unwrap_or(gpu.subsystem),
            sibling.name
        )?,
        None => f.write_str("null")?,
    }
    write!(
        f,
        r#","state":"{}","reason":"{}","profiles_gone":{}}}"#,
        gpu.state.word(),
        gpu.state.explanation(),
        gpu.profiles_gone
    )
}

fn hook(f: &mut fmt::Formatter<'_>, hook: &Hook) -> fmt::Result {
    let Hook { name, kind, state, hits, misses } = hook;
    let state = state.word();
    write!(
        f,
        r#"{{"name":"{name}","kind":"{kind}","state":"{state}","hits":{hits},"misses":{misses}}}"#
    )
}

/// A string, or `null`.
fn optional(f: &mut fmt::Formatter<'_>, value: Option<&impl Display>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "\"{value}\""),
        None => f.write_str("null"),
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    item: fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, it) in items.iter().enumerate() {
        if i != 0 {
            f.write_str(",")?;
        }
        item(f, it)?;
    }
    Ok(())
}
