// SPDX-License-Identifier: GPL-2.0
//! Takes over `config.toml`.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use vgpu_unlock::profile::Key;

use super::{Import, in_order, keys, raw, section};
use crate::profile::{
    remark::{Source, Weight},
    suggest, value,
};

/// The keys that vgpu_unlock-rs reads.
const KEYS: [&str; 3] = ["unlock", "unlock_migration", "pci_info_map"];

/// Every board stays as it is.
const ALL_OFF: &str = "any=off";

/// Whether a file is a `config.toml`: by what it has, or by its name where it has nothing.
pub fn is_config(name: &str, text: &str) -> bool {
    let (root, _) = DeTable::parse_recoverable(text);
    let entries =
        || root.get_ref().iter().map(|(name, value)| (&**name.get_ref(), value.get_ref()));
    let is_key = |name: &str| KEYS.contains(&name);
    if entries().any(|(name, value)| !is_key(name) && value.is_table()) {
        return false;
    }
    entries().any(|(name, _)| is_key(name))
        || name.rsplit('/').next().is_some_and(|name| name.contains("config"))
}

impl Import {
    /// Reads the text of a `config.toml`. To be called behind [`Import::profiles`].
    pub fn config(&mut self, name: &str, text: &str) {
        let file = Source { name, text };
        let Some(root) = self.parse(&file) else { return };
        let (mut off, mut map) = (None, None);
        for (key, value) in in_order(root.get_ref()) {
            let found = value::shown(raw(&file, value));
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("unlock", DeValue::Boolean(false)) => off = Some(key),
                ("unlock", DeValue::Boolean(true)) => {
                    self.remark(&file, key, Weight::Does, "unlock = true: enabled=1".into());
                }
                ("unlock_migration", DeValue::Boolean(on)) => {
                    self.migration = *on;
                    let text = format!("unlock_migration = {on}: migration={}", u8::from(*on));
                    self.remark(&file, key, Weight::Does, text);
                }
                (name @ ("unlock" | "unlock_migration"), _) => {
                    let meant = match suggest::value(Key::CudaEnabled, &found).as_deref() {
                        Some("0") => format!(": {name} = false"),
                        Some(_) => format!(": {name} = true"),
                        None => String::new(),
                    };
                    let text = format!(
                        "{name}: write true or false, not {found}{meant}; vgpu_unlock-rs aborts for it"
                    );
                    self.remark(&file, key, Weight::Error, text);
                }
                ("pci_info_map", value) => match value.as_table() {
                    Some(table) => map = Some(table),
                    None => {
                        let text = format!(
                            "pci_info_map must be a table, not {found}; vgpu_unlock-rs aborts for it"
                        );
                        self.remark(&file, key, Weight::Error, text);
                    }
                },
                (name, _) => {
                    let hint = match section::KINDS.contains(&name) {
                        true => ": it belongs into profile_override.toml".to_owned(),
                        false => keys::nearest(name, &KEYS),
                    };
                    let text = format!("{name} is ignored: there is no such key{hint}");
                    self.remark(&file, key, Weight::Warning, text);
                }
            }
        }
        if let Some(key) = off {
            self.off(&file, key);
        }
        if let Some(map) = map {
            self.pci_info_map(&file, map, off.is_some() && !self.disabled);
        }
    }

    /// `unlock = false`. There, that is about the boards only; our `enabled` switches everything off.
    fn off(&mut self, file: &Source<'_>, key: &Spanned<DeString<'_>>) {
        self.disabled = !self.migration && self.sections.iter().all(|s| s.settings.is_empty());
        let text = if self.disabled {
            "unlock = false: enabled=0".to_owned()
        } else {
            if !self.gpus.iter().any(|rule| rule == ALL_OFF) {
                self.gpus.push(ALL_OFF.to_owned());
            }
            format!(
                "unlock = false: gpus={ALL_OFF} keeps every board as it is; overrides and migration \
                 stay in force, which enabled=0 would switch off, too"
            )
        };
        self.remark(file, key, Weight::Does, text);
    }

    /// Where the boards are not to be unlocked, the map has no effect there.
    fn pci_info_map(&mut self, file: &Source<'_>, table: &DeTable<'_>, off: bool) {
        for (name, value) in in_order(table) {
            match pci_rule(name.get_ref(), value.get_ref()) {
                Ok(rule) if off => {
                    let text =
                        format!("{rule} is left out: unlock = false keeps the board as it is");
                    self.remark(file, name, Weight::Does, text);
                }
                Ok(rule) => {
                    let board = rule.split('=').next().unwrap_or("");
                    if self.gpus.iter().any(|other| other.split('=').next() == Some(board)) {
                        let text =
                            format!("{}: board {board} stands above already", name.get_ref());
                        self.remark(file, name, Weight::Error, text);
                        continue;
                    }
                    let text = format!("gpus={rule}: boards with that device ID are answered so");
                    self.remark(file, name, Weight::Does, text);
                    self.gpus.push(rule);
                }
                Err(text) => self.remark(file, name, Weight::Error, text),
            }
        }
    }
}

/// A rule of `gpus` for an entry of `pci_info_map`.
fn pci_rule(name: &str, value: &DeValue<'_>) -> Result<String, String> {
    const ABORTS: &str = "vgpu_unlock-rs aborts for it";
    let digits = name.trim();
    let id = match (digits.get(..2), digits.get(2..)) {
        (Some("0x" | "0X"), Some(hex)) => u32::from_str_radix(hex, 16),
        (Some("0b" | "0B"), Some(bits)) => u32::from_str_radix(bits, 2),
        _ => digits.parse(),
    };
    let id = id.map_err(|_| {
        let hex = digits.len() == 4 && digits.bytes().all(|c| c.is_ascii_hexdigit());
        let like = if hex { format!("0x{digits}") } else { "0x1b06".to_owned() };
        format!("{name:?} is no device ID: write it as {like}, or in decimal; {ABORTS}")
    })?;
    let id = u16::try_from(id).map_err(|_| {
        format!("{name:?} is no device ID: too large, it has four digits as 0x1b06")
    })?;
    let table = value.as_table();
    let field = |field: &str| {
        let found = table.and_then(|t| t.get(field)).map(Spanned::get_ref);
        found
            .and_then(DeValue::as_integer)
            .and_then(|i| u16::from_str_radix(i.as_str(), i.radix()).ok())
            .ok_or_else(|| {
                let found = match found {
                    None => "but there is none".to_owned(),
                    Some(DeValue::Integer(number)) => format!("not {number}"),
                    Some(DeValue::String(text)) => format!("without quotes, not {text:?}"),
                    Some(other) => format!("not a {}", other.type_str()),
                };
                format!("{name}: {field} must be a number up to 0xffff, {found}; {ABORTS}")
            })
    };
    Ok(format!("{id:04x}={:04x}:{:04x}", field("device_id")?, field("sub_system_id")?))
}
