// SPDX-License-Identifier: GPL-2.0
//! Macros of one file, by which it exports several symbols of a kind.

use super::text::{calls, replaced};

/// A macro with parameters.
#[derive(Debug)]
struct Macro<'a> {
    name: &'a str,
    parameters: Vec<&'a str>,
    body: &'a str,
}

/// How deep macros may use macros.
const DEPTH: usize = 8;

/// Everything that is called in a file, macros of its own included: what they call, in the end. A name may
/// be defined several times, one after the other; all of these count.
pub fn expanded(text: &str) -> Vec<(String, Vec<String>)> {
    let (defines, code): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.trim_start().starts_with('#'));
    let macros: Vec<Macro<'_>> = defines.into_iter().filter_map(define).collect();
    let mut found = vec![];
    expand(&macros, &code.join("\n"), DEPTH, &mut found);
    found
}

fn define(line: &str) -> Option<Macro<'_>> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let (parameters, body) = rest.split_once(')')?;
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parameters = parameters.split(',').map(str::trim).collect();
    word.then_some(Macro { name, parameters, body: body.trim() })
}

fn expand(macros: &[Macro<'_>], text: &str, depth: usize, found: &mut Vec<(String, Vec<String>)>) {
    for (name, arguments) in calls(text) {
        let mut of_this_name = macros.iter().filter(|known| known.name == name).peekable();
        if of_this_name.peek().is_none() {
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            found.push((name.to_owned(), arguments));
        } else if depth > 0 {
            for known in of_this_name {
                let body = replaced(known.body, |word| {
                    let place = known.parameters.iter().position(|p| *p == word)?;
                    arguments.get(place).copied()
                });
                expand(macros, &body, depth - 1, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(text: &str) -> Vec<String> {
        let all = expanded(text).into_iter();
        all.filter(|(name, _)| name == "EXPORT_SYMBOL").map(|(_, a)| a.join("|")).collect()
    }

    #[test]
    fn macros_are_followed() {
        let text = "#define __EXPORT_THUNK(sym) _ASM_NOKPROBE(sym); EXPORT_SYMBOL(sym)\n\
                    #define GEN(reg) THUNK reg\n\
                    #define GEN(reg) __EXPORT_THUNK(__x86_indirect_thunk_ ## reg)\n\
                    GEN(rax)\nGEN(r11)\nEXPORT_SYMBOL(plain)\n";
        assert_eq!(
            exported(text),
            ["__x86_indirect_thunk_rax", "__x86_indirect_thunk_r11", "plain"]
        );
    }

    #[test]
    fn what_is_only_defined_exports_nothing() {
        assert_eq!(exported("#define GEN(reg) EXPORT_SYMBOL(x_ ## reg)\n"), [""; 0]);
        assert_eq!(exported("#define A(x) A(x) EXPORT_SYMBOL(x)\nA(y)\n").len(), DEPTH);
    }
}
