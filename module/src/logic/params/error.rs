// SPDX-License-Identifier: GPL-2.0
//! What is said about a parameter that can't be used.

use core::fmt;

/// Why a parameter's value can't be used. Nothing of such a value is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where, in bytes from the start of the value.
    pub at: usize,
    /// What stands, or should stand, there: a key's or a parameter's name, or a part of the grammar.
    pub what: &'static str,
    /// What was expected.
    pub expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}, {}: expected {}", self.at, self.what, self.expected)
    }
}
