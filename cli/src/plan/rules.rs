// SPDX-License-Identifier: GPL-2.0
//! Which types may be on a board together.
//!
//! NVIDIA's rule, from its page "Selecting the Correct vGPU Profiles"
//! (docs.nvidia.com/vgpu/deployment/citrix-virtual-apps/latest/vgpu-profile.html) and its user guide: a
//! board is in *equal-size mode*, where all its vGPUs have the same amount of memory. From vGPU 17 on
//! they may be of different series, and a board that can be put into *mixed-size mode* may have
//! different sizes, but of some types fewer than before.
//!
//! What is compared is the type's own size. That an override of a single vGPU's memory is not looked at
//! is what users of vgpu_unlock-rs report: its issue 42 has machines with 512 MiB, 2 GiB and 13 GiB
//! of `nvidia-256` on one board, in either mode. Not run by us.

use crate::board::Type;

/// How a board takes types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All vGPUs have the same size: what a board begins with.
    EqualSize,
    /// They may have different sizes: to be switched on, from vGPU 17 on.
    MixedSize,
}

/// What comes of types on one board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong with them.
    Fine,
    /// Only some drivers take them, or it cannot be told.
    Perhaps(String),
    /// The driver refuses the second one.
    Refused(String),
}

/// Looks at the types that are to be on one board, of those that are known.
pub fn together(numbers: &[u32], known: &[Type], mode: Mode) -> Verdict {
    let mut types: Vec<&Type> = Vec::new();
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    for number in &numbers {
        match known.iter().find(|known| known.number == *number) {
            Some(known) => types.push(known),
            None if numbers.len() > 1 => {
                return Verdict::Perhaps(format!(
                    "the size of nvidia-{number} is not known: in equal-size mode, which a board \
                     begins with, all types on it must have the same"
                ));
            }
            None => {}
        }
    }
    let Some((first, others)) = types.split_first() else { return Verdict::Fine };
    let shown = |of: &Type| format!("nvidia-{} ({}) has {}MiB", of.number, of.name, of.mib);
    if let Some(other) = others.iter().find(|other| other.mib != first.mib) {
        let sizes = format!("{}, {}", shown(first), shown(other));
        return match mode {
            Mode::EqualSize => Verdict::Refused(format!(
                "{sizes}: in equal-size mode, which a board begins with, all types on it must have the \
                 same; one type with a size of its own for each VM does without, and so does mixed-size \
                 mode from vGPU 17 on (--mixed-size)"
            )),
            Mode::MixedSize => Verdict::Perhaps(format!(
                "{sizes}: that needs mixed-size mode, vGPU 17 or newer and a board that has it; of \
                 some types, fewer fit on the board then"
            )),
        };
    }
    if let Some(other) = others.iter().find(|other| other.series() != first.series()) {
        return Verdict::Perhaps(format!(
            "{} and {} are of different series: drivers before vGPU 17 may refuse them on one board",
            first.name, other.name
        ));
    }
    Verdict::Fine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_one_size_go_together() {
        let of =
            |number, name: &str, mib| Type { number, name: name.into(), mib, max_instances: 9 };
        let known = [
            of(46, "GRID P40-1Q", 1024),
            of(47, "GRID P40-2Q", 2048),
            of(99, "GRID P40-2Q", 2048),
            of(156, "GRID P40-2B", 2048),
        ];
        let check = |numbers: &[u32], mode| match together(numbers, &known, mode) {
            Verdict::Fine => "fine".to_owned(),
            Verdict::Perhaps(why) => format!("perhaps: {why}"),
            Verdict::Refused(why) => format!("refused: {why}"),
        };
        for (numbers, mode, expected) in [
            (&[][..], Mode::EqualSize, "fine"),
            (&[47, 47], Mode::EqualSize, "fine"),
            (&[12], Mode::EqualSize, "fine"),
            (&[47, 99], Mode::EqualSize, "fine"),
            (&[47, 156], Mode::EqualSize, "perhaps: GRID P40-2Q and GRID P40-2B are of different"),
            (&[46, 47], Mode::EqualSize, "refused: nvidia-46 (GRID P40-1Q) has 1024MiB, nvidia-47"),
            (&[47, 46, 156], Mode::MixedSize, "perhaps: nvidia-46 (GRID P40-1Q) has 1024MiB"),
            (&[47, 12], Mode::EqualSize, "perhaps: the size of nvidia-12 is not known"),
        ] {
            let said = check(numbers, mode);
            assert!(said.starts_with(expected), "{numbers:?}: {said}");
        }
    }
}
