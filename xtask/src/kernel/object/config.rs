// SPDX-License-Identifier: GPL-2.0
//! What a kernel was configured to want of the code that it loads.

use std::fs;

use anyhow::{Context, Result};

use crate::kernel::Prepared;

/// A kernel's configuration.
#[derive(Debug, Default)]
pub struct Config {
    text: String,
    /// How long a symbol's name may be, with the byte that ends it.
    pub name_limit: usize,
}

impl Config {
    /// Reads it from the kernel's headers.
    ///
    /// # Errors
    /// They are not complete.
    pub fn read(kernel: &Prepared) -> Result<Self> {
        let read = |path: std::path::PathBuf| {
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let header = "include/linux/kallsyms.h";
        let kallsyms = read(kernel.common_headers()?.join(header))?;
        let limit = kallsyms.lines().find_map(|l| l.strip_prefix("#define KSYM_NAME_LEN"));
        let limit = limit.and_then(|limit| limit.trim().parse().ok());
        Ok(Self {
            text: read(kernel.headers.join(".config"))?,
            name_limit: limit.with_context(|| format!("{header} has no KSYM_NAME_LEN"))?,
        })
    }

    /// Whether an option is set. The first name is today's, others are what older kernels call it.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.value(name) == Some("y"))
    }

    /// An option's number; 0 where it has none.
    pub fn number(&self, name: &str) -> usize {
        self.value(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("CONFIG_")?.strip_prefix(name)?.strip_prefix('='))
    }
}

#[cfg(test)]
impl Config {
    /// One that says `text`.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), name_limit: 512 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_by_their_whole_names() {
        let config = Config::of(
            "CONFIG_CALL_PADDING=y\n# CONFIG_SLS is not set\nCONFIG_PAD=16\nCONFIG_M=m\n",
        );
        assert!(config.has(&["CALL_PADDING"]));
        assert!(config.has(&["NEWER", "CALL_PADDING"]));
        for name in ["CALL", "SLS", "CALL_PADDING_BYTES", "M", "PAD"] {
            assert!(!config.has(&[name]), "{name}");
        }
        assert_eq!(config.number("PAD"), 16);
        assert_eq!(config.number("CALL_PADDING"), 0);
    }
}
