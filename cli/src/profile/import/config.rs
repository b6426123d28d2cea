// SPDX-License-Identifier: GPL-2.0
//! Takes over `config.toml`.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Import, Source, Weight, in_order};

impl Import {
    /// Reads the text of a `config.toml`. To be called behind [`Import::profiles`].
    pub fn config(&mut self, name: &str, text: &str) {
        let file = Source { name, text };
        let Some(root) = self.parse(&file) else { return };
        let (mut off, mut map) = (None, None);
        for (key, value) in in_order(root.get_ref()) {
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
                    let text = format!("{name}: write true or false; vgpu_unlock-rs aborts for it");
                    self.remark(&file, key, Weight::Error, text);
                }
                ("pci_info_map", value) => match value.as_table() {
                    Some(table) => map = Some(table),
                    None => {
                        let text = "pci_info_map must be a table; vgpu_unlock-rs aborts for it";
                        self.remark(&file, key, Weight::Error, text.into());
                    }
                },
                (name, _) => {
                    let text = format!("{name} is ignored: there is no such key");
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

    /// `unlock = false`. There, that is about the board only. Ours switches everything off.
    fn off(&mut self, file: &Source<'_>, key: &Spanned<DeString<'_>>) {
        self.disabled = !self.migration && self.sections.iter().all(|s| s.settings.is_empty());
        if self.disabled {
            self.remark(file, key, Weight::Does, "unlock = false: enabled=0".into());
        } else {
            let text = "enabled=0 would switch off the overrides and migration, too, so it is left \
                        out; boards of NVIDIA's list are answered as themselves anyway, another \
                        one with gpus=BOARD=off";
            self.remark(file, key, Weight::Warning, text.into());
        }
    }

    /// Where the boards are not to be unlocked, the map has no effect there, and they are `off` here.
    fn pci_info_map(&mut self, file: &Source<'_>, table: &DeTable<'_>, off: bool) {
        for (name, value) in in_order(table) {
            match pci_rule(name.get_ref(), value.get_ref()) {
                Ok(rule) => {
                    let board = rule.split('=').next().filter(|_| off);
                    let rule = board.map_or(rule.clone(), |board| format!("{board}=off"));
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
        format!("{name:?} is no device ID: write it as 0x1b06, or in decimal; {ABORTS}")
    })?;
    let id = u16::try_from(id).map_err(|_| format!("{name:?} is no device ID: too large"))?;
    let table = value.as_table();
    let field = |field: &str| {
        let integer = table.and_then(|t| t.get(field)).and_then(|v| v.get_ref().as_integer());
        integer
            .and_then(|i| u16::from_str_radix(i.as_str(), i.radix()).ok())
            .ok_or_else(|| format!("{name}: {field} must be a number up to 0xffff; {ABORTS}"))
    };
    Ok(format!("{id:04x}={:04x}:{:04x}", field("device_id")?, field("sub_system_id")?))
}
