// SPDX-License-Identifier: GPL-2.0
//! The status as a tool reads it: one JSON object.
//!
//! Every string in it is one of our own literals or is made of digits and dots, so nothing has to
//! be escaped, but for the texts that a user or the driver has set ([`Escaped`]); a test parses it back.

use core::fmt::{self, Display, Write};

use super::{chain, Answers, Gpu, Hook, Report, TablesState, TypeFiles, Vgpu};
use crate::logic::driver::acceptance::Acceptance;
use crate::logic::driver::site::Proof;
use crate::logic::rm_control::{Daemon, InForce, Told};

/// Formats a [`Report`] as one line of JSON.
pub struct Json<'a>(pub &'a Report<'a>);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(f, r#"{{"module":{{"name":"vgpu_unlock","version":"{}"}}"#, report.module_version)?;
        let state = report.driver.word();
        write!(f, r#","driver":{{"state":"{state}","version":"#)?;
        optional(f, report.driver_version.as_ref())?;
        write!(f, r#","branch":"#)?;
        optional(f, report.driver_version.map(|v| v.branch).as_ref())?;
        write!(f, r#","reason":"#)?;
        optional(f, report.driver.reason())?;
        write!(f, r#","proof":"#)?;
        optional(f, report.proof.map(Proof::word).as_ref())?;
        write!(f, r#"}},"gpus":["#)?;
        list(f, report.gpus.iter(), |f, it| gpu(f, report, it))?;
        write!(f, r#"],"hooks":["#)?;
        list(f, report.hooks.iter(), hook)?;
        let reason = match &report.tables {
            TablesState::Refused(refusal) => Some(refusal),
            _ => None,
        };
        write!(
            f,
            r#"],"tables":{{"state":"{}","gpu_list_count":{},"entries":{},"reason":"#,
            report.tables.word(),
            report.gpu_list_count,
            report.entries
        )?;
        optional(f, reason)?;
        let (calls, hidden, reason) = match &report.types {
            TypeFiles::NotLoaded | TypeFiles::LeftAlone => (0, 0, None),
            TypeFiles::Replaced { calls, hidden } => (*calls, *hidden, None),
            TypeFiles::Refused(reason) => (0, 0, Some(reason)),
        };
        let word = report.types.word();
        write!(f, r#"}},"types":{{"state":"{word}","calls":{calls},"hidden":{hidden},"reason":"#)?;
        optional(f, reason)?;
        write!(
            f,
            r#"}},"asked":{{"nvidia-vgpud":{},"nvidia-vgpu-mgr":{}"#,
            report.told.asked(Daemon::Vgpud),
            report.told.asked(Daemon::Manager)
        )?;
        let (told, acceptance) = report.acceptance.unzip();
        let (state, reason) = match acceptance {
            None => (None, None),
            Some(Acceptance::Accepted) => (Some("accepts"), None),
            Some(Acceptance::Kept) => (Some("kept"), None),
            Some(Acceptance::GivenUp(why)) => (Some("gives up"), Some(why)),
        };
        write!(f, r#"}},"vgpud":{{"told":"#)?;
        match told {
            Some(device) => write!(f, "{device}")?,
            None => write!(f, "null")?,
        }
        write!(f, r#","state":"#)?;
        optional(f, state.as_ref())?;
        write!(f, r#","reason":"#)?;
        optional(f, reason.as_ref())?;
        let Answers { seen, changed, lost, unknown } = report.answers;
        write!(f, r#"}},"answers":{{"seen":{seen},"changed":{changed},"lost":{lost},"unknown":"#)?;
        let (count, last) = unknown.map_or((0, None), |(count, last)| (count, Some(last)));
        write!(f, r#"{count},"last_unknown":"#)?;
        optional(f, last.as_ref())?;
        writeln!(f, r#"}},"locate_us":{}}}"#, report.locate_us)
    }
}

fn gpu(f: &mut fmt::Formatter<'_>, report: &Report<'_>, gpu: &Gpu) -> fmt::Result {
    write!(
        f,
        r#"{{"address":"{}","device":"{:#06x}","subsystem":"{:#06x}","answered_as":"#,
        gpu.address, gpu.device, gpu.subsystem
    )?;
    match gpu.answered_as() {
        Some(sibling) => write!(
            f,
            r#"{{"device":"{:#06x}","subsystem":"{:#06x}","name":"{}"}}"#,
            sibling.device,
            sibling.subsystem.unwrap_or(gpu.subsystem),
            sibling.name
        )?,
        None => f.write_str("null")?,
    }
    f.write_str(r#","driver":"#)?;
    optional(f, gpu.bound.driver().as_ref())?;
    write!(
        f,
        r#","virtual_functions":{},"state":"{}","reason":"{}","profiles_gone":{},"types":"#,
        gpu.functions,
        gpu.state.word(),
        gpu.explanation(),
        gpu.profiles_gone
    )?;
    match gpu.types {
        Some(types) => write!(f, "{types}")?,
        None => f.write_str("null")?,
    }
    let missing = chain::missing(report, gpu);
    f.write_str(r#","missing":"#)?;
    optional(f, missing.map(|(link, _)| link.name()).as_ref())?;
    f.write_str(r#","advice":"#)?;
    optional(f, missing.map(|(_, advice)| advice).as_ref())?;
    write!(f, r#","vgpu_count":{},"vgpus":["#, gpu.vgpus)?;
    let vgpus = report.vgpus.iter().filter(|vgpu| vgpu.gpu == gpu.address);
    list(f, vgpus, |f, it| vgpu(f, it, report.told.about(it.uuid)))?;
    f.write_str("]}")
}

fn vgpu(f: &mut fmt::Formatter<'_>, vgpu: &Vgpu, told: Option<&Told>) -> fmt::Result {
    write!(f, r#"{{"uuid":"{}","type":"#, vgpu.uuid)?;
    match vgpu.vgpu_type {
        Some(number) => write!(f, "{number}")?,
        None => f.write_str("null")?,
    }
    let Some(told) = told else { return f.write_str(r#","told":null}"#) };
    let applied = &told.applied;
    write!(
        f,
        r#","told":{{"by_type":{},"by_mdev":{},"by_vm":{},"skipped":"#,
        applied.by_type, applied.by_mdev, applied.by_vm
    )?;
    match applied.skipped {
        Some((key, why)) => write!(f, r#"{{"key":"{}","why":"{why}"}}"#, key.name())?,
        None => f.write_str("null")?,
    }
    f.write_str(r#","in_force":{"#)?;
    list(f, told.effective.values(), |f, (key, value)| match value {
        InForce::Number(number) => write!(f, r#""{}":{number}"#, key.name()),
        InForce::Text(text) => write!(f, r#""{}":"{}""#, key.name(), Escaped(text)),
    })?;
    f.write_str("}}}")
}

/// A text within a JSON string.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c)),
            c => f.write_char(c),
        })
    }
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
    items: impl Iterator<Item = T>,
    item: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (i, it) in items.enumerate() {
        if i != 0 {
            f.write_char(',')?;
        }
        item(f, it)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_json_can_not_have_is_escaped() {
        let text = std::format!("{}", Escaped("a \"b\" \\ \n\u{e9}"));
        assert_eq!(text, "a \\\"b\\\" \\\\ \\u000a\u{e9}");
    }
}
