// SPDX-License-Identifier: GPL-2.0
//! Which symbols a kernel's source exports to modules, whatever it is configured to. Only x86's and what all
//! have in common counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{macros::expanded, text::plain};

/// Raised when what was found before would not be found again.
const REVISION: u32 = 1;

/// What a source exports.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Exports {
    revision: u32,
    /// The tarball.
    from: String,
    /// To any module.
    free: BTreeSet<String>,
    /// To some, and which.
    limited: BTreeMap<String, String>,
}

impl Exports {
    /// Whether it was found in the way it would be now.
    pub fn is_current(&self) -> bool {
        self.revision == REVISION
    }

    /// The tarball that it was found in.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Whether any module may import a symbol.
    ///
    /// # Errors
    /// Why not.
    pub fn offers(&self, symbol: &str) -> Result<(), String> {
        if self.free.contains(symbol) {
            return Ok(());
        }
        let from = &self.from;
        Err(match self.limited.get(symbol) {
            Some(whom) => format!("{symbol}: {from} exports it to {whom} only"),
            None => format!("{symbol}: {from} does not export it"),
        })
    }
}

/// Macros with an export for each register, included where GEN says what to do with one.
const REGISTERS: &str = "arch/x86/include/asm/GEN-for-each-reg.h";

/// Whether a file of the source counts: code that may be part of an x86 kernel, and what says how it is
/// compiled.
pub fn counts(path: &str) -> bool {
    let other = ["Documentation/", "rust/", "samples/", "scripts/", "tools/", "usr/"];
    let arch = !path.starts_with("arch/") || path.starts_with("arch/x86/");
    // It defines what is looked for here.
    let header = path.starts_with("include/linux/") || path.starts_with("include/asm-generic/");
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    let kind = [".c", ".S", ".h"].iter().any(|end| name.ends_with(end));
    arch && !header
        && !path.starts_with("arch/x86/um/")
        && !other.iter().any(|dir| path.starts_with(dir))
        && (kind || name == "Makefile" || name == "Kbuild")
}

/// Reads files, in any order.
#[derive(Default)]
pub struct Scanner {
    /// Symbol, file, and to whom, where the line itself says so.
    found: Vec<(String, String, Option<String>)>,
    /// Files and folders whose exports are in a namespace.
    namespaces: Vec<(String, String)>,
    registers: String,
    /// Files that include the list of registers, which may come behind them.
    later: Vec<(String, String)>,
}

impl Scanner {
    /// Looks at a file.
    pub fn file(&mut self, path: &str, text: &str) {
        if path.ends_with("Makefile") || path.ends_with("Kbuild") {
            self.makefile(path, text);
        } else if path == REGISTERS {
            self.registers = plain(text);
        } else if text.contains("EXPORT_") {
            let text = plain(text);
            if text.contains("asm/GEN-for-each-reg.h") {
                self.later.push((path.to_owned(), text));
            } else {
                self.source(path, &text);
            }
        }
    }

    /// Options that put all exports of a file or a folder into a namespace.
    fn makefile(&mut self, path: &str, text: &str) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in text.lines() {
            let Some((flags, name)) = line.split_once("-DDEFAULT_SYMBOL_NAMESPACE=") else {
                continue;
            };
            let name = name.split_whitespace().next().unwrap_or_default().to_owned();
            let object = flags.trim().strip_prefix("CFLAGS_").and_then(|f| f.split_once(".o"));
            let of = match object {
                Some((object, _)) => format!("{folder}/{object}.c"),
                None => format!("{folder}/"),
            };
            self.namespaces.push((of, name));
        }
    }

    fn source(&mut self, path: &str, text: &str) {
        let default = text.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["#define", "DEFAULT_SYMBOL_NAMESPACE", name] => Some(namespace(name)),
                _ => None,
            }
        });
        for (name, arguments) in expanded(text) {
            let Some(kind) = name.strip_prefix("EXPORT_") else { continue };
            let Some(symbol) = arguments.first().filter(|symbol| is_symbol(symbol)) else {
                continue;
            };
            // Names of modules have commas between them.
            let second = arguments.get(1..).unwrap_or_default().join(",");
            let limit = match kind {
                _ if kind.contains("_FOR_MODULES") => Some(second.trim_matches('"').to_owned()),
                _ if kind.contains("_FOR_") => Some(kind.to_owned()),
                _ if kind.contains("NS_") || kind.ends_with("_NS") => Some(namespace(&second)),
                _ => default.clone(),
            };
            for symbol in symbols(kind, symbol) {
                self.found.push((symbol, path.to_owned(), limit.clone()));
            }
        }
    }

    /// What all of them say.
    pub fn done(mut self, from: &str) -> Exports {
        for (path, text) in std::mem::take(&mut self.later) {
            let text = format!("{text}\n{}", self.registers);
            self.source(&path, &text);
        }
        let mut exports =
            Exports { revision: REVISION, from: from.to_owned(), ..Exports::default() };
        for (symbol, path, limit) in self.found {
            let of_path = || self.namespaces.iter().find(|(of, _)| path.starts_with(of.as_str()));
            match limit.or_else(|| of_path().map(|(_, name)| namespace(name))) {
                Some(whom) => drop(exports.limited.insert(symbol, whom)),
                None => drop(exports.free.insert(symbol)),
            }
        }
        exports
    }
}

fn namespace(name: &str) -> String {
    format!("namespace {}", name.trim_matches(['"', '\'', '\\']))
}

fn is_symbol(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The symbols that an export of a kind makes of one name.
fn symbols(kind: &str, name: &str) -> Vec<String> {
    let parts: &[&str] = match kind {
        _ if kind.starts_with("STATIC_CALL_TRAMP") => &["__SCT__"],
        _ if kind.starts_with("STATIC_CALL") => &["__SCK__", "__SCT__"],
        _ if kind.starts_with("TRACEPOINT") => {
            &["__tracepoint_", "__traceiter_", "__SCK__tp_func_", "__SCT__tp_func_"]
        }
        _ => &[""],
    };
    parts.iter().map(|prefix| format!("{prefix}{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Exports {
        let mut scanner = Scanner::default();
        for (path, text) in files {
            scanner.file(path, text);
        }
        scanner.done("linux_6.12.orig.tar.xz")
    }

    #[test]
    fn each_kind_of_export_is_seen() {
        let rows: [(&str, &[&str]); 13] = [
            ("EXPORT_SYMBOL(a);", &["a"]),
            ("EXPORT_SYMBOL_GPL(a);", &["a"]),
            ("SYM_FUNC_END(a)\nEXPORT_SYMBOL(a)\n", &["a"]),
            ("EXPORT_PER_CPU_SYMBOL_GPL(a);", &["a"]),
            ("EXPORT_STATIC_CALL(a);", &["__SCK__a", "__SCT__a"]),
            ("EXPORT_STATIC_CALL_TRAMP_GPL(a);", &["__SCT__a"]),
            (
                "EXPORT_TRACEPOINT_SYMBOL_GPL(a);",
                &["__SCK__tp_func_a", "__SCT__tp_func_a", "__traceiter_a", "__tracepoint_a"],
            ),
            ("#define E(n) EXPORT_SYMBOL(a_##n)\nE(1);E(2);", &["a_1", "a_2"]),
            ("EXPORT_SYMBOL_NS_GPL(a, \"N\");", &[]),
            ("EXPORT_SYMBOL_FOR_MODULES(a, \"kvm\");", &[]),
            ("#define DEFAULT_SYMBOL_NAMESPACE \"N\"\nEXPORT_SYMBOL(a);", &[]),
            ("/* EXPORT_SYMBOL(a); */ // EXPORT_SYMBOL(b)", &[]),
            ("#define EXPORT_X(a) EXPORT_SYMBOL(a)", &[]),
        ];
        for (text, symbols) in rows {
            let free: Vec<String> = of(&[("kernel/a.c", text)]).free.into_iter().collect();
            assert_eq!(free, symbols, "{text}");
        }
    }

    #[test]
    fn who_may_not_import_it_is_told_why() {
        let exports = of(&[
            ("crypto/Makefile", "ccflags-y += -DDEFAULT_SYMBOL_NAMESPACE=INNER\n"),
            ("crypto/a.c", "EXPORT_SYMBOL(in_folder);"),
            ("lib/Makefile", "CFLAGS_b.o += -DDEFAULT_SYMBOL_NAMESPACE='\"B\"'\n"),
            ("lib/b.c", "EXPORT_SYMBOL(in_file);"),
            ("lib/c.c", "EXPORT_SYMBOL(in_none);"),
            ("mm/d.c", "EXPORT_SYMBOL_FOR_MODULES(for_some, \"kvm,xe\");"),
            (
                "mm/e.c",
                "EXPORT_SYMBOL_NS(spaced, MM); EXPORT_SYMBOL(twice); EXPORT_SYMBOL_NS(twice, MM);",
            ),
        ]);
        let tarball = "linux_6.12.orig.tar.xz";
        for (symbol, why) in [
            ("in_none", ""),
            ("twice", ""),
            ("in_folder", "exports it to namespace INNER only"),
            ("in_file", "exports it to namespace B only"),
            ("for_some", "exports it to kvm,xe only"),
            ("spaced", "exports it to namespace MM only"),
            ("task_work_add", "does not export it"),
        ] {
            let expected =
                if why.is_empty() { Ok(()) } else { Err(format!("{symbol}: {tarball} {why}")) };
            assert_eq!(exports.offers(symbol), expected);
        }
    }

    #[test]
    fn registers_come_from_their_list() {
        let thunks = "#define GEN(reg) EXPORT_SYMBOL(__x86_indirect_thunk_ ## reg)\n\
                      #include <asm/GEN-for-each-reg.h>\n";
        let exports =
            of(&[("arch/x86/lib/retpoline.S", thunks), (REGISTERS, "GEN(rax)\nGEN(r11)\n")]);
        assert!(exports.offers("__x86_indirect_thunk_r11").is_ok());
        assert_eq!(exports.free.len(), 2);
    }

    #[test]
    fn only_what_may_be_in_an_x86_kernel_counts() {
        let rows = [
            ("kernel/task_work.c", true),
            ("arch/x86/lib/retpoline.S", true),
            ("drivers/vfio/mdev/Makefile", true),
            ("lib/crypto/x86/sha256.h", true),
            ("arch/arm64/kernel/a.c", false),
            ("arch/x86/um/ksyms.c", false),
            ("tools/include/linux/export.h", false),
            ("include/linux/export.h", false),
            ("Documentation/a.c", false),
            ("kernel/Kconfig", false),
        ];
        for (path, expected) in rows {
            assert_eq!(counts(path), expected, "{path}");
        }
    }
}
