// SPDX-License-Identifier: GPL-2.0
//! Says what is in force for a vGPU type on a driver branch.

mod files;

use std::fmt::Write as _;

use vgpu_unlock::driver::version::Version;
use vgpu_unlock::params::{Overrides, ParseError, Target, Which};
use vgpu_unlock::profile::{self, Content, Editor, Field, Key, Skipped, Uuid};
use vgpu_unlock::rm_control::command::{
    HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO, VGPU_CONFIG_GET_VGPU_TYPE_INFO,
};
use vgpu_unlock::rm_control::layout::{self, Layout};

/// A driver branch, as far as structures go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Length of the parameters that ask for a type by number, and for the type of a vGPU, where
    /// it is known.
    sizes: (Option<usize>, Option<usize>),
}

impl Branch {
    /// Reads a branch, or a version of it. What each has is in the module's `layout/mod.rs`.
    ///
    /// # Errors
    /// No driver of that branch has been looked at.
    pub fn parse(text: &str) -> Result<Self, String> {
        let full = if text.contains('.') { text.to_owned() } else { format!("{text}.0") };
        let version = Version::parse(full.as_bytes())
            .ok_or_else(|| "expected a version such as 550 or 550.163.01".to_owned())?;
        let sizes = match (version.branch, version.minor) {
            (450..=460, _) => (Some(4536), Some(1840)),
            (470, _) => (Some(4536), Some(1848)),
            (525..=535, _) => (Some(4960), Some(1872)),
            (550..=555, _) => (Some(5096), Some(1872)),
            (560..=565, _) => (Some(5096), None),
            (570..=575, _) => (Some(5232), None),
            (580, 0..=93) => (Some(5424), Some(2328)),
            (580..=590, _) => (Some(5432), None),
            (branch, _) => {
                return Err(format!(
                    "the structures of {branch} are not known: known are 450 to 470, 525 to 590"
                ));
            }
        };
        Ok(Self { sizes })
    }

    fn layouts(&self) -> [(&'static str, Option<usize>, Option<&'static Layout>); 2] {
        let find = |cmd, size: Option<usize>| (size, size.and_then(|size| layout::of(cmd, size)));
        let (size, by_number) = find(VGPU_CONFIG_GET_VGPU_TYPE_INFO, self.sizes.0);
        let (vgpu_size, of_vgpu) = find(HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO, self.sizes.1);
        [("asked for by number", size, by_number), ("of a vGPU", vgpu_size, of_vgpu)]
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The type's number.
    pub vgpu_type: u32,
    /// The vGPU.
    pub mdev: Option<Uuid>,
    /// The driver.
    pub branch: Branch,
    /// What the driver has in the type's file `description`.
    pub description: Option<&'a str>,
}

/// One field that was set.
struct Effect {
    field: Field,
    shown: String,
    by: String,
}

/// Collects what would be written into a structure.
struct Collector {
    layout: &'static Layout,
    by: String,
    effects: Vec<Effect>,
}

impl Editor for Collector {
    fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped> {
        let (_, len) = self.layout.place(field).ok_or(Skipped::Absent)?;
        let shown = match content {
            Content::Number(number) if number > 9999 => format!("{number} ({number:#x})"),
            Content::Number(number) => number.to_string(),
            Content::Bytes(bytes) if bytes.len() >= len => return Err(Skipped::TooLong),
            Content::Utf16(text) if text.encode_utf16().count() >= len / 2 => {
                return Err(Skipped::TooLong);
            }
            Content::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
            Content::Utf16(text) => format!("{text:?}"),
        };
        self.effects.retain(|effect| effect.field != field);
        self.effects.push(Effect { field, shown, by: self.by.clone() });
        Ok(())
    }
}

/// Says what the driver's answers and the type's files have after the overrides.
///
/// # Errors
/// The overrides are wrong.
pub fn explain(text: &str, question: &Question<'_>) -> Result<String, ParseError> {
    let overrides = Overrides::parse(text.as_bytes())?;
    let Question { vgpu_type, mdev, branch, description } = *question;
    let which = Which { vgpu_type, mdev };
    let mut out = String::new();
    let _ = write!(out, "nvidia-{vgpu_type}");
    if let Some(mdev) = mdev {
        let _ = write!(out, ", vGPU {mdev}");
        if let Some(vm) = mdev.vmid() {
            let _ = write!(out, ", machine {vm}");
        }
    }
    let _ = writeln!(out, "\nfields that are not named stay as the driver has them");
    for (what, size, layout) in branch.layouts() {
        let (Some(size), Some(layout)) = (size, layout) else {
            let _ = writeln!(out, "\ntype {what}: layout not known on this branch, left alone");
            continue;
        };
        let _ = writeln!(out, "\ntype {what} ({size} bytes):");
        let mut collector = Collector { layout, by: String::new(), effects: Vec::new() };
        let mut skipped = Vec::new();
        for (target, key, value) in overrides.matching(which) {
            collector.by = name(target);
            if let Err(why) = profile::write(&mut collector, key, &value) {
                skipped.push((name(target), key, why));
            }
        }
        collector.effects.sort_by_key(|effect| layout.place(effect.field));
        for Effect { field, shown, by } in &collector.effects {
            let _ = writeln!(out, "  {:<24} {shown:<32} {by}", field.name());
        }
        if collector.effects.is_empty() {
            let _ = writeln!(out, "  nothing is overridden");
        }
        for (by, key, why) in skipped {
            let _ = writeln!(out, "  {} of {by} does nothing: {}", key.name(), reason(key, why));
        }
    }
    let _ = write!(out, "\n{}", files::explain(&overrides, vgpu_type, description));
    Ok(out)
}

fn reason(key: Key, why: Skipped) -> &'static str {
    match (why, key) {
        (Skipped::Absent, _) => "this branch's structure has no such field",
        (Skipped::TooLong, Key::CardName | Key::VgpuType) => "this branch takes 31 bytes",
        (Skipped::TooLong, _) => "it is longer than the field",
    }
}

fn name(target: Target) -> String {
    match target {
        Target::Type(number) => format!("nvidia-{number}"),
        Target::Mdev(uuid) => format!("mdev/{uuid}"),
        Target::Vm(number) => format!("vm/{number}"),
    }
}

/// A parameter's error with the text around its place.
pub fn shown_error(name: &str, text: &str, error: ParseError) -> String {
    let before = text.as_bytes().get(..error.at).unwrap_or_default();
    let start = String::from_utf8_lossy(before);
    let from = start.chars().count().saturating_sub(40);
    let shown: String = text.chars().skip(from).take(76).collect();
    let shown = shown.replace(['\n', '\t'], " ");
    let column = start.chars().count() - from;
    format!("{name}: {error}\n  {shown}\n  {:>width$}", "^", width = column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, mdev: Option<&str>, branch: &str) -> String {
        let mdev = mdev.and_then(|uuid| Uuid::parse(uuid.as_bytes()));
        let branch = Branch::parse(branch).unwrap();
        explain(text, &Question { vgpu_type: 55, mdev, branch, description: None }).unwrap()
    }

    #[test]
    fn the_last_section_wins_and_is_named() {
        let text = "nvidia-55:num_displays=1,vram=2GiB;vm/100:num_displays=4";
        let said = answer(text, Some("00000000-0000-0000-0000-000000000100"), "550.163.01");
        for line in [
            "num_heads                4                                vm/100",
            "fb_length                1946157056 (0x74000000)          nvidia-55",
            "fb_reservation           201326592 (0xc000000)            nvidia-55",
            "asked for by number (5096 bytes)",
            "of a vGPU (1872 bytes)",
            "machine 100",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert!(!answer(text, None, "550").contains("vm/100"));
    }

    #[test]
    fn what_a_branch_can_not_take_is_said() {
        let text = format!("nvidia-55:card_name={},adapter_name=x,hidden=1", "x".repeat(32));
        let said = answer(&text, None, "470");
        assert!(said.contains("card_name of nvidia-55 does nothing: this branch takes 31 bytes"));
        assert!(said.contains("adapter_name of nvidia-55 does nothing: this branch's structure"));
        assert!(said.contains("hidden=1, the type will not be listed"));
        let said = answer(&text, None, "580.95.05");
        assert!(said.contains(&"x".repeat(32)) && said.contains("layout not known"));
        assert!(answer("", None, "525").contains("nothing is overridden"));
    }

    #[test]
    fn every_branch_that_is_known_has_a_layout() {
        for branch in ["450", "460.106.00", "470", "525", "530", "535", "550", "565", "570", "590"]
        {
            let [(_, size, by_number), (_, vgpu_size, of_vgpu)] =
                Branch::parse(branch).unwrap().layouts();
            assert!(size.is_some() && by_number.is_some(), "{branch}");
            assert_eq!(vgpu_size.is_some(), of_vgpu.is_some(), "{branch}");
        }
        for branch in ["418", "510", "595", "", "x"] {
            assert!(Branch::parse(branch).is_err(), "{branch}");
        }
    }

    #[test]
    fn an_error_points_to_its_place() {
        let text = "nvidia-55:num_displays=1,framebuffer=4G";
        let error = Overrides::parse(text.as_bytes()).unwrap_err();
        let shown = shown_error("overrides", text, error);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[2].find('^').map(|at| &lines[1][at..]), Some("4G"));
    }
}
