// SPDX-License-Identifier: GPL-2.0
//! Writes values in the grammar of the module's parameters.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use vgpu_unlock::params::overrides::target::Target;
use vgpu_unlock::profile::{self, Key, Kind};

use super::literal::{self, size};

/// The longest value that the module takes for a parameter, in bytes: a page, less what ends it.
pub const MAX_PARAMETER: usize = 4094;

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Text(String),
}

impl From<profile::Value<'_>> for Value {
    fn from(value: profile::Value<'_>) -> Self {
        match value {
            profile::Value::Number(number) => Value::Number(number),
            // The module has taken it, or refused the whole.
            profile::Value::Text(text) => {
                Value::Text(text.decode().map_or_else(|_| String::new(), |t| t.as_str().into()))
            }
        }
    }
}

/// A section in the module's grammar.
#[derive(Clone, Debug)]
pub struct Section {
    pub target: String,
    pub settings: Vec<(Key, Value)>,
}

/// A line for modprobe.d that gives the module parameters. Those that are empty are left out.
///
/// # Errors
/// One is longer than the module takes.
pub fn options(parameters: &[(&str, &str)]) -> Result<String> {
    let mut line = String::from("options vgpu_unlock");
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        if value.len() > MAX_PARAMETER {
            bail!("{name} has {} bytes, a parameter holds {MAX_PARAMETER}", value.len());
        }
        let bare = value.bytes().all(|c| c.is_ascii_alphanumeric());
        let mark = if bare { "" } else { "\"" };
        let _ = write!(line, " {name}={mark}{value}{mark}");
    }
    Ok(line)
}

/// The value of the parameter `overrides`. Sections without a setting are left out.
pub fn overrides(sections: &[Section]) -> String {
    let sections = sections.iter().filter(|section| !section.settings.is_empty());
    let section = |Section { target, settings }: &Section| {
        let settings: Vec<_> = settings.iter().map(|(k, v)| setting(*k, v)).collect();
        format!("{target}:{}", settings.join(","))
    };
    sections.map(section).collect::<Vec<_>>().join(";")
}

/// The text of an overrides.toml. Sections without a setting are left out.
pub fn overrides_toml(sections: &[Section]) -> String {
    let sections = sections.iter().filter(|section| !section.settings.is_empty());
    let section = |Section { target, settings }: &Section| {
        let header = match target.split_once('/') {
            Some((kind, name)) => format!("{kind}.{name}"),
            None => format!("profile.{target}"),
        };
        let settings: Vec<_> = settings
            .iter()
            .map(|(k, v)| format!("{} = {}\n", k.name(), toml_value(*k, v)))
            .collect();
        format!("[{header}]\n{}", settings.concat())
    };
    sections.map(section).collect::<Vec<_>>().join("\n")
}

/// A value as TOML has it.
pub fn toml_value(key: Key, value: &Value) -> String {
    match (value, key.kind()) {
        (Value::Text(text), _) => literal::quoted(text),
        (Value::Number(number), Kind::Size | Kind::Vram) => literal::quoted_size(*number),
        (Value::Number(number), Kind::U64) => format!("{number:#x}"),
        (Value::Number(number), _) => number.to_string(),
    }
}

/// `key=value`, in a form that survives modprobe.d and the kernel's command line.
pub fn setting(key: Key, of: &Value) -> String {
    format!("{}={}", key.name(), value(key, of))
}

/// A value in the module's grammar.
pub fn value(key: Key, value: &Value) -> String {
    match value {
        Value::Number(number) => match key.kind() {
            Kind::Size | Kind::Vram => size(*number),
            Kind::U64 => format!("{number:#x}"),
            _ => number.to_string(),
        },
        Value::Text(text) => quoted(text),
    }
}

/// A section's name in the module's grammar.
pub fn target(target: Target) -> String {
    match target {
        Target::Type(number) => format!("nvidia-{number}"),
        Target::Mdev(uuid) => format!("mdev/{uuid}"),
        Target::Vm(number) => format!("vm/{number}"),
    }
}

/// Text between single quotation marks, or bare where it needs none. Every character that the kernel,
/// modprobe or a boot loader takes for itself is an escape.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_.+()/:".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '%' | '\'' | '"' | '\\' | '$' | '`' => format!("%{:02x}", u32::from(c)),
            c if c.is_ascii_control() => format!("%{:02x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgpu_unlock::host::ReadOverrides;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for text in ["", "Quadro", "GRID P40-2Q", "a'b\"c%d\\e$f`g;h,i", "Größe\t1"] {
            let line = format!("nvidia-1:{}", setting(Key::CardName, &Value::Text(text.into())));
            assert!(!line.contains(['"', '\\', '\t']));
            let read = ReadOverrides::parse(line.as_bytes()).unwrap();
            let (_, _, value) = read.view().settings().next().unwrap();
            let vgpu_unlock::profile::Value::Text(read) = value else { panic!() };
            assert_eq!(read.decode().unwrap().as_str(), text);
        }
        for number in [0, 1, 1 << 20, 3 << 29, 0x7400_0000, 4 << 30, u64::MAX] {
            let line = format!("vm/1:{}", setting(Key::Framebuffer, &Value::Number(number)));
            let read = ReadOverrides::parse(line.as_bytes()).unwrap();
            let (_, _, value) = read.view().settings().next().unwrap();
            assert_eq!(value, vgpu_unlock::profile::Value::Number(number));
        }
    }
}
