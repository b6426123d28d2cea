// SPDX-License-Identifier: GPL-2.0
//! One file per command.

pub mod doctor;
pub mod generate;
pub mod inspect;
pub mod profile;
pub mod report;
pub mod status;

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

/// Prints a text. Who stops reading it, as `head` does, has read enough.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => Ok(result?),
    }
}
