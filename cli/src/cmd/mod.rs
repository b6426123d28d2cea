// SPDX-License-Identifier: GPL-2.0
//! One file per command.

pub mod apply;
pub mod doctor;
pub mod generate;
pub mod import;
pub mod inspect;
pub mod plan;
pub mod profile;
pub mod report;
pub mod status;

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use vgpu_unlock::profile::parse_size;

use crate::{
    profile::{OVERRIDES, decode, suggest_size, written_size},
    store::{self, Put},
};

/// Prints a text. Who stops reading it, as `head` does, has read enough.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => Ok(result?),
    }
}

/// The text of a user's file; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>> {
    let name = path.display();
    match fs::read(path) {
        Ok(bytes) => decode(&bytes).map(Some).map_err(|why| anyhow!("{name}: {why}")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {name}")),
    }
}

/// Writes a user's file, and says so.
fn write(path: &Path, text: &str, replace: bool) -> Result<()> {
    match store::put(path, text, replace)? {
        Put::Written => eprintln!("{} was written", path.display()),
        Put::Same => eprintln!("{} says so already", path.display()),
    }
    if path == Path::new(OVERRIDES) {
        eprintln!("`vgpu-unlock apply` loads it into the module");
    }
    Ok(())
}

/// A size in an option: whole MiB, so that nobody gets a thousandth less than he means.
fn size(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text.as_bytes());
    if let Some(bytes) = bytes.ok().filter(|&bytes| bytes >= 1 << 20 && bytes % (1 << 20) == 0) {
        return Ok(bytes);
    }
    let example = match (suggest_size(text), bytes) {
        (_, Ok(mib @ 1..1024)) => format!("{mib}GiB or {mib}MiB"),
        (_, Ok(mib @ 1024..0x10_0000)) => format!("{mib}MiB"),
        (Some(near), _) if near >= 1 << 20 => written_size(near >> 20 << 20),
        _ => "a size such as 11GiB or 2560MiB".to_owned(),
    };
    Err(format!("write {example}: a whole number of MiB"))
}

/// The number of a type: `nvidia-55`, or `55`.
fn vgpu_type(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix("nvidia-").unwrap_or(text);
    number.parse().map_err(|_| "expected a type such as nvidia-55".to_owned())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_whole() {
        assert_eq!(size("11GiB"), Ok(11 << 30));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        for (text, said) in [
            ("11", "11GiB or 11MiB"),
            ("2048", "2048MiB"),
            ("11GB", "write 11GiB:"),
            ("11G", "write 11GiB:"),
            ("1.3GB", "write 1331MiB:"),
            ("lots", "a size such as"),
            ("0", "a size such as"),
            ("", "a size such as"),
        ] {
            assert!(size(text).unwrap_err().contains(said), "{text}: {:?}", size(text));
        }
    }
}
