// SPDX-License-Identifier: GPL-2.0
//! What is made of the files that were read.

use anyhow::{Result, bail};
use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::Gpus;

use super::Import;
use crate::profile::{OVERRIDES, write};

impl Import {
    /// The text of an overrides.toml. A single file is taken over as it is, comments and all; of
    /// several, each stands behind the other. `None` where no file has overrides.
    ///
    /// # Errors
    /// A line was wrong, or a section stands in two files.
    pub fn overrides_toml(&self) -> Result<Option<String>> {
        self.checked()?;
        let text = match &self.texts[..] {
            [] => return Ok(None),
            [(_, text)] => without_mark(text).to_owned(),
            several => {
                let part = |(name, text): &(String, String)| {
                    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
                    format!("# From {name}\n{}{end}", without_mark(text))
                };
                several.iter().map(part).collect::<Vec<_>>().join("\n")
            }
        };
        if self.texts.len() > 1 {
            // Each was right by itself; together they must say the same.
            let mut together = Self::default();
            together.profiles("the files together", &text);
            if together.remarks.has_errors() {
                bail!("the files cannot stand in one:\n{}", together.errors());
            }
            if write::overrides(&together.sections) != write::overrides(&self.sections) {
                bail!(
                    "the files cannot stand in one: a setting in front of the first section of one \
                     would belong to the last section of another"
                );
            }
        }
        Ok(Some(text))
    }

    /// A file for modprobe.d with everything in it.
    ///
    /// # Errors
    /// A line was wrong, or it is more than a parameter can hold.
    pub fn modprobe_conf(&self) -> Result<String> {
        self.checked()?;
        let overrides = write::overrides(&self.sections);
        if let Err(error) = ReadOverrides::parse(overrides.as_bytes()) {
            bail!("the overrides are wrong, {error}:\n{overrides}");
        }
        if overrides.len() > write::MAX_PARAMETER {
            bail!(
                "overrides has {} bytes, a parameter holds {}: leave --modprobe away and write \
                 {OVERRIDES}, which has no limit",
                overrides.len(),
                write::MAX_PARAMETER
            );
        }
        let line = self.options(&overrides)?;
        Ok(format!("# Written by vgpu-unlock import.\n{line}\n"))
    }

    /// A file for modprobe.d with what came of `config.toml`; `None` where that is nothing.
    ///
    /// # Errors
    /// A line was wrong.
    pub fn parameters_conf(&self) -> Result<Option<String>> {
        self.checked()?;
        let nothing = !self.disabled && !self.migration && self.gpus.is_empty();
        if nothing {
            return Ok(None);
        }
        let line = self.options("")?;
        Ok(Some(format!("# Written by vgpu-unlock import.\n{line}\n")))
    }

    fn options(&self, overrides: &str) -> Result<String> {
        let gpus = self.gpus.join(",");
        if let Err(error) = Gpus::parse(gpus.as_bytes()) {
            bail!("the boards are wrong, {error}:\n{gpus}");
        }
        let mut parameters = Vec::new();
        if self.disabled {
            parameters.push(("enabled", "0"));
        }
        if self.migration {
            parameters.push(("migration", "1"));
        }
        parameters.extend([("gpus", &gpus[..]), ("overrides", overrides)]);
        write::options(&parameters)
    }

    fn checked(&self) -> Result<()> {
        match self.remarks.has_errors() {
            true => bail!("nothing was written, because of the errors above"),
            false => Ok(()),
        }
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The text of a file.
///
/// # Errors
/// It is no UTF-8; the text says in which line, and what to do.
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("this is UTF-16, as some editors write it: save the file as UTF-8".to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
            let line = before.iter().filter(|&&c| c == b'\n').count() + 1;
            Err(format!("line {line} has a byte that is no UTF-8: save the file as UTF-8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_encodings_are_told() {
        assert_eq!(decode("é\n".as_bytes()).as_deref(), Ok("é\n"));
        let utf16: Vec<u8> = "\u{feff}[vm.1]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(decode(&utf16).unwrap_err().contains("UTF-16"));
        assert!(decode(b"a\nb\ncard_name = \"Gr\xf6\xdfe\"").unwrap_err().contains("line 3 "));
    }
}
