// SPDX-License-Identifier: GPL-2.0
//! The way of a module's parameters from modprobe.d to the module.
//!
//! Written from modprobe.d(5), from how kmod reads that directory's files (a backslash is taken away
//! and the character behind it kept; with the end of a line, both go; a tab among the options
//! becomes a space), and from how the kernel's `next_arg` in `lib/cmdline.c` takes a module's
//! options apart: at white space that is not between double quotation marks; a value loses the mark
//! in front of it and the one at its end.

use std::collections::BTreeMap;

/// The values that a module with this name gets from a file in modprobe.d.
pub fn parameters(conf: &str, module: &str) -> BTreeMap<String, Vec<u8>> {
    let mut options = Vec::new();
    for line in lines(conf) {
        let mut words = line.splitn(3, [' ', '\t']);
        if words.next() == Some("options") && words.next() == Some(module) {
            options.push(words.next().unwrap_or("").replace('\t', " "));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{line}");
        }
    }
    arguments(options.join(" ").as_bytes()).into_iter().collect()
}

/// Lines as kmod puts them together.
fn lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let line = lines.last_mut().unwrap();
        match c {
            '\n' => lines.push(String::new()),
            '\\' => line.extend(characters.next().filter(|&next| next != '\n')),
            c => line.push(c),
        }
    }
    lines
}

/// What the kernel counts as white space: its table is Latin-1's, with the no-break space.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t'..=b'\r' | 0xa0)
}

/// Names and values as the kernel's `next_arg` takes them apart.
pub fn arguments(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let whole_quoted = rest[0] == b'"';
        if whole_quoted {
            rest = &rest[1..];
        }
        let mut inside = whole_quoted;
        let ends = |&c: &u8| {
            inside ^= c == b'"';
            is_space(c) && !inside
        };
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let (mut argument, behind) = rest.split_at(end);
        let equals = argument.iter().position(|&c| c == b'=').filter(|&at| at != 0);
        let value_quoted = equals.is_some_and(|at| argument.get(at + 1) == Some(&b'"'));
        if whole_quoted || value_quoted {
            argument = argument.strip_suffix(b"\"").unwrap_or(argument);
        }
        let (name, value) = match equals {
            Some(at) => (&argument[..at], argument.get(at + 1 + usize::from(value_quoted)..)),
            None => (argument, None),
        };
        let name = String::from_utf8(name.to_vec()).unwrap();
        found.push((name, value.unwrap_or_default().to_vec()));
        let spaces = behind.iter().take_while(|&&c| is_space(c)).count();
        rest = &behind[spaces..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_apart_as_the_kernel_does() {
        type Expected = &'static [(&'static str, &'static [u8])];
        let cases: [(&[u8], Expected); 8] = [
            (b"", &[]),
            (b"a=1 b=2", &[("a", b"1"), ("b", b"2")]),
            (b"  a=\"1 2\"\tb", &[("a", b"1 2"), ("b", b"")]),
            (b"a=\"x=1;y='2 3'\" c=", &[("a", b"x=1;y='2 3'"), ("c", b"")]),
            (b"\"a=1 2\" b=3", &[("a", b"1 2"), ("b", b"3")]),
            (b"a=1\" 2\" b=3", &[("a", b"1\" 2\""), ("b", b"3")]),
            (b"a=\"\" b=\"1", &[("a", b""), ("b", b"1")]),
            (b"a=1\xa0b", &[("a", b"1"), ("b", b"")]),
        ];
        for (text, expected) in cases {
            let found = arguments(text);
            let found: Vec<_> = found.iter().map(|(n, value)| (&n[..], &value[..])).collect();
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn files_are_read_as_kmod_does() {
        let conf = "# options m a=0\noptions m a=1 \\\n b=\\\"2\\\"\noptions\tm c=\"x\ty\"\n";
        let expected = [("a", "1"), ("b", "2"), ("c", "x y")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(parameters(conf, "m"), BTreeMap::from(expected));
    }
}
