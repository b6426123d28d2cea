// SPDX-License-Identifier: GPL-2.0
//! The names of sections, right and nearly right.

use toml::de::DeValue;
use vgpu_unlock::profile::Uuid;

use super::keys;
use crate::board;

/// The names of the sections' kinds.
pub const KINDS: [&str; 3] = ["profile", "mdev", "vm"];

const NEVER: &str = "vgpu_unlock-rs never applies it either";

/// A Proxmox machine's number has at most so many digits in the UUIDs of its vGPUs.
const VM_DIGITS: usize = 12;

/// The target of a section in our grammar, and what is to be said about it.
///
/// # Errors
/// There is no such section; the text says what may have been meant.
pub fn target(kind: &str, name: &str) -> Result<(String, Option<String>), String> {
    let ignored = |why: &str| {
        Err(format!(
            "[{kind}.{name}] is ignored: {why}{}; {NEVER}",
            hint(&format!("{kind}.{name}"))
        ))
    };
    match kind {
        "profile" => match name.strip_prefix("nvidia-").map(str::parse::<u32>) {
            Some(Ok(number)) if format!("nvidia-{number}") == name => Ok((name.to_owned(), None)),
            _ => ignored("a type is nvidia-N"),
        },
        "mdev" => match Uuid::parse(name.as_bytes()) {
            Some(uuid) if uuid.to_string() == name => Ok((format!("mdev/{uuid}"), None)),
            Some(uuid) => {
                let note = "takes effect now; vgpu_unlock-rs knows only lower-case UUIDs";
                Ok((format!("mdev/{uuid}"), Some(format!("[mdev.{name}] {note}"))))
            }
            None => ignored("this is no UUID"),
        },
        _ => match name.parse::<u64>() {
            Ok(number) if number.to_string() == name => {
                let never = (name.len() > VM_DIGITS).then(|| {
                    format!("[vm.{name}] never applies: a machine has at most {VM_DIGITS} digits")
                });
                Ok((format!("vm/{number}"), never))
            }
            _ => ignored("a machine is a number, its VMID in Proxmox"),
        },
    }
}

/// The target of a section in our grammar, if it is right.
pub fn find(kind: &str, name: &str) -> Option<String> {
    target(kind, name).ok().map(|(target, _)| target)
}

/// What is said about a setting in front of the first section.
pub fn loose(name: &str) -> String {
    if is_config(name) {
        return format!("{name} is ignored: it belongs into config.toml");
    }
    format!(
        "{name} is ignored: it stands in front of the first section, and belongs below one such as \
         [profile.nvidia-55]"
    )
}

/// What is said about a section of a kind that there is not. `inner` is the first name in it.
pub fn unknown(kind: &str, inner: Option<&str>) -> String {
    if is_config(kind) {
        return format!("[{kind}] is ignored: it belongs into config.toml");
    }
    let whole = inner.map_or_else(|| kind.to_owned(), |inner| format!("{kind}.{inner}"));
    let near = match hint(&whole) {
        none if none.is_empty() => keys::nearest(kind, &KINDS),
        hint => hint,
    };
    format!("[{kind}] is ignored: there are profile, mdev and vm{near}")
}

/// What is said about a section that stands within another.
pub fn inside(target: &str, kind: &str, value: &DeValue<'_>) -> String {
    let inner = value.as_table().and_then(|table| table.keys().next());
    let hint = inner.and_then(|name| meant(&format!("{kind}.{}", name.get_ref())));
    let hint = hint.map_or(String::new(), |header| format!(": write {header} by itself"));
    format!("{target}: {kind} is ignored: no section stands in another{hint}")
}

/// Whether `config.toml` has a key of that name.
pub fn is_config(name: &str) -> bool {
    matches!(name, "unlock" | "unlock_migration" | "pci_info_map")
}

/// `: is [profile.nvidia-55] meant?`, or what has to be done about the name.
pub fn hint(name: &str) -> String {
    if let Some(header) = meant(name) {
        return format!(": is {header} meant?");
    }
    if is_placeholder(name) {
        return match keys::plain(name) {
            word if word.starts_with("vm") => ": write the VM's number in its place".to_owned(),
            word if word.starts_with("mdev") => {
                ": write the vGPU's UUID in its place, see `mdevctl list`".to_owned()
            }
            _ => ": write the number of your type in its place, see `mdevctl types`".to_owned(),
        };
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if !last.is_empty() && last.bytes().all(|c| c.is_ascii_digit()) && last == name {
        return format!(": is [vm.{name}] or [profile.nvidia-{name}] meant?");
    }
    let uuid =
        last.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && last.matches('-').count() > 2;
    match last.len() {
        length if uuid && length != 36 => format!(": it has {length} characters, a UUID has 36"),
        _ => String::new(),
    }
}

/// The header that a name was meant to be, where there is no doubt.
pub fn meant(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let word: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    if let Some(uuid) = uuid(&lower) {
        return Some(format!("[mdev.{uuid}]"));
    }
    let starts = |names: &[&str]| names.iter().find_map(|name| word.strip_prefix(name));
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| digits)
    };
    if let Some(rest) = starts(&["vmid", "vms", "vm", "machines", "machine", "mdev"]) {
        let digits = rest.strip_prefix("id").or_else(|| rest.strip_prefix("vm")).unwrap_or(rest);
        return number(digits).map(|number| format!("[vm.{number}]"));
    }
    let rest = starts(&["profiles", "profile", "profil", "types", "type"]);
    let rest = rest.unwrap_or(&word);
    let bare = rest.strip_prefix("nvidia");
    let digits = bare.or((rest != word).then_some(rest)).and_then(number);
    if let Some(number) = digits.and_then(|number| u32::try_from(number).ok()) {
        return Some(format!("[profile.nvidia-{number}]"));
    }
    board::type_number(rest).map(|number| format!("[profile.nvidia-{number}]"))
}

/// A UUID within a text, whatever stands around it, with or without its hyphens.
fn uuid(lower: &str) -> Option<Uuid> {
    let parts = lower.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let digits = parts.map(|part| part.replace('-', "")).find(|digits| digits.len() == 32)?;
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|at| digits.get(at).unwrap_or(""));
    Uuid::parse(groups.join("-").as_bytes())
}

/// Whether a name is what a guide writes where one's own belongs.
fn is_placeholder(name: &str) -> bool {
    if name.contains(['{', '}', '<', '>', '$', '*', '?', '…']) {
        return true;
    }
    let last = name.rsplit(['.', '-']).next().unwrap_or(name).to_lowercase();
    let word = last.trim_matches(|c: char| !c.is_alphanumeric());
    matches!(
        word,
        "n" | "x" | "nn" | "id" | "uuid" | "vmid" | "number" | "num" | "type" | "profile"
    ) || (word.len() > 1 && word.bytes().all(|c| c == b'x'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "2b7bc7e4-8784-4933-8613-9bc92bbc718c";

    #[test]
    fn what_is_nearly_a_section_is_named() {
        for (name, header) in [
            ("profile.55", "[profile.nvidia-55]"),
            ("profile.nvidia-055", "[profile.nvidia-55]"),
            ("profile.nvidia55", "[profile.nvidia-55]"),
            ("profile.NVIDIA_55", "[profile.nvidia-55]"),
            ("Profile.nvidia-55", "[profile.nvidia-55]"),
            ("profiles.nvidia-55", "[profile.nvidia-55]"),
            ("profile nvidia-55", "[profile.nvidia-55]"),
            ("profile-nvidia-55", "[profile.nvidia-55]"),
            ("nvidia-55", "[profile.nvidia-55]"),
            ("profile.GRID P40-2Q", "[profile.nvidia-47]"),
            ("GRID RTX6000-1Q", "[profile.nvidia-256]"),
            ("vm.0100", "[vm.100]"),
            ("vm.vm100", "[vm.100]"),
            ("VM.100", "[vm.100]"),
            ("vm/100", "[vm.100]"),
            ("vms.100", "[vm.100]"),
            ("vmid:100", "[vm.100]"),
            ("mdev.100", "[vm.100]"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(header), "{name}");
        }
        let bare = UUID.replace('-', "");
        for name in [
            format!("mdev.{{{UUID}}}"),
            format!("mdev.{}", UUID.to_uppercase()),
            format!("vm.{UUID}"),
            format!("mdev/{UUID}"),
            format!("mdev.{bare}"),
            UUID.to_owned(),
        ] {
            assert_eq!(meant(&name), Some(format!("[mdev.{UUID}]")), "{name}");
        }
        for name in
            ["profile.x", "web", "profile", "vm", "", "100", "mdev", "profile.nvidia-4294967296"]
        {
            assert_eq!(meant(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_said_about_the_others_says_what_to_do() {
        for (name, said) in [
            ("profile.nvidia-{profile id}", "write the number of your type"),
            ("profile.nvidia-N", "write the number of your type"),
            ("profile.nvidia-XXX", "see `mdevctl types`"),
            ("profile.nvidia-<type>", "see `mdevctl types`"),
            ("mdev.{uuid}", "see `mdevctl list`"),
            ("vm.VMID", "write the VM's number"),
            ("100", "is [vm.100] or [profile.nvidia-100] meant?"),
            (&UUID[1..], "it has 35 characters, a UUID has 36"),
            ("web", ""),
        ] {
            let hint = hint(name);
            assert!(hint.contains(said) && (said.is_empty() == hint.is_empty()), "{name}: {hint}");
        }
    }

    #[test]
    fn what_is_no_section_is_placed() {
        for (kind, inner, said) in [
            ("profiles", Some("nvidia-55"), "is [profile.nvidia-55] meant?"),
            ("profil", None, "is profile meant?"),
            ("VM", Some("100"), "is [vm.100] meant?"),
            ("anything", Some("else"), "there are profile, mdev and vm"),
            ("pci_info_map", Some("0x1b06"), "belongs into config.toml"),
        ] {
            let text = unknown(kind, inner);
            assert!(text.contains(said) && text.starts_with(&format!("[{kind}] is ignored")));
        }
        assert!(loose("num_displays").contains("belongs below one such as [profile.nvidia-55]"));
        assert!(loose("unlock").contains("belongs into config.toml"));
    }
}
