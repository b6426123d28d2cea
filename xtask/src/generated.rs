// SPDX-License-Identifier: GPL-2.0
//! Documents of which a part, between two lines, is written by a command.

use std::fs;

use anyhow::{Context, Result};

use crate::paths;

/// A document of the repository, and what its two lines call the part between them.
pub struct Page {
    pub path: &'static str,
    pub part: &'static str,
}

impl Page {
    /// The lines that the part stands between.
    fn lines(&self) -> [String; 2] {
        ["begin", "end"].map(|which| format!("<!-- {}: {which} -->\n", self.part))
    }

    /// What is in front of the part in a text of the document, the part, and what is behind: neither has one of the
    /// two lines.
    ///
    /// # Errors
    /// The text has not both, in this order.
    pub fn split<'a>(&self, text: &'a str) -> Result<[&'a str; 3]> {
        let [begin, end] = self.lines();
        let split = || {
            let (before, rest) = text.split_once(&begin)?;
            let (part, behind) = rest.split_once(&end)?;
            Some([before, part, behind])
        };
        let Self { path, part } = self;
        split().with_context(|| {
            format!("{path} has no line {part}: begin with a line {part}: end behind it")
        })
    }

    /// The text with another part.
    ///
    /// # Errors
    /// As [`Page::split`].
    pub fn with(&self, text: &str, part: &str) -> Result<String> {
        let [before, _, behind] = self.split(text)?;
        let [begin, end] = self.lines();
        Ok(format!("{before}{begin}{part}{end}{behind}"))
    }

    /// The document's text.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self) -> Result<String> {
        fs::read_to_string(paths::repo().join(self.path))
            .with_context(|| format!("reading {}", self.path))
    }

    /// Writes the part anew, which is made of what it was.
    ///
    /// # Errors
    /// The document cannot be read or written, has lost the part's place, or the part cannot be made.
    pub fn rewrite(&self, make: impl FnOnce(&str) -> Result<String>) -> Result<()> {
        let old = self.read()?;
        let [_, part, _] = self.split(&old)?;
        fs::write(paths::repo().join(self.path), self.with(&old, &make(part)?)?)
            .with_context(|| format!("writing {}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_have_to_be_there_in_their_order() {
        let page = Page { path: "docs/a.md", part: "a" };
        let (begin, end) = ("<!-- a: begin -->\n", "<!-- a: end -->\n");
        let text = format!("1\n{begin}2\n{end}3\n");
        assert_eq!(page.split(&text).unwrap(), ["1\n", "2\n", "3\n"]);
        assert_eq!(page.with(&text, "4\n").unwrap(), format!("1\n{begin}4\n{end}3\n"));
        for wrong in [String::new(), format!("1\n{begin}"), format!("{end}1\n{begin}")] {
            let error = page.split(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("docs/a.md has no line a: begin"), "{error}");
        }
    }
}
