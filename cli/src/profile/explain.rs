// SPDX-License-Identifier: GPL-2.0
//! Says what is in force for a vGPU type on a driver branch.

mod files;

use std::fmt::Write as _;

use vgpu_unlock::driver::branch;
use vgpu_unlock::host::KNOWN_BRANCHES;
use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::{ParseError, Which};
use vgpu_unlock::profile::{self, Content, Editor, Field, Key, Skipped, Uuid};
use vgpu_unlock::rm_control::command::{
    HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO, VGPU_CONFIG_GET_VGPU_TYPE_INFO,
};
use vgpu_unlock::rm_control::layout::{self, Layout};

use super::write;
use crate::release::Named;

/// A driver, as far as structures go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    named: Named,
    /// Of the parameters that ask for a type by number, and of those for the type of a vGPU.
    lengths: (Lengths, Lengths),
}

/// How long a structure is: one length, or those of the branches before and behind, with their
/// numbers, where nobody has seen this one's; none where there is no telling.
type Lengths = &'static [(usize, Option<u16>)];

impl Branch {
    /// Reads a branch, a version of it or a vGPU release. What each has is in the module's
    /// `layout/mod.rs`.
    ///
    /// # Errors
    /// No driver of that branch has been looked at, nor of those beside it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = Named::parse(text)?;
        let version = named.version;
        let lengths: (Lengths, Lengths) = match (version.branch, version.minor) {
            (450..=460, _) => (&[(4536, None)], &[(1840, None)]),
            (461..=469, _) => (&[(4536, Some(460))], &[(1840, Some(460)), (1848, Some(470))]),
            (470, _) => (&[(4536, None)], &[(1848, None)]),
            (471..=524, _) => {
                (&[(4536, Some(470)), (4960, Some(525))], &[(1848, Some(470)), (1872, Some(525))])
            }
            (525..=535, _) => (&[(4960, None)], &[(1872, None)]),
            (550..=555, _) => (&[(5096, None)], &[(1872, None)]),
            (560..=565, _) => (&[(5096, None)], &[]),
            (570..=575, _) => (&[(5232, None)], &[]),
            (580, 0..=93) => (&[(5424, None)], &[(2328, None)]),
            (580..=590, _) => (&[(5432, None)], &[]),
            (branch, _) => {
                return Err(format!(
                    "the structures of {branch} are not known: known are 450 to 535 and 550 to 590"
                ));
            }
        };
        Ok(Self { named, lengths })
    }

    /// The structures that the branch has or may have.
    fn layouts(&self) -> impl Iterator<Item = Structure> {
        let of = |what, cmd, lengths: Lengths| {
            let known = lengths.iter().map(move |&(length, neighbour)| {
                layout::of(cmd, length).map(|layout| (length, neighbour, layout))
            });
            let unknown = lengths.is_empty().then_some(None);
            known.chain(unknown).map(move |known| Structure { what, known })
        };
        let (by_number, of_vgpu) = self.lengths;
        of("asked for by number", VGPU_CONFIG_GET_VGPU_TYPE_INFO, by_number).chain(of(
            "of a vGPU",
            HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO,
            of_vgpu,
        ))
    }
}

/// What the module does on a driver's branch, and what that means for the overrides. Every branch that
/// [`Branch::parse`] takes has structures that are known, which is what answers need.
fn acts(named: &Named) -> String {
    match branch::of(&named.version) {
        Some(_) => format!("{named}: the module attaches to this branch\n"),
        None => format!(
            "{named}: the module changes only answers on this branch, whose checks are not known; known are {}\n\
             what follows is in force for boards that the driver lists itself, and for no others\n",
            KNOWN_BRANCHES
        ),
    }
}

/// A structure that hands out a vGPU type.
struct Structure {
    /// What type that is.
    what: &'static str,
    /// Its length, the branch that it is known from where it is not this one, and its layout.
    known: Option<(usize, Option<u16>, &'static Layout)>,
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
    let read = ReadOverrides::parse(text.as_bytes())?;
    let overrides = read.view();
    let Question { vgpu_type, mdev, branch, description } = *question;
    let which = Which { vgpu_type, mdev };
    let named = branch.named;
    let mut out = acts(&named);
    let _ = write!(out, "\nnvidia-{vgpu_type}");
    if let Some(mdev) = mdev {
        let _ = write!(out, ", vGPU {mdev}");
        if let Some(vm) = mdev.vmid() {
            let _ = write!(out, ", machine {vm}");
        }
    }
    let _ = writeln!(out, "\nfields that are not named stay as the driver has them");
    for Structure { what, known } in branch.layouts() {
        let Some((length, neighbour, layout)) = known else {
            let _ = writeln!(out, "\ntype {what}: layout not known on this branch, left alone");
            continue;
        };
        let _ = match neighbour {
            None => writeln!(out, "\ntype {what} ({length} bytes):"),
            Some(branch) => writeln!(
                out,
                "\ntype {what}, if this branch has the {length} bytes of {branch} (nobody has seen it):"
            ),
        };
        let mut collector = Collector { layout, by: String::new(), effects: Vec::new() };
        let mut skipped = Vec::new();
        for (target, key, value) in overrides.matching(which) {
            collector.by = write::target(target);
            if let Err(why) = profile::write(&mut collector, key, &value) {
                skipped.push((write::target(target), key, why));
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
    fn what_the_module_does_on_the_branch_comes_first() {
        let known = answer("nvidia-55:num_displays=1", None, "17.5");
        let first =
            "driver 550.144.02 (vGPU 17.5): the module attaches to this branch\n\nnvidia-55\n";
        assert!(known.starts_with(first), "{known}");
        const ONLY: &str = "the module changes only answers on this branch";
        const ATTACHES: &str = "the module attaches to this branch\n";
        for (branch, acts) in [
            ("450", ATTACHES),
            ("460", ATTACHES),
            ("510", ATTACHES),
            ("515", ONLY),
            ("530", ONLY),
            ("535", ATTACHES),
            ("555", ATTACHES),
            ("565", ONLY),
            ("570", ATTACHES),
            ("575", ONLY),
            ("19.2", ATTACHES),
            ("590", ONLY),
        ] {
            let named = Named::parse(branch).unwrap();
            let said = answer("nvidia-55:num_displays=1", None, branch);
            assert!(said.starts_with(&format!("{named}: {acts}")), "{said}");
            let listed =
                said.contains("\nwhat follows is in force for boards that the driver lists itself");
            assert_eq!(listed, acts == ONLY, "{said}");
            // That is what the module goes by, too.
            assert_eq!(branch::of(&named.version).is_some(), acts == ATTACHES, "{branch}");
            assert!(layout::fits(named.version.branch), "{branch}");
            assert!(said.contains("num_heads                1"), "{said}");
        }
    }

    #[test]
    fn every_branch_that_is_known_has_a_layout() {
        for (branch, structures) in [
            ("450", 2),
            ("460.106.00", 2),
            ("465", 3),
            ("470", 2),
            ("510", 4),
            ("14.4", 4),
            ("525", 2),
            ("530", 2),
            ("535", 2),
            ("550", 2),
            ("565", 1),
            ("570", 1),
            ("590", 1),
        ] {
            let found = Branch::parse(branch).unwrap();
            let (by_number, of_vgpu) = found.lengths;
            let known = found.layouts().filter(|structure| structure.known.is_some()).count();
            assert_eq!(known, by_number.len() + of_vgpu.len(), "{branch}");
            assert_eq!(known, structures, "{branch}");
        }
        for branch in ["418", "545", "595", "20.1", "17.99", "", "x"] {
            assert!(Branch::parse(branch).is_err(), "{branch}");
        }
    }

    #[test]
    fn a_branch_that_nobody_has_seen_is_explained_by_those_beside_it() {
        let said = answer("nvidia-55:adapter_name=x", None, "510");
        assert!(said.starts_with("driver branch 510 (vGPU 14): the module attaches"), "{said}");
        let parts: Vec<_> = said.split("\ntype ").collect();
        let [_, old, new, ..] = parts.as_slice() else { panic!("{said}") };
        assert!(old.starts_with("asked for by number, if this branch has the 4536 bytes of 470"));
        assert!(old.contains("adapter_name of nvidia-55 does nothing"), "{said}");
        assert!(new.starts_with("asked for by number, if this branch has the 4960 bytes of 525"));
        assert!(new.contains("adapter_name             \"x\""), "{said}");
    }

    #[test]
    fn an_error_points_to_its_place() {
        let text = "nvidia-55:num_displays=1,framebuffer=4G";
        let error = ReadOverrides::parse(text.as_bytes()).unwrap_err();
        let shown = shown_error("overrides", text, error);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[2].find('^').map(|at| &lines[1][at..]), Some("4G"));
    }
}
