// SPDX-License-Identifier: GPL-2.0
//! Takes over `profile_override.toml` and `config.toml` of vgpu_unlock-rs.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use vgpu_unlock::params::{Gpus, Overrides};
use vgpu_unlock::profile::{Key, Kind, Uuid, split_vram};

use super::value;
use super::write::{self, Section, Value};

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// What a line will do.
    Does,
    /// Worth knowing.
    Note,
    /// Will not do what one may think.
    Warning,
    /// Keeps anything from being written.
    Error,
}

/// A remark about a line.
struct Remark {
    file: String,
    line: usize,
    weight: Weight,
    text: String,
}

/// What was read so far.
#[derive(Default)]
pub struct Import {
    remarks: Vec<Remark>,
    sections: Vec<Section>,
    gpus: Vec<String>,
    disabled: bool,
    migration: bool,
}

/// A file that is being read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl Import {
    /// Reads the text of a `profile_override.toml`.
    pub fn profiles(&mut self, name: &str, text: &str) {
        let file = File { name, text };
        let Some(root) = self.parse(&file) else { return };
        for (section, value) in in_order(root.get_ref()) {
            let kind = section.get_ref().as_ref();
            if !matches!(kind, "profile" | "mdev" | "vm") {
                let text = format!("[{kind}] is ignored: there are profile, mdev and vm");
                self.remark(&file, section, Weight::Warning, text);
                continue;
            }
            let Some(table) = self.table(&file, section, value) else { continue };
            for (name, value) in in_order(table) {
                let Some(table) = self.table(&file, name, value) else { continue };
                match target(kind, name.get_ref()) {
                    Ok((target, note)) => {
                        if let Some(note) = note {
                            self.remark(&file, name, Weight::Warning, note);
                        }
                        self.section(&file, target, table);
                    }
                    Err(text) => self.remark(&file, name, Weight::Warning, text),
                }
            }
        }
    }

    /// Reads the text of a `config.toml`. To be called behind [`Import::profiles`].
    pub fn config(&mut self, name: &str, text: &str) {
        let file = File { name, text };
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
    fn off(&mut self, file: &File<'_>, key: &Spanned<DeString<'_>>) {
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

    /// What each line does, and what is wrong with it.
    pub fn report(&self) -> String {
        let mut report = String::new();
        let mut remarks: Vec<&Remark> = self.remarks.iter().collect();
        // The files stay in their order, as their remarks are together.
        for file in remarks.chunk_by_mut(|a, b| a.file == b.file) {
            file.sort_by_key(|remark| remark.line);
        }
        for Remark { file, line, weight, text } in remarks {
            let weight = match weight {
                Weight::Does => "",
                Weight::Note => "note: ",
                Weight::Warning => "warning: ",
                Weight::Error => "error: ",
            };
            let _ = writeln!(report, "{file}:{line}: {weight}{text}");
        }
        report
    }

    /// A file for modprobe.d that says the same.
    ///
    /// # Errors
    /// A line was wrong, or it is more than a parameter can hold.
    pub fn modprobe_conf(&self) -> Result<String> {
        if self.remarks.iter().any(|remark| remark.weight == Weight::Error) {
            bail!("nothing was written, because of the errors above");
        }
        let (overrides, gpus) = (write::overrides(&self.sections), self.gpus.join(","));
        if let Err(error) = Overrides::parse(overrides.as_bytes()) {
            bail!("the overrides are wrong, {error}:\n{overrides}");
        }
        if let Err(error) = Gpus::parse(gpus.as_bytes()) {
            bail!("the boards are wrong, {error}:\n{gpus}");
        }
        let mut parameters = Vec::new();
        if self.disabled {
            parameters.push(("enabled", "0"));
        }
        if self.migration {
            parameters.push(("migration", "1"));
        }
        parameters.extend([("gpus", &gpus[..]), ("overrides", &overrides[..])]);
        let line = write::options(&parameters)?;
        Ok(format!("# Written by cargo xtask profile import.\n{line}\n"))
    }

    fn parse<'a>(&mut self, file: &File<'a>) -> Option<Spanned<DeTable<'a>>> {
        match DeTable::parse(file.text) {
            Ok(root) => Some(root),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let text = format!("this is not TOML: {}", error.message());
                self.remark_at(file, at, Weight::Error, text);
                None
            }
        }
    }

    fn remark_at(&mut self, file: &File<'_>, at: usize, weight: Weight, text: String) {
        let before = file.text.as_bytes().iter().take(at);
        let line = before.filter(|&&c| c == b'\n').count() + 1;
        self.remarks.push(Remark { file: file.name.to_owned(), line, weight, text });
    }

    fn remark<T>(&mut self, file: &File<'_>, at: &Spanned<T>, weight: Weight, text: String) {
        self.remark_at(file, at.span().start, weight, text);
    }

    fn table<'t, 'a>(
        &mut self,
        file: &File<'_>,
        name: &Spanned<DeString<'a>>,
        value: &'t Spanned<DeValue<'a>>,
    ) -> Option<&'t DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let text = format!("{} must be a section", name.get_ref());
            self.remark(file, name, Weight::Error, text);
        }
        table
    }

    fn section(&mut self, file: &File<'_>, target: String, table: &DeTable<'_>) {
        let mut settings = Vec::new();
        for (name, value) in in_order(table) {
            let Some(key) = Key::find(name.get_ref().as_bytes()) else {
                let text = unknown_key(&target, name.get_ref());
                self.remark(file, name, Weight::Warning, text);
                continue;
            };
            match value::take(key, value.get_ref()) {
                Ok((value, note)) => {
                    let text = format!("{target}: {}", does(key, &value));
                    self.remark(file, name, Weight::Does, text);
                    if let Some(note) = note {
                        self.remark(file, name, Weight::Warning, format!("{}: {note}", key.name()));
                    }
                    settings.push((key, value));
                }
                Err(why) => {
                    let text = format!("{target}: {}: {why}", key.name());
                    self.remark(file, name, Weight::Error, text);
                }
            }
        }
        if let (Some(&fb), Some(&reserved)) =
            (find(&settings, Key::Framebuffer), find(&settings, Key::FramebufferReservation))
        {
            let total = fb.checked_add(reserved);
            let split = total.and_then(split_vram);
            if let (Some(total), Some(split)) = (total, split) {
                if (split.framebuffer, split.reservation) == (fb, reserved) {
                    let text = format!(
                        "{target}: vram={} says the same as both of framebuffer and \
                         framebuffer_reservation",
                        write::size(total)
                    );
                    let key = Key::FramebufferReservation.name();
                    let at = table.iter().find(|(name, _)| name.get_ref() == key);
                    let at = at.map_or(0, |(name, _)| name.span().start);
                    self.remark_at(file, at, Weight::Note, text);
                }
            }
        }
        self.sections.push(Section { target, settings });
    }

    /// Where the boards are not to be unlocked, the map has no effect there, and they are `off` here.
    fn pci_info_map(&mut self, file: &File<'_>, table: &DeTable<'_>, off: bool) {
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

fn find(settings: &[(Key, Value)], key: Key) -> Option<&u64> {
    settings.iter().find(|(k, _)| *k == key).and_then(|(_, value)| match value {
        Value::Number(number) => Some(number),
        Value::Text(_) => None,
    })
}

/// A table's entries in the order of the file.
fn in_order<'t, 'a>(
    table: &'t DeTable<'a>,
) -> Vec<(&'t Spanned<DeString<'a>>, &'t Spanned<DeValue<'a>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

/// The target of a section in our grammar, and what is to be said about it.
fn target(kind: &str, name: &str) -> Result<(String, Option<String>), String> {
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

fn unknown_key(target: &str, name: &str) -> String {
    let nearest = Key::ALL.into_iter().min_by_key(|key| distance(name, key.name()));
    let hint = match nearest {
        Some(key) if distance(name, key.name()) <= 3 => format!(": is {} meant?", key.name()),
        _ => String::new(),
    };
    format!(
        "{target}: {name} is ignored, there is no such key{hint}; vgpu_unlock-rs ignores it too"
    )
}

/// How many characters must be changed, added or taken away to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What a setting does, in a sentence.
pub fn does(key: Key, value: &Value) -> String {
    let shown = match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Number(number) => match key.kind() {
            Kind::Switch if *number == 0 => "off".to_owned(),
            Kind::Switch => "on".to_owned(),
            Kind::Size | Kind::Vram => format!("{} ({number} bytes)", write::size(*number)),
            Kind::U64 => format!("{number:#x}"),
            _ => number.to_string(),
        },
    };
    let what = match key {
        Key::GpuType => "the type's number",
        Key::CardName => "the type's name",
        Key::VgpuType => "the type's class",
        Key::Features => "the licence features",
        Key::MaxInstances => "the most instances on a board",
        Key::NumDisplays => "the number of displays",
        Key::DisplayWidth => "the widest display, in pixels,",
        Key::DisplayHeight => "the highest display, in pixels,",
        Key::MaxPixels => "the most pixels of all displays together",
        Key::FrlConfig => "the frame rate limit, in frames per second,",
        Key::CudaEnabled => "CUDA in the guest",
        Key::EccSupported => "ECC memory",
        Key::MigInstanceSize => "the size of the MIG instance",
        Key::MultiVgpuSupported => "more than one vGPU in a machine",
        Key::PciId => "the PCI ID that the guest sees",
        Key::PciDeviceId => "the board's PCI device ID",
        Key::Framebuffer => "the guest's video memory",
        Key::MappableVideoSize => "the video memory that can be mapped",
        Key::FramebufferReservation => "the video memory that the host keeps",
        Key::EncoderCapacity => "the share of the encoder, in per cent,",
        Key::Bar1Length => "the length of BAR1, in MiB,",
        Key::FrlEnabled => "the frame rate limiter",
        Key::AdapterName => "the adapter's name in the guest",
        Key::ShortGpuName => "the chip's name",
        Key::LicenseType => "the licence's product name",
        Key::Vram => "the vGPU's whole video memory",
        Key::Hidden => "hiding the type",
    };
    format!("{what} becomes {shown}")
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

#[cfg(test)]
mod tests;
