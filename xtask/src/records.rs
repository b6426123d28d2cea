// SPDX-License-Identifier: GPL-2.0
//! What is kept of something that was run: small files below the cache.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::sh;

/// What was kept, if anything. What another version of this program wrote otherwise is none.
pub fn load<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// Keeps it whole or not at all: whoever runs this may end it at any time.
///
/// # Errors
/// It cannot be written.
pub fn save<T: Serialize>(file: &Path, value: &T) -> Result<()> {
    let write = || -> Result<()> {
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        let new = file.with_extension("new");
        fs::write(&new, serde_json::to_string_pretty(value)?)?;
        fs::rename(&new, file)?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", file.display()))
}

/// The time in UTC.
///
/// # Errors
/// There is no telling what day it is.
pub fn now() -> Result<String> {
    let text = sh::output(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    Ok(text.trim().to_owned())
}
