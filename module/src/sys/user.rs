// SPDX-License-Identifier: GPL-2.0
//! The calling process and its memory.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::bindings as b;
use super::{check, Errno};
use crate::logic::rm_control::{Daemon, Process};

/// An address in the calling process. Nothing is known about it: every access is checked.
#[derive(Clone, Copy, Debug)]
pub struct UserAddress(pub u64);

impl UserAddress {
    /// The address `offset` bytes on; wraps to something that no access accepts.
    pub fn add(self, offset: usize) -> Self {
        Self(self.0.wrapping_add(offset as u64))
    }

    /// Fills `to`. May sleep. `None` where the memory is not there.
    pub fn read(self, to: &mut [u8]) -> Option<()> {
        // SAFETY: Writes `to` and no more; the kernel checks the user's side.
        unsafe { b::vu_user_read(to.as_mut_ptr().cast(), self.0, to.len()) }.then_some(())
    }

    /// Writes `from` where the process itself may not write: to its own copy of a page, which neither the
    /// page's file nor any other process has a part in. May sleep.
    ///
    /// # Errors
    /// The kernel's error number; some of it may have been written.
    pub fn poke(self, from: &[u8]) -> Result<(), Errno> {
        // SAFETY: Reads `from` and no more; the kernel checks the user's side.
        check(unsafe { b::vu_user_poke(self.0, from.as_ptr().cast(), from.len()) })
    }

    /// Writes `from`. May sleep. `None` where the memory is not there.
    pub fn write(self, from: &[u8]) -> Option<()> {
        // SAFETY: Reads `from` and no more; the kernel checks the user's side.
        unsafe { b::vu_user_write(self.0, from.as_ptr().cast(), from.len()) }.then_some(())
    }
}

/// A copy of what the calling process has somewhere, which it can't change any more.
///
/// Invariant: `bytes` are `len` bytes of the kernel's memory that are ours, and dangle where that is 0.
pub struct UserBytes {
    bytes: NonNull<u8>,
    len: usize,
}

impl UserBytes {
    /// Copies `len` bytes. May sleep. `None` where the memory is not there, or the kernel has none.
    pub fn read(from: UserAddress, len: usize) -> Option<Self> {
        if len == 0 {
            return Some(Self { bytes: NonNull::dangling(), len });
        }
        // SAFETY: Allocates; the kernel checks the user's side.
        let bytes = unsafe { b::vu_user_copy(from.0, len) };
        Some(Self { bytes: NonNull::new(bytes.cast())?, len })
    }
}

impl Deref for UserBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: The type's invariant.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr(), self.len) }
    }
}

impl DerefMut for UserBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: The type's invariant.
        unsafe { core::slice::from_raw_parts_mut(self.bytes.as_ptr(), self.len) }
    }
}

impl Drop for UserBytes {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: Allocated by `read`, and nobody uses it any more.
            unsafe { b::vu_free(self.bytes.as_ptr().cast()) };
        }
    }
}

/// Where the calling process's program has its code: the address, and how many bytes. `None` where it has none.
pub fn text() -> Option<(UserAddress, u64)> {
    let (mut start, mut end) = (0, 0);
    // SAFETY: Fills both.
    let has_one = unsafe { b::vu_user_text(&mut start, &mut end) };
    has_one.then_some((UserAddress(start), end.saturating_sub(start)))
}

/// Which of the two the calling process is, given that it is one.
pub fn daemon() -> Daemon {
    // SAFETY: Reads the current task.
    match unsafe { b::vu_is_manager() } {
        true => Daemon::Manager,
        false => Daemon::Vgpud,
    }
}

/// The calling process, and the one that it was forked from; born on [`super::clock::now_ns`].
pub fn processes() -> (Process, Process) {
    let [mut own, mut parent] = [b::vu_process { number: 0, born: 0 }; 2];
    // SAFETY: Fills both.
    unsafe { b::vu_processes(&mut own, &mut parent) };
    let process = |p: b::vu_process| Process { number: p.number, born: p.born };
    (process(own), process(parent))
}
