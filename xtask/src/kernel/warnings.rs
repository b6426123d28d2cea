// SPDX-License-Identifier: GPL-2.0
//! What compilers, objtool and modpost have to say about a build that went well. Users get to see it and go on;
//! here it is an error.

/// What need not be mended.
const HARMLESS: &[&str] = &[
    // Of kbuild's itself. The newer compiler is the one that users of an older kernel have, too.
    "warning: the compiler differs from the one used to build the kernel",
    // It makes BTF, which scripts/build-module leaves out.
    "warning: pahole version differs from the one used to build the kernel",
];

/// The lines of a build's log that warn of something.
pub fn warnings(log: &str) -> Vec<&str> {
    let warns = |line: &&str| line.to_ascii_lowercase().contains("warning:");
    let harmless = |line: &str| HARMLESS.iter().any(|words| line.trim() == *words);
    log.lines().filter(warns).filter(|line| !harmless(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_who_warns_is_heard() {
        for line in [
            "module/src/shim/hook.c:12:5: warning: unused variable 'x' [-Wunused-variable]",
            "module/src/runtime.o: warning: objtool: foo() falls through to next function bar()",
            "WARNING: modpost: missing MODULE_DESCRIPTION() in vgpu_unlock.o",
            "warning: unused import: `Target`",
            "ld: warning: module.o: missing .note.GNU-stack section implies executable stack",
        ] {
            let log = format!("  CC [M]  module/src/shim/hook.o\n{line}\n  LD [M]  x.ko\n");
            assert_eq!(warnings(&log), [line]);
        }
    }

    #[test]
    fn only_what_is_known_is_harmless() {
        let differs = "warning: the compiler differs from the one used to build the kernel\n\
                       \x20 The kernel was built with: gcc-12\n  You are using:           gcc-14\n";
        assert_eq!(warnings(differs), [""; 0]);
        assert_eq!(warnings("warning: the compiler differs"), ["warning: the compiler differs"]);
    }
}
