// SPDX-License-Identifier: GPL-2.0
//! Documents of which a part, between two lines, is written by a command.

use anyhow::{Context, Result};

/// What is in front of the generated part of a document, that part, and what is behind: neither has `begin` or
/// `end`, which stand between them.
///
/// # Errors
/// The document has not both, in this order.
pub fn parts<'a>(document: &'a str, begin: &str, end: &str) -> Result<[&'a str; 3]> {
    let split = || {
        let (before, rest) = document.split_once(begin)?;
        let (generated, behind) = rest.split_once(end)?;
        Some([before, generated, behind])
    };
    split().with_context(|| format!("there is no line {begin:?} with a line {end:?} behind it"))
}

/// The document with another generated part.
///
/// # Errors
/// As [`parts`].
pub fn with(document: &str, begin: &str, end: &str, part: &str) -> Result<String> {
    let [before, _, behind] = parts(document, begin, end)?;
    Ok(format!("{before}{begin}{part}{end}{behind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_have_to_be_there_in_their_order() {
        assert_eq!(parts("a[b]c", "[", "]").unwrap(), ["a", "b", "c"]);
        assert_eq!(with("a[b]c", "[", "]", "d").unwrap(), "a[d]c");
        for wrong in ["", "a[b", "b]c", "a]b[c"] {
            parts(wrong, "[", "]").unwrap_err();
        }
    }
}
