// SPDX-License-Identifier: GPL-2.0
//! The names of sections.

use vgpu_unlock::profile::Uuid;

/// The target of a section in our grammar, and what is to be said about it.
pub fn target(kind: &str, name: &str) -> Result<(String, Option<String>), String> {
    const NEVER: &str = "vgpu_unlock-rs never applies it either";
    match kind {
        "profile" => match name.strip_prefix("nvidia-").map(str::parse::<u32>) {
            Some(Ok(number)) if format!("nvidia-{number}") == name => Ok((name.to_owned(), None)),
            _ => Err(format!("[profile.{name}] is ignored: a type is nvidia-N; {NEVER}")),
        },
        "mdev" => match Uuid::parse(name.as_bytes()) {
            Some(uuid) if uuid.to_string() == name => Ok((format!("mdev/{uuid}"), None)),
            Some(uuid) => {
                let note = "takes effect now; vgpu_unlock-rs knows only lower-case UUIDs";
                Ok((format!("mdev/{uuid}"), Some(format!("[mdev.{name}] {note}"))))
            }
            None => Err(format!("[mdev.{name}] is ignored: this is no UUID; {NEVER}")),
        },
        _ => match name.parse::<u64>() {
            Ok(number) if number.to_string() == name => Ok((format!("vm/{number}"), None)),
            _ => Err(format!("[vm.{name}] is ignored: a machine is a number; {NEVER}")),
        },
    }
}
