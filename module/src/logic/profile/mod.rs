// SPDX-License-Identifier: GPL-2.0
//! Profile overrides: what of a vGPU type a user may change, under which name, and how it is said.
//!
//! The key names are those of `profile_override.toml` (source: the field names that
//! mbilker/vgpu_unlock-rs documents and reads), so that people keep what they know. [`Key`] has
//! them, with type, unit and limit; [`Field`] is a field of NVIDIA's structures. This module knows
//! neither where a field lies (see `rm_control`) nor how a user writes it down (see `params`).

use core::fmt;

mod digit;
mod field;
mod key;
pub mod size;
pub mod text;
mod uuid;

pub use digit::{hex_byte, hex_digit};
pub use field::Field;
pub use key::{Key, Kind, EXPECTED_KEY};
pub use size::{parse_size, split_vram, VRAM_MIN};
pub use text::{BadText, Text};
pub use uuid::Uuid;

/// A key's value, as a user gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Of every kind but text. A switch is 0 or 1.
    Number(u64),
    /// Text, still as it was written.
    Text(Text<'a>),
}

/// What is to stand in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A number of 4 or 8 bytes.
    Number(u64),
    /// Bytes, followed by at least one NUL; the rest of the field becomes zero.
    Bytes(&'a [u8]),
    /// The same as UTF-16.
    Utf16(&'a str),
}

/// Why an override did not reach a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// This driver branch's structure has no such field.
    Absent,
    /// The text is longer than the field of this driver branch.
    TooLong,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Skipped::Absent => "this driver branch has no such field",
            Skipped::TooLong => "the text is too long for this driver branch",
        })
    }
}

/// Somewhere that values can be set: a structure, or a list to print.
pub trait Editor {
    /// Writes `content` into `field`, and nothing else.
    ///
    /// # Errors
    /// Nothing was written, for the reason returned.
    fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped>;
}

/// Sets all fields that `key` stands for.
///
/// # Errors
/// The reason of the first field that could not be set. A key with two fields has both or none in
/// every layout, except for `adapter_name`'s UTF-16 twin, which has as many units as its field has
/// bytes.
pub fn write(editor: &mut dyn Editor, key: Key, value: &Value<'_>) -> Result<(), Skipped> {
    match value {
        Value::Number(number) if key == Key::Vram => {
            // What is too small was refused when it was read; refused again, it changes nothing.
            let Some(vram) = split_vram(*number) else { return Ok(()) };
            editor.set(Field::FbLength, Content::Number(vram.framebuffer))?;
            editor.set(Field::FbReservation, Content::Number(vram.reservation))
        }
        Value::Number(number) => match key.field() {
            Some(field) => editor.set(field, Content::Number(*number)),
            None => Ok(()),
        },
        Value::Text(text) => {
            let (Ok(decoded), Some(field)) = (text.decode(), key.field()) else { return Ok(()) };
            editor.set(field, Content::Bytes(decoded.as_str().as_bytes()))?;
            match key {
                Key::AdapterName => {
                    editor.set(Field::AdapterNameUnicode, Content::Utf16(decoded.as_str()))
                }
                _ => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::String, vec, vec::Vec};

    #[derive(Default)]
    struct List(Vec<(Field, String)>);

    impl Editor for List {
        fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped> {
            self.0.push((field, std::format!("{content:?}")));
            Ok(())
        }
    }

    fn written(key: Key, value: Value<'_>) -> Vec<(Field, String)> {
        let mut list = List::default();
        write(&mut list, key, &value).unwrap();
        list.0
    }

    #[test]
    fn every_key_writes_its_field_once() {
        for key in Key::ALL {
            let value = match key.kind() {
                Kind::Text(_) => Value::Text(Text::new(b"x")),
                Kind::Vram => Value::Number(VRAM_MIN),
                _ => Value::Number(1),
            };
            let fields: Vec<_> = written(key, value).into_iter().map(|(field, _)| field).collect();
            let expected = match key {
                Key::Vram => vec![Field::FbLength, Field::FbReservation],
                Key::AdapterName => vec![Field::AdapterName, Field::AdapterNameUnicode],
                Key::Hidden => vec![],
                _ => vec![key.field().unwrap()],
            };
            assert_eq!(fields, expected, "{}", key.name());
        }
    }

    #[test]
    fn a_total_that_is_too_small_writes_nothing() {
        assert_eq!(written(Key::Vram, Value::Number(VRAM_MIN - 1)), []);
    }

    #[test]
    fn text_that_is_wrong_writes_nothing() {
        assert_eq!(written(Key::CardName, Value::Text(Text::new(b"%zz"))), []);
    }
}
