// SPDX-License-Identifier: GPL-2.0
//! A short text that is being put together.

use core::fmt::{self, Write};

/// Bytes of the longest: RM's own descriptions have at most 256 (`MAX_STR_LEN` in `os-hypervisor.c`
/// of NVIDIA's open kernel modules).
const MAX: usize = 256;

/// At most 256 bytes of text.
///
/// Invariant: what is in it is UTF-8; `len` is no more than there is room for.
#[derive(Clone, Debug)]
pub struct Line {
    bytes: [u8; MAX],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// Without anything in it.
    pub const fn new() -> Self {
        Self { bytes: [0; MAX], len: 0 }
    }

    /// What is in it.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or("")
    }

    /// The same as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Adds `text`; `None`, and nothing is added, where there is no room for it.
    pub fn put(&mut self, text: &str) -> Option<()> {
        let end = self.len.checked_add(text.len())?;
        let room = self.bytes.get_mut(self.len..end)?;
        // INVARIANT: `text` is UTF-8, and `end` was inside.
        room.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        self.len = end;
        Some(())
    }

    /// Adds a decimal number, likewise.
    pub fn put_number(&mut self, number: u64) -> Option<()> {
        let before = self.len;
        write!(self, "{number}").map_err(|fmt::Error| self.len = before).ok()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text).ok_or(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn what_does_not_fit_is_left_out_as_a_whole() {
        let mut line = Line::default();
        let long: String = "x".repeat(MAX - 2);
        assert!(line.put(&long).is_some());
        assert!(line.put_number(123).is_none());
        assert_eq!(line.as_str(), long);
        assert!(line.put_number(12).is_some());
        assert!(line.put("y").is_none());
        assert!(line.put("").is_some());
        assert_eq!(line.as_bytes().len(), MAX);
        assert!(line.as_str().ends_with("x12"));
    }
}
