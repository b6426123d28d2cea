// SPDX-License-Identifier: GPL-2.0
//! How the module is told: its parameters in sysfs.
//!
//! ```text
//! overrides        a write replaces everything; at most a page, less what ends it
//! overrides_part   "begin" starts a staged set, a text is added to it, "commit" has it replace what is in
//!                  force, all or nothing, and "abort" drops it
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};

use anyhow::{Context, Error, Result, bail};
use rustix::fs::{FlockOperation, flock};

use crate::host::Host;
use crate::profile::MAX_PARAMETER;

const DIR: &str = "/sys/module/vgpu_unlock/parameters";
const PARTS: &str = "overrides_part";
const ALL: &str = "overrides";

/// The parameters of a module that is loaded.
pub trait Module {
    /// Opens one to be written. Until it is closed, nobody else of this program has it.
    ///
    /// # Errors
    /// As the kernel says.
    fn open(&self, name: &str) -> io::Result<Box<dyn Parameter + '_>>;
}

/// A parameter that can be written.
pub trait Parameter {
    /// Writes a value.
    ///
    /// # Errors
    /// As the module says.
    fn write(&mut self, value: &str) -> io::Result<()>;
}

impl Module for Host {
    fn open(&self, name: &str) -> io::Result<Box<dyn Parameter + '_>> {
        let path = self.path(&format!("{DIR}/{name}"));
        let file = OpenOptions::new().write(true).truncate(true).open(path)?;
        // Whoever stages a set waits for whoever does so already.
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(Box::new(file))
    }
}

impl Parameter for File {
    fn write(&mut self, value: &str) -> io::Result<()> {
        // The module is handed what a single write has.
        match io::Write::write(self, value.as_bytes())? {
            all if all == value.len() => self.flush(),
            some => Err(io::Error::other(format!("{some} of {} bytes were taken", value.len()))),
        }
    }
}

/// Whether the module takes overrides in pieces.
///
/// # Errors
/// Its parameters can't be looked at.
pub fn takes_pieces(host: &Host) -> crate::host::Seen<bool> {
    host.exists(&format!("{DIR}/{PARTS}"))
}

/// Has the pieces replace what is in force, all or nothing.
///
/// # Errors
/// Nothing was changed; the text says where it failed.
pub fn load_pieces(module: &dyn Module, pieces: &[String]) -> Result<()> {
    let at = |word: &str| format!("writing {word} to {DIR}/{PARTS}");
    let mut parameter = module.open(PARTS).map_err(explained).with_context(|| at("\"begin\""))?;
    let staged = (|| {
        let mut put = |value: &str, word: &str| {
            parameter.write(value).map_err(explained).with_context(|| at(word))
        };
        put("begin", "\"begin\"")?;
        for (i, piece) in pieces.iter().enumerate() {
            put(piece, &format!("piece {} of {}", i + 1, pieces.len()))?;
        }
        put("commit", "\"commit\"")
    })();
    if staged.is_err() {
        // The error is what counts; what is staged is not in force.
        let _ = parameter.write("abort");
    }
    staged
}

/// Has a text replace what is in force, in a module that takes no pieces.
///
/// # Errors
/// Nothing was changed.
pub fn load_all(module: &dyn Module, text: &str) -> Result<()> {
    if text.len() > MAX_PARAMETER {
        bail!(
            "{}: `rmmod vgpu_unlock` and `modprobe vgpu_unlock` load the one that is installed",
            too_old(text.len())
        );
    }
    // The kernel does not hand on a write of no bytes.
    let value = if text.is_empty() { "\n" } else { text };
    let written = module.open(ALL).and_then(|mut parameter| parameter.write(value));
    written.map_err(explained).with_context(|| format!("writing to {DIR}/{ALL}"))
}

/// What is said where a module takes no pieces, and so not these many bytes.
pub fn too_old(bytes: usize) -> String {
    format!(
        "the loaded vgpu_unlock takes {MAX_PARAMETER} bytes of overrides, and these are {bytes}: it is \
         older than this command"
    )
}

/// The kernel's words, with what to do about them.
fn explained(error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => " (needs root)",
        io::ErrorKind::InvalidInput => {
            " (`journalctl -k -g vgpu_unlock` has the reason and the place)"
        }
        _ => "",
    };
    anyhow::anyhow!("{error}{hint}")
}
