// SPDX-License-Identifier: GPL-2.0
//! What modules are compiled with.

/// The versions of the compilers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compilers {
    pub rustc: String,
    /// gcc's or clang's.
    pub cc: String,
}

impl Compilers {
    /// As a kernel's `inputs` say: rustc's line begins with its name; the C compiler's own follows, whose version
    /// is the last word that looks like one.
    pub fn of(inputs: &str) -> Self {
        let mut lines = inputs.lines().skip_while(|line| !line.starts_with("rustc "));
        let rustc = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let cc =
            lines.next().and_then(|line| line.rsplit(' ').find(is_version)).unwrap_or_default();
        Self { rustc: rustc.to_owned(), cc: cc.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_from_the_inputs() {
        for (line, cc) in [
            ("x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0", "14.2.0"),
            ("Debian clang version 19.1.7 (3+b1)", "19.1.7"),
            ("clang version 18.1.3", "18.1.3"),
            ("a compiler", ""),
        ] {
            let inputs = format!(
                "mode='portable'\nrustc='/usr/bin/rustc'\ncc='gcc'\n\
                 rustc 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)\n{line}\nabc  -\n"
            );
            let found = Compilers::of(&inputs);
            assert_eq!(found, Compilers { rustc: "1.85.1".to_owned(), cc: cc.to_owned() });
        }
        assert_eq!(Compilers::of(""), Compilers::default());
    }
}
