// SPDX-License-Identifier: GPL-2.0
//! What is wrong with a text that is no TOML, in the words of its line.
//!
//! The parser says where it gave up and what it would have taken there, which helps nobody who does not
//! know TOML: of `vgpu_type = NVS` it says that a float was expected. So the line is looked at.

use toml::de::{DeTable, Error};
use vgpu_unlock::profile::Key;

use super::super::remark::Source;
use super::super::{suggest, value};
use super::{keys, section};

/// So many lines are enough to begin with.
const MOST: usize = 20;

/// What is said, and where.
pub fn complaints(file: &Source<'_>, errors: &[Error]) -> Vec<(usize, String)> {
    if let Some(text) = other_language(file.text) {
        return vec![(0, format!("this is not TOML: {text}"))];
    }
    let place = |error: &Error| error.span().map_or(0, |span| span.start);
    let mut places: Vec<(usize, &Error)> =
        errors.iter().map(|error| (place(error), error)).collect();
    places.sort_by_key(|(at, _)| *at);
    // Of a section that stands twice, the keys do, too.
    let mut twice = None;
    places.retain(|(at, error)| {
        let header = start_of_section(file.text, *at);
        let doubled = is_double(error);
        let follows = doubled && header.is_some() && header == twice && !is_header(file.text, *at);
        if doubled && is_header(file.text, *at) {
            twice = header;
        }
        !follows
    });
    let said = places.into_iter().map(|(at, error)| (at, complaint(file, at, error)));
    let mut found: Vec<(usize, String)> = said.chain(alone(file)).collect();
    found.sort_by_key(|(at, _)| *at);
    // What follows on a line follows from what is first.
    found.dedup_by_key(|(at, _)| file.line(*at));
    let left = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if let (Some((_, last)), true) = (found.last_mut(), left > 0) {
        last.push_str(&format!("; {left} more lines are wrong"));
    }
    found
}

fn is_double(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

/// Where the line begins that has the byte `at`.
fn start_of_line(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Whether the line with the byte `at` is a section's header.
fn is_header(text: &str, at: usize) -> bool {
    text[start_of_line(text, at)..].trim_start().starts_with('[')
}

/// Where the section begins that the byte `at` is in.
fn start_of_section(text: &str, at: usize) -> Option<usize> {
    let line = start_of_line(text, at);
    match is_header(text, at) {
        true => Some(line),
        false => {
            text[..line].rfind("\n[").map(|end| end + 1).or(text.starts_with('[').then_some(0))
        }
    }
}

/// Lines that are wrong by themselves. The parser does not name all of them behind the first.
fn alone(file: &Source<'_>) -> Vec<(usize, String)> {
    let text = file.text;
    let several_lines = ["\"\"\"", "'''", "{\n", "[\n", "{\r", "[\r"];
    if several_lines.iter().any(|mark| text.contains(mark)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive('\n') {
        let (here, line) = (at, piece.trim_end_matches(['\r', '\n']));
        at += piece.len();
        if DeTable::parse(line).is_err() {
            if let Some(why) = looked_at(line) {
                let what = subject(line, &text[..here]);
                // Behind the lines' errors of the parser, which know more.
                found.push((here + line.len(), format!("{what}this is not TOML: {why}")));
            }
        }
    }
    found
}

/// Files that are not meant to be TOML at all.
fn other_language(text: &str) -> Option<&'static str> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        return Some(
            "this is XML; vgpuConfig.xml is nvidia-vgpud's own, here belongs what overrides it",
        );
    }
    if start.starts_with('{') {
        return Some("this is JSON; write [profile.nvidia-55] and below it num_displays = 1");
    }
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    start.lines().map(str::trim).find(said)?.starts_with("options ").then_some(
        "this is a line for modprobe.d; write [profile.nvidia-55] and below it num_displays = 1",
    )
}

fn complaint(file: &Source<'_>, at: usize, error: &Error) -> String {
    let start = start_of_line(file.text, at);
    let line = file.text[start..].lines().next().unwrap_or("").trim_start_matches('\u{feff}');
    let above = &file.text[..start];
    let why = match is_double(error) {
        true => twice(file, line, above),
        false => looked_at(line),
    };
    let (what, why) = (subject(line, above), why.unwrap_or_else(|| error.message().to_owned()));
    format!("{what}this is not TOML: {why}")
}

/// The section and the setting that a line is about: `[vm.100] vgpu_type = NVS: `.
fn subject(line: &str, above: &str) -> String {
    let line = value::shown(line.trim());
    let header = |line: &&str| line.starts_with('[') && line.contains(']');
    let inside = above.lines().map(str::trim).rfind(header);
    match inside {
        Some(header) if !line.starts_with('[') => format!("{} {line}: ", value::shown(header)),
        _ => format!("{line}: "),
    }
}

/// Where the same stands above.
fn twice(file: &Source<'_>, line: &str, above: &str) -> Option<String> {
    let plain = |text: &str| -> String {
        let end = text.find(['#', '=']).unwrap_or(text.len());
        text[..end].chars().filter(|c| !c.is_whitespace() && !"\"'".contains(*c)).collect()
    };
    let wanted = plain(line);
    let header = wanted.starts_with('[');
    // A key is looked for in its own section.
    let from = match header {
        true => 0,
        false => above.rfind("\n[").map_or(0, |at| at + 1),
    };
    let mut at = from;
    for earlier in above[from..].split_inclusive('\n') {
        if plain(earlier) == wanted {
            let first = file.line(at);
            let what = if header { "section" } else { "key" };
            return Some(format!(
                "the {what} stands in line {first} already: put together what belongs together"
            ));
        }
        at += earlier.len();
    }
    Some("it stands above already, written in another way".to_owned())
}

/// What is wrong with a line, where that can be told.
fn looked_at(line: &str) -> Option<String> {
    if line.contains('\r') {
        return Some("the lines end as they did on old Macs: save the file with \\n".to_owned());
    }
    let text = line.trim();
    if text.starts_with('[') {
        return header(text);
    }
    if [";", "//", "--", "/*", "rem "].iter().any(|mark| text.to_lowercase().starts_with(mark)) {
        return Some("a comment begins with #".to_owned());
    }
    if let Some((name, right)) = text.split_once('=') {
        return setting(name.trim_matches([' ', '\t']), right);
    }
    if let Some(name) = section::meant(text.trim_end_matches([']', ':'])) {
        return Some(format!("a section stands in brackets: write {name}"));
    }
    let (name, right) = text.split_once([':', ' ', '\t'])?;
    let key = keys::meant(name.trim_matches(['"', '\'']))?;
    let instead = suggest::value(key, right).unwrap_or_else(|| right.trim().to_owned());
    Some(format!("there is no =: write {} = {instead}", key.name()))
}

/// A line that begins like a section.
fn header(text: &str) -> Option<String> {
    let inner = text.trim_start_matches('[');
    let (name, behind) = match inner.find(']') {
        Some(end) => (&inner[..end], inner[end..].trim_start_matches(']').trim()),
        None => (inner.split(['#', '=']).next().unwrap_or(inner).trim(), ""),
    };
    if name.trim().is_empty() {
        return Some("the section has no name: write one such as [profile.nvidia-55]".to_owned());
    }
    let right = DeTable::parse(&format!("[{name}]")).is_ok();
    if right && !behind.is_empty() && !behind.starts_with('#') {
        return Some(format!(
            "a section stands alone on its line: write [{name}] and {behind} below it"
        ));
    }
    if right {
        return Some(format!("write [{name}]"));
    }
    match section::hint(name) {
        none if none.is_empty() => Some(
            "this is no section's name: write one such as [profile.nvidia-55], [mdev.UUID] or [vm.100]"
                .to_owned(),
        ),
        hint => Some(hint.trim_start_matches(": ").to_owned()),
    }
}

/// A line with a `=`.
fn setting(name: &str, right: &str) -> Option<String> {
    let key = keys::meant(name);
    if name.is_empty() {
        return Some("there is no key in front of the =".to_owned());
    }
    if DeTable::parse(&format!("{name} = 1")).is_err() {
        return Some(match key {
            Some(key) => {
                format!("the key has characters that do not belong there: write {}", key.name())
            }
            None => "a key has the letters a to z, digits and underscores only".to_owned(),
        });
    }
    if right.starts_with('=') {
        return Some("one = is enough".to_owned());
    }
    let right = right.trim();
    let expected = |key: Key| key.kind().expected();
    if right.is_empty() || right.starts_with('#') {
        return Some(match key {
            Some(key) => format!("there is no value: write {name} = and {}", expected(key)),
            None => "there is no value behind the =".to_owned(),
        });
    }
    let placeholder =
        right.contains(['<', '>', '$']) || (right.starts_with('{') && right.ends_with('}'));
    if let Some(key) = key.filter(|_| placeholder) {
        return Some(format!("write {} in place of {right}", expected(key)));
    }
    // Something behind a value that is right.
    for (mark, why) in [
        ("//", "a comment begins with #"),
        (";", "a comment begins with #, and nothing ends a line"),
        (",", "nothing ends a line"),
        ("(", "a comment begins with #"),
        (" --", "a comment begins with #"),
        ("[", "a section stands on a line of its own"),
    ] {
        let Some((value, behind)) = right.split_once(mark) else { continue };
        let alone = behind.trim().is_empty() || mark != ",";
        if alone && !value.trim().is_empty() && is_value(value) {
            return Some(format!("{why}: write {name} = {}", value.trim()));
        }
    }
    let (first, rest) = right.split_once([' ', '\t']).unwrap_or((right, ""));
    if is_value(first) && rest.contains('=') {
        return Some(format!(
            "each setting stands on a line of its own: write {name} = {first} there"
        ));
    }
    let quoted = match right.chars().next() {
        Some(mark @ ('"' | '\'')) => !right[1..].contains(mark),
        _ => right.contains(suggest::is_wrong_quote),
    };
    let bare = right.split(" #").next().unwrap_or(right);
    let instead = key.and_then(|key| suggest::value(key, bare));
    match (instead, key) {
        (Some(instead), _) if quoted => {
            Some(format!("text stands between two \": write {name} = {instead}"))
        }
        (Some(instead), _) if instead.starts_with('"') => {
            Some(format!("text needs quotes: write {name} = {instead}"))
        }
        (Some(instead), _) => Some(format!("write {name} = {instead}")),
        (None, Some(key)) => Some(format!("write {}", expected(key))),
        (None, None) if quoted => Some("text stands between two \"".to_owned()),
        (None, None) => None,
    }
}

/// Whether this is a value as TOML has it.
fn is_value(text: &str) -> bool {
    DeTable::parse(&format!("x = {}", text.trim())).is_ok()
}

#[cfg(test)]
mod tests;
