// SPDX-License-Identifier: GPL-2.0
//! Several files, whichever each is.

use super::{Import, config};

impl Import {
    /// Reads files, each of them a `profile_override.toml` or a `config.toml`: what they have tells.
    pub fn files<N: AsRef<str>, T: AsRef<str>>(&mut self, files: &[(N, T)]) {
        let files = files.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        let (config, overrides): (Vec<_>, Vec<_>) =
            files.partition(|(name, text)| config::is_config(name, text));
        for (name, text) in overrides {
            self.profiles(name, text);
        }
        for (name, text) in config {
            self.config(name, text);
        }
    }
}
