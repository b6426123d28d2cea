// SPDX-License-Identifier: GPL-2.0
//! The files of a cpio archive in the format that RPM packages have ("newc").

use std::io::{Read, sink};

use anyhow::{Context, Result, bail};

/// A longer name is none.
const MAX_NAME: u64 = 4096;

/// Calls `file` for each regular file, with its path and what it holds.
///
/// # Errors
/// The archive is cut off or damaged, or `file` fails.
pub fn files(
    mut from: impl Read,
    mut file: impl FnMut(&str, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    const CUT: &str = "the archive is cut off";
    loop {
        let mut header = [0; 110];
        from.read_exact(&mut header).context(CUT)?;
        let (magic, fields) = header.split_at(6);
        match magic {
            b"070701" | b"070702" => {}
            b"07070X" => bail!("its files have more than 4 GiB: no driver's have"),
            _ => bail!("the archive is damaged, or in an older format of cpio"),
        }
        let field = |at: usize| {
            let digits =
                fields.get(at * 8..at * 8 + 8).and_then(|digits| std::str::from_utf8(digits).ok());
            let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            number.context("the archive is damaged: a header has what is no number")
        };
        let (mode, len, name_len) = (field(1)?, field(6)?, field(11)?);
        if name_len > MAX_NAME {
            bail!("the archive is damaged: a name has {name_len} bytes");
        }
        let mut name = Vec::new();
        from.by_ref().take(name_len).read_to_end(&mut name)?;
        // Headers with their names, and what follows, end at multiples of four bytes.
        pad(&mut from, header.len() as u64 + name_len).context(CUT)?;
        let name = String::from_utf8_lossy(name.strip_suffix(b"\0").unwrap_or(&name)).into_owned();
        if name == "TRAILER!!!" {
            return Ok(());
        }
        let mut content = from.by_ref().take(len);
        if mode & 0o170_000 == 0o100_000 {
            file(&name, &mut content)?;
        }
        std::io::copy(&mut content, &mut sink())?;
        if content.limit() > 0 {
            bail!(CUT);
        }
        pad(&mut from, len).context(CUT)?;
    }
}

fn pad(from: &mut impl Read, len: u64) -> std::io::Result<()> {
    let mut padding = [0; 4];
    let missing = (len.next_multiple_of(4) - len) as usize;
    from.read_exact(&mut padding[..missing])
}
