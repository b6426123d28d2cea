// SPDX-License-Identifier: GPL-2.0
//! As much of C's and the assembler's text as one has to understand to find what is exported.

/// `text` without comments, and with lines that go on made one. Nothing else moves.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quote = None;
    while let Some(c) = rest.chars().next() {
        let skip = match (quote, c) {
            (None, '/') if rest.starts_with("/*") => {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            }
            (None, '/') if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            (_, '\\') if rest.starts_with("\\\n") => 2,
            _ => 0,
        };
        if skip > 0 {
            // What it separates stays apart.
            out.push(' ');
            rest = rest.get(skip..).unwrap_or_default();
            continue;
        }
        let mut len = c.len_utf8();
        match (quote, c) {
            // What is escaped ends nothing.
            (Some(_), '\\') => len += rest.chars().nth(1).map_or(0, char::len_utf8),
            // No text goes over the end of a line; the assembler has lone quotes, too.
            (Some(q), _) if c == q || c == '\n' => quote = None,
            (None, '"') => quote = Some(c),
            _ => {}
        }
        let (taken, left) = rest.split_at_checked(len).unwrap_or((rest, ""));
        out.push_str(taken);
        rest = left;
    }
    out
}

/// Whether a name may have such a character.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// All that looks like a call: the name and what is between its parentheses, which may hold others.
pub fn calls(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut calls = vec![];
    let mut from = 0;
    for (at, c) in text.char_indices() {
        if is_of_name(c) {
            continue;
        }
        let name = text.get(from..at).unwrap_or_default();
        from = at + c.len_utf8();
        if c == '(' && !name.is_empty() {
            if let Some(arguments) = text.get(from..).and_then(arguments) {
                calls.push((name, arguments));
            }
        }
    }
    calls
}

/// What stands up to the parenthesis that ends it, by its commas.
fn arguments(text: &str) -> Option<Vec<&str>> {
    let mut depth = 0;
    let mut found = vec![];
    let mut from = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => {
                found.push(text.get(from..at)?.trim());
                from = at + 1;
                if c == ')' {
                    return Some(found);
                }
            }
            // Code is no name that anybody exports.
            ';' | '{' => return None,
            _ => {}
        }
    }
    None
}

/// `text` with each name that stands on its own put through `with`, and what `##` joins joined.
pub fn replaced<'a>(text: &'a str, with: impl Fn(&'a str) -> Option<&'a str>) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c| !is_of_name(c)) {
        let name = part.trim_end_matches(|c| !is_of_name(c));
        out.push_str(with(name).unwrap_or(name));
        out.push_str(part.get(name.len()..).unwrap_or_default());
    }
    let mut joined = String::new();
    for (i, part) in out.split("##").enumerate() {
        joined.push_str(if i == 0 { part.trim_end() } else { part.trim() });
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_lines_go_on() {
        assert_eq!(plain("a /* EXPORT(x)\n */b"), "a  b");
        assert_eq!(plain("a // EXPORT(x)\nb"), "a  \nb");
        assert_eq!(plain("#define A \\\n\tB\n"), "#define A  \tB\n");
        assert_eq!(plain(r#"x("/* \" */", y)"#), r#"x("/* \" */", y)"#);
        assert_eq!(plain("it\"s /* open\nb /* c */"), "it\"s /* open\nb  ");
        assert_eq!(plain("é/* ü"), "é ");
    }

    #[test]
    fn calls_are_found_within_others() {
        assert_eq!(calls("EXPORT(a, \"b\");"), [("EXPORT", vec!["a", "\"b\""])]);
        let nested = calls("E(K(a), b)");
        assert_eq!(nested, [("E", vec!["K(a)", "b"]), ("K", vec!["a"])]);
        assert_eq!(calls("E(\n\ta\n)"), [("E", vec!["a"])]);
        assert_eq!(calls("E(a; (b"), []);
    }

    #[test]
    fn names_are_replaced_whole() {
        let with = |name| (name == "reg").then_some("rax");
        assert_eq!(replaced("E(thunk_ ## reg) regs reg", with), "E(thunk_rax) regs rax");
    }
}
