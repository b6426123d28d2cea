// SPDX-License-Identifier: GPL-2.0
//! The calling process and its memory.

use super::bindings as b;
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

    /// Writes `from`. May sleep. `None` where the memory is not there.
    pub fn write(self, from: &[u8]) -> Option<()> {
        // SAFETY: Reads `from` and no more; the kernel checks the user's side.
        unsafe { b::vu_user_write(self.0, from.as_ptr().cast(), from.len()) }.then_some(())
    }
}

/// Whether the calling process is `nvidia-vgpud` or `nvidia-vgpu-mgr`, run by root.
pub fn is_daemon() -> bool {
    // SAFETY: Reads the current task.
    unsafe { b::vu_is_daemon() }
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
