// SPDX-License-Identifier: GPL-2.0
//! The kernel, behind safe types. All unsafe code of the module is in this room.

pub mod bindings;
pub mod canary;
pub mod clock;
pub mod count;
pub mod crypto;
pub mod hook;
pub mod probe;
pub mod layout;
pub mod lock;
pub mod log;
pub mod mdev;
pub mod memory;
pub mod param;
pub mod pci;
pub mod files;
pub mod target;
pub mod calls;
pub mod user;
pub mod work;

use bindings as b;

/// A (negative) error number of the kernel.
pub type Errno = i32;

/// There is no such thing (ENOENT).
pub const NO_ENTRY: Errno = -2;
/// The kernel has no memory left (ENOMEM).
pub const NO_MEMORY: Errno = -12;

/// 0 is success, anything else an error number.
fn check(ret: core::ffi::c_int) -> Result<(), Errno> {
    match ret {
        0 => Ok(()),
        errno => Err(errno),
    }
}

/// Waits until no task can still be in the tail of a hook that was taken away. May sleep.
pub fn wait_for_hooks() {
    // SAFETY: Called in process context with nothing held that a task could wait for.
    unsafe { b::synchronize_rcu_tasks() };
}
