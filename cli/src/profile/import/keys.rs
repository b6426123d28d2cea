// SPDX-License-Identifier: GPL-2.0
//! Keys that there are not.

use vgpu_unlock::profile::Key;

/// What is said about a key that there is not.
pub fn unknown(target: &str, name: &str) -> String {
    let nearest = Key::ALL.into_iter().min_by_key(|key| distance(name, key.name()));
    let hint = match nearest {
        Some(key) if distance(name, key.name()) <= 3 => format!(": is {} meant?", key.name()),
        _ => String::new(),
    };
    format!(
        "{target}: {name} is ignored, there is no such key{hint}; vgpu_unlock-rs ignores it too"
    )
}

/// How many characters must be changed, added or taken away to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
