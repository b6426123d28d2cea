// SPDX-License-Identifier: GPL-2.0
//! What is said about the lines of a user's files.

use std::fmt::Write as _;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// What a line will do.
    Does,
    /// Worth knowing.
    Note,
    /// Will not do what one may think.
    Warning,
    /// Keeps anything from being written.
    Error,
}

impl Weight {
    /// What stands in front of the text.
    fn word(self) -> &'static str {
        match self {
            Weight::Does => "",
            Weight::Note => "note: ",
            Weight::Warning => "warning: ",
            Weight::Error => "error: ",
        }
    }
}

/// A file that is being read.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What it is called in remarks.
    pub name: &'a str,
    /// What it has.
    pub text: &'a str,
}

impl Source<'_> {
    /// The line that a byte of the text is in, from 1 on.
    pub fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|&c| c == b'\n').count() + 1
    }
}

struct Remark {
    file: String,
    line: usize,
    weight: Weight,
    text: String,
}

/// Remarks about files.
#[derive(Default)]
pub struct Remarks(Vec<Remark>);

impl Remarks {
    /// Adds one about the line that has the byte `at`.
    pub fn put(&mut self, source: &Source<'_>, at: usize, weight: Weight, text: impl Into<String>) {
        let (file, line) = (source.name.to_owned(), source.line(at));
        self.0.push(Remark { file, line, weight, text: text.into() });
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|remark| remark.weight == Weight::Error)
    }

    /// One line for each that matters as much, in the order of the files' lines.
    pub fn report(&self, least: Weight) -> String {
        let mut report = String::new();
        let mut remarks: Vec<&Remark> =
            self.0.iter().filter(|remark| remark.weight >= least).collect();
        // The files stay in their order, as their remarks are together.
        for file in remarks.chunk_by_mut(|a, b| a.file == b.file) {
            file.sort_by_key(|remark| remark.line);
        }
        for Remark { file, line, weight, text } in remarks {
            let _ = writeln!(report, "{file}:{line}: {}{text}", weight.word());
        }
        report
    }
}
