// SPDX-License-Identifier: GPL-2.0
//! A section's settings, and what is said about them.

use vgpu_unlock::profile::Key;

use super::super::super::remark::Weight;
use super::super::super::write::Value;

/// A setting, and how and where it is written.
pub struct Written<'a> {
    pub key: Key,
    pub value: Value,
    /// Where, in bytes from the start of the file.
    pub at: usize,
    /// What stands behind the `=`.
    pub raw: &'a str,
}

/// The settings of a section.
#[derive(Clone, Copy)]
pub struct Settings<'a>(pub &'a [Written<'a>]);

impl<'a> Settings<'a> {
    /// The setting of a key that takes numbers, and the number.
    pub fn number(self, key: Key) -> Option<(&'a Written<'a>, u64)> {
        let written = self.0.iter().find(|written| written.key == key)?;
        match written.value {
            Value::Number(number) => Some((written, number)),
            Value::Text(_) => None,
        }
    }
}

/// Where something is to be said, how much it matters, and what it is.
pub type Complaint = (usize, Weight, String);

/// Says that a setting will not do what one may think.
pub fn warn(found: &mut Vec<Complaint>, written: &Written<'_>, text: String) {
    found.push((written.at, Weight::Warning, text));
}
