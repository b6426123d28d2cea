// SPDX-License-Identifier: GPL-2.0
//! A plan, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use vgpu_unlock::profile::VRAM_MIN;

use super::share::Misfit;
use super::{Owner, Plan, STEP};
use crate::profile::{overrides_toml, written_size};

/// Why it does not fit.
pub fn misfit(board: &str, memory: u64, reserve: u64, misfit: Misfit) -> String {
    let kept = match reserve {
        0 => String::new(),
        kept => format!(", of which {} are kept", size(kept)),
    };
    let has = format!("{board} has {}{kept}", size(memory));
    match misfit {
        Misfit::Small { wish } => format!(
            "a vGPU has at least {} in steps of {}, not {}",
            size(VRAM_MIN),
            size(STEP),
            size(wish)
        ),
        Misfit::TooMuch { wanted, room } => format!(
            "the vGPUs need {}, but {has}: that is {} too much",
            size(wanted),
            size(wanted.saturating_sub(room))
        ),
        Misfit::TooLittle { left, count } => format!(
            "{has}: for the {count} without a size {} are left, and each needs at least {}",
            size(left),
            size(VRAM_MIN)
        ),
    }
}

/// A size in a sentence: whole MiB, or what is nearly that.
fn size(bytes: u64) -> String {
    if bytes != 0 && bytes % (1 << 20) == 0 { written_size(bytes) } else { mib(bytes) }
}

fn mib(bytes: u64) -> String {
    format!("{}MiB", bytes >> 20)
}

impl Plan {
    /// The overrides as a file has them.
    pub fn toml(&self) -> String {
        overrides_toml(&self.sections)
    }

    /// The plan as a table.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let kept = match self.reserve {
            0 => "nothing kept for the host".to_owned(),
            kept => format!("{} kept for the host", mib(kept)),
        };
        let _ = writeln!(out, "board: {}, {}, {kept}", self.board, mib(self.memory));
        for (number, of, count) in &self.types {
            let name = of.as_ref().map_or("unknown", |of| &of.name);
            let _ = writeln!(out, "type: nvidia-{number} ({name}), {count} of them");
        }
        let owner = |owner: &Owner| match owner {
            Owner::Vm(number) => format!("vm {number}"),
            Owner::Mdev(uuid) => format!("mdev {uuid}"),
            Owner::Any => "any".to_owned(),
        };
        let width = self.vgpus.iter().map(|planned| owner(&planned.owner).len()).max().unwrap_or(0);
        let width = width.max(4);
        let _ = writeln!(
            out,
            "\n{:<width$} {:<12} {:>10} {:>12} {:>12}",
            "vGPU", "type", "whole", "framebuffer", "reservation"
        );
        for planned in &self.vgpus {
            let _ = writeln!(
                out,
                "{:<width$} {:<12} {:>10} {:>12} {:>12}",
                owner(&planned.owner),
                format!("nvidia-{}", planned.vgpu_type),
                mib(planned.total()),
                mib(planned.framebuffer),
                mib(planned.reservation)
            );
        }
        let _ = writeln!(out, "{:<width$} {:<12} {:>10}", "left", "", mib(self.left));
        let warnings = self.warnings.iter().map(|text| ("warning", text));
        let remarks = warnings.chain(self.notes.iter().map(|text| ("note", text)));
        for (i, (word, text)) in remarks.enumerate() {
            let _ = writeln!(out, "{}{word}: {text}", if i == 0 { "\n" } else { "" });
        }
        let _ = write!(out, "\n{}", self.toml());
        out
    }

    /// The plan as JSON. Sizes are in bytes.
    pub fn json(&self) -> Json {
        let vgpus = self.vgpus.iter().map(|planned| {
            let (vm, mdev) = match planned.owner {
                Owner::Vm(number) => (Some(number), None),
                Owner::Mdev(uuid) => (None, Some(uuid.to_string())),
                Owner::Any => (None, None),
            };
            json!({
                "vm": vm,
                "mdev": mdev,
                "type": planned.vgpu_type,
                "total": planned.total(),
                "framebuffer": planned.framebuffer,
                "framebuffer_reservation": planned.reservation,
            })
        });
        let types = self.types.iter().map(|(number, of, count)| {
            json!({
                "type": number,
                "name": of.as_ref().map(|of| &of.name),
                "max_instances": count,
            })
        });
        json!({
            "board": { "name": self.board, "memory": self.memory, "reserve": self.reserve },
            "types": types.collect::<Vec<_>>(),
            "vgpus": vgpus.collect::<Vec<_>>(),
            "left": self.left,
            "warnings": self.warnings,
            "notes": self.notes,
            "overrides": self.toml(),
        })
    }
}
