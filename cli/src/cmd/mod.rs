// SPDX-License-Identifier: GPL-2.0
//! One file per command.

pub mod inspect;
pub mod profile;

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints an answer. Who stops reading in the midst of it has seen enough.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("printing"),
        _ => Ok(()),
    }
}
