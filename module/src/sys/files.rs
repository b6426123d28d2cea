// SPDX-License-Identifier: GPL-2.0
//! The files in debugfs.

use core::fmt::{self, Write};

use super::bindings as b;

/// What is in the files.
pub trait Show {
    /// Writes the one for people.
    fn text(file: &mut File);
    /// Writes the one for tools.
    fn json(file: &mut File);
    /// Writes the overrides in force.
    fn overrides(file: &mut File);
}

/// A file that is being read.
///
/// Invariant: lives no longer than the show that it was made for.
pub struct File(*mut b::seq_file);

impl File {
    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        // SAFETY: The show is under way (the type's invariant). A full buffer makes the kernel call it
        // again with a larger one.
        unsafe { b::vu_file_write(self.0, bytes.as_ptr().cast(), bytes.len()) };
    }
}

impl Write for File {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.write(s.as_bytes());
        Ok(())
    }
}

/// Creates the files.
pub fn create() {
    // SAFETY: Process context.
    unsafe { b::vu_files_create() };
}

/// Removes the files, and waits for those who read them. No lock that a show takes may be held.
pub fn remove() {
    // SAFETY: Process context.
    unsafe { b::vu_files_remove() };
}

/// A file is read.
///
/// # Safety
/// `file` is the one whose show is under way.
pub unsafe fn show<S: Show>(which: b::vu_file, file: *mut b::seq_file) {
    let mut file = File(file);
    match which {
        b::vu_file_VU_FILE_JSON => S::json(&mut file),
        b::vu_file_VU_FILE_OVERRIDES => S::overrides(&mut file),
        _ => S::text(&mut file),
    }
}
