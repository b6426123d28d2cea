// SPDX-License-Identifier: GPL-2.0
//! Tables of documents that are written by commands.

use crate::paths;

/// What a table says of something that nobody has run.
pub const NOT_RUN: &str = "not run";

/// A table; the first row is its head.
pub fn table_of(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if let Some(head) = rows.first() {
        lines.insert(1, line(&vec!["---".to_owned(); head.len()]));
    }
    lines.concat()
}

/// The cells of each row of what [`table_of`] has made.
pub fn rows_of(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let inner = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    inner.map(|row| row.split(" | ").collect())
}

/// A row of these words.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Somebody else's words, which must not become part of a table.
pub fn safe(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        if r"\`*_[]<>|".contains(letter) {
            safe.push('\\');
        }
        safe.push(if letter.is_control() { ' ' } else { letter });
    }
    safe
}

/// A date without its time.
pub fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or_default()
}

/// A line that a table has room for, without this machine's places.
pub fn one_line(text: &str) -> String {
    const ROOM: usize = 160;
    let mut line = text.lines().next().unwrap_or_default().trim().to_owned();
    for place in [paths::cache(), paths::repo()] {
        line = line.replace(&format!("{}/", place.display()), "");
    }
    match line.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}
