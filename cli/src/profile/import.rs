// SPDX-License-Identifier: GPL-2.0
//! Takes over `profile_override.toml` and `config.toml` of vgpu_unlock-rs.

mod config;
mod does;
mod keys;
mod section;

use anyhow::{Result, bail};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use vgpu_unlock::params::{Gpus, Overrides};
use vgpu_unlock::profile::{Key, split_vram};

use super::remark::{Remarks, Source, Weight};
use super::value;
use super::write::{self, Section, Value};

/// What was read so far.
#[derive(Default)]
pub struct Import {
    remarks: Remarks,
    sections: Vec<Section>,
    gpus: Vec<String>,
    disabled: bool,
    migration: bool,
}

impl Import {
    /// Reads the text of a `profile_override.toml`.
    pub fn profiles(&mut self, name: &str, text: &str) {
        let file = Source { name, text };
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
                match section::target(kind, name.get_ref()) {
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

    /// What each line does, and what is wrong with it.
    pub fn report(&self) -> String {
        self.remarks.report()
    }

    /// A file for modprobe.d that says the same.
    ///
    /// # Errors
    /// A line was wrong, or it is more than a parameter can hold.
    pub fn modprobe_conf(&self) -> Result<String> {
        if self.remarks.has_errors() {
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

    fn parse<'a>(&mut self, file: &Source<'a>) -> Option<Spanned<DeTable<'a>>> {
        match DeTable::parse(file.text) {
            Ok(root) => Some(root),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let text = format!("this is not TOML: {}", error.message());
                self.remarks.put(file, at, Weight::Error, text);
                None
            }
        }
    }

    fn remark<T>(&mut self, file: &Source<'_>, at: &Spanned<T>, weight: Weight, text: String) {
        self.remarks.put(file, at.span().start, weight, text);
    }

    fn table<'t, 'a>(
        &mut self,
        file: &Source<'_>,
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

    fn section(&mut self, file: &Source<'_>, target: String, table: &DeTable<'_>) {
        let mut settings = Vec::new();
        for (name, value) in in_order(table) {
            let Some(key) = Key::find(name.get_ref().as_bytes()) else {
                let text = keys::unknown(&target, name.get_ref());
                self.remark(file, name, Weight::Warning, text);
                continue;
            };
            match value::take(key, value.get_ref()) {
                Ok((value, note)) => {
                    let text = format!("{target}: {}", does::does(key, &value));
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
                    self.remarks.put(file, at, Weight::Note, text);
                }
            }
        }
        self.sections.push(Section { target, settings });
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

#[cfg(test)]
mod tests;
