// SPDX-License-Identifier: GPL-2.0
//! Walks over a parameter's value.

use super::ParseError;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the start of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes in front of this place.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// What follows.
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or(&[])
    }

    /// Goes on by `count` bytes and returns them.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let end = self.at.saturating_add(count).min(self.text.len());
        let taken = self.text.get(self.at..end).unwrap_or(&[]);
        self.at = end;
        taken
    }

    /// Goes on while bytes are `wanted`, and returns them.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.rest().iter().take_while(|&&c| wanted(c)).count();
        self.take(count)
    }

    /// Goes over white space.
    pub fn skip_space(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// Goes over `prefix`, if it is there.
    pub fn eat(&mut self, prefix: &[u8]) -> bool {
        let there = self.rest().starts_with(prefix);
        if there {
            self.take(prefix.len());
        }
        there
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.peek().is_none()
    }

    /// Goes back to `at`, which this scanner has been at.
    pub fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// An error at this place.
    pub fn error(&self, what: &'static str, expected: &'static str) -> ParseError {
        ParseError { at: self.at, what, expected }
    }
}
