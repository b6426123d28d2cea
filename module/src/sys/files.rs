// SPDX-License-Identifier: GPL-2.0
//! The two files in debugfs.

use core::fmt::{self, Write};

use super::bindings as b;

/// Writes into a file that is being read.
struct Seq(*mut b::seq_file);

impl Write for Seq {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        // SAFETY: The pointer is the one of the show under way. A full buffer makes the kernel
        // call the show again with a larger one.
        unsafe { b::seq_write(self.0, s.as_ptr().cast(), s.len()) };
        Ok(())
    }
}

/// Creates the files. What is in them, [`crate::unlock::report`] says.
pub fn create() {
    // SAFETY: Process context; the shows below can be called from now on.
    unsafe { b::vu_debugfs_create() };
}

/// Removes the files, and waits for those who read them.
pub fn remove() {
    // SAFETY: Process context; the module's mutex, which the shows take, is not held.
    unsafe { b::vu_debugfs_remove() };
}

#[no_mangle]
extern "C" fn vu_show_text(file: *mut b::seq_file, _: *mut core::ffi::c_void) -> core::ffi::c_int {
    crate::unlock::report::text(&mut Seq(file));
    0
}

#[no_mangle]
extern "C" fn vu_show_json(file: *mut b::seq_file, _: *mut core::ffi::c_void) -> core::ffi::c_int {
    crate::unlock::report::json(&mut Seq(file));
    0
}
