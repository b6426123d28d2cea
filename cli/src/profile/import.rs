// SPDX-License-Identifier: GPL-2.0
//! Takes over `profile_override.toml` and `config.toml` of vgpu_unlock-rs.

mod checks;
mod config;
mod does;
mod files;
mod keys;
mod output;
mod section;
mod syntax;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use vgpu_unlock::profile::Key;

use self::checks::{Settings, Written};
use super::remark::{Remarks, Source, Weight};
use super::value;
use super::write::{Section, Value};

pub use self::checks::BoardMemory;
pub use self::output::decode;
pub use self::section::find as section_target;

/// What was read so far.
#[derive(Default)]
pub struct Import {
    remarks: Remarks,
    /// The files with overrides, as they are.
    texts: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    places: Vec<Place>,
    gpus: Vec<String>,
    disabled: bool,
    migration: bool,
    board: Option<BoardMemory>,
}

/// Where a setting stands, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The section, in the module's grammar.
    pub target: String,
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// From 1 on.
    pub line: usize,
    /// How the value is written.
    pub raw: String,
}

/// A table's entry: its name, and what it is.
type Entry<'t, 'a> = (&'t Spanned<DeString<'a>>, &'t Spanned<DeValue<'a>>);

impl Import {
    /// What the board has, for which the overrides are; to be called first.
    pub fn set_board(&mut self, board: BoardMemory) {
        self.board = Some(board);
    }

    /// Reads the text of a `profile_override.toml`.
    pub fn profiles(&mut self, name: &str, text: &str) {
        let file = Source { name, text };
        self.texts.push((name.to_owned(), text.to_owned()));
        let Some(root) = self.parse(&file) else { return };
        for (section, value) in in_order(root.get_ref()) {
            let kind = section.get_ref().as_ref();
            if !section::KINDS.contains(&kind) {
                let text = match value.get_ref().as_table() {
                    Some(table) => {
                        let inner = in_order(table);
                        let inner = inner.first().filter(|(_, v)| v.get_ref().is_table());
                        section::unknown(kind, inner.map(|(name, _)| name.get_ref().as_ref()))
                    }
                    None => section::loose(kind),
                };
                self.remark(&file, section, Weight::Warning, text);
                continue;
            }
            let Some(table) = self.table(&file, kind, (section, value)) else { continue };
            for (name, value) in in_order(table) {
                let Some(table) = self.table(&file, kind, (name, value)) else { continue };
                match section::target(kind, name.get_ref()) {
                    Ok((target, note)) => {
                        if let Some(note) = note {
                            self.remark(&file, name, Weight::Warning, note);
                        }
                        self.twice(&file, name, &target);
                        self.section(&file, target, table);
                    }
                    Err(text) => self.remark(&file, name, Weight::Warning, text),
                }
            }
        }
    }

    /// What each line does, and what is wrong with it.
    pub fn report(&self) -> String {
        self.remarks.report(Weight::Does)
    }

    /// What is wrong with the lines, and what should be known about them.
    pub fn complaints(&self) -> String {
        self.remarks.report(Weight::Note)
    }

    /// The errors alone, without the end of the last line.
    pub fn errors(&self) -> String {
        self.remarks.report(Weight::Error).trim_end().to_owned()
    }

    /// The sections that were read, if no line was wrong.
    pub fn sections(&self) -> Option<&[Section]> {
        (!self.remarks.has_errors()).then_some(&self.sections)
    }

    fn parse<'a>(&mut self, file: &Source<'a>) -> Option<Spanned<DeTable<'a>>> {
        let (root, errors) = DeTable::parse_recoverable(file.text);
        if errors.is_empty() {
            return Some(root);
        }
        for (at, text) in syntax::complaints(file, &errors) {
            self.remarks.put(file, at, Weight::Error, text);
        }
        None
    }

    fn remark<T>(&mut self, file: &Source<'_>, at: &Spanned<T>, weight: Weight, text: String) {
        self.remarks.put(file, at.span().start, weight, text);
    }

    /// The table that stands where only one can.
    fn table<'t, 'a>(
        &mut self,
        file: &Source<'_>,
        kind: &str,
        (name, value): Entry<'t, 'a>,
    ) -> Option<&'t DeTable<'a>> {
        let found = value.get_ref();
        if found.as_table().is_none() {
            let example = match kind {
                "mdev" => "[mdev.UUID]",
                "vm" => "[vm.100]",
                _ => "[profile.nvidia-55]",
            };
            let name = name.get_ref();
            let text = match found {
                DeValue::Array(_) => {
                    format!("{name} must be a section: [ and ] stand once around it")
                }
                _ => format!(
                    "{name} must be a section such as {example}, not {}",
                    value::shown(raw(file, value))
                ),
            };
            let at = value.span().start.min(file.text.len());
            self.remarks.put(file, at, Weight::Error, text);
        }
        found.as_table()
    }

    /// Says so where a target had a section before, written in another way or in another file.
    fn twice(&mut self, file: &Source<'_>, name: &Spanned<DeString<'_>>, target: &str) {
        if self.sections.iter().any(|section| section.target == target) {
            let text = format!(
                "{target} has a section above already: both apply, and of a key that both have this \
                 one counts"
            );
            self.remark(file, name, Weight::Warning, text);
        }
    }

    fn section(&mut self, file: &Source<'_>, target: String, table: &DeTable<'_>) {
        let mut settings: Vec<Written<'_>> = Vec::new();
        for (name, value) in in_order(table) {
            let Some(key) = Key::find(name.get_ref().as_bytes()) else {
                let text = match section::KINDS.contains(&name.get_ref().as_ref()) {
                    true => section::inside(&target, name.get_ref(), value.get_ref()),
                    false => format!("{target}: {}", keys::unknown(name.get_ref())),
                };
                self.remark(file, name, Weight::Warning, text);
                continue;
            };
            let (at, raw) = (name.span().start, raw(file, value));
            match value::take(key, value.get_ref(), raw) {
                Ok((value, note)) => {
                    let text = format!("{target}: {}", does::does(key, &value));
                    self.remark(file, name, Weight::Does, text);
                    if let Some(note) = note {
                        let text = format!("{target}: {}: {note}", key.name());
                        self.remark(file, name, Weight::Warning, text);
                    }
                    settings.push(Written { key, value, at, raw });
                }
                Err(why) => {
                    let text = format!("{target}: {}: {why}", key.name());
                    self.remark(file, name, Weight::Error, text);
                }
            }
        }
        let is_type = target.starts_with("nvidia-");
        for (at, weight, text) in checks::check(Settings(&settings), is_type, self.board.as_ref()) {
            self.remarks.put(file, at, weight, format!("{target}: {text}"));
        }
        let place = |&Written { key, ref value, at, raw }: &Written<'_>| Place {
            target: target.clone(),
            key,
            value: value.clone(),
            line: file.line(at),
            raw: raw.to_owned(),
        };
        self.places.extend(settings.iter().map(place));
        let settings = settings.into_iter().map(|Written { key, value, .. }| (key, value));
        self.sections.push(Section { target, settings: settings.collect() });
    }

    /// Where a section has a key; of several the last, which counts.
    pub fn place(&self, target: &str, key: Key) -> Option<&Place> {
        self.places.iter().rfind(|place| place.target == target && place.key == key)
    }

    /// Every setting: its section, its key and its value.
    pub fn settings(&self) -> impl Iterator<Item = (&str, Key, &Value)> {
        self.places.iter().map(|place| (&place.target[..], place.key, &place.value))
    }
}

/// How a value is written.
fn raw<'a>(file: &Source<'a>, value: &Spanned<DeValue<'_>>) -> &'a str {
    file.text.get(value.span()).unwrap_or("")
}

/// A table's entries in the order of the file.
fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<Entry<'t, 'a>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

#[cfg(test)]
mod tests;
