// SPDX-License-Identifier: GPL-2.0
//! The kernel, behind safe types. All unsafe code of the module is in this room, and nothing here knows
//! who uses it: those whom the kernel calls are named by the root (see [`events`]).

pub mod bindings;
pub mod calls;
pub mod canary;
pub mod clock;
pub mod count;
pub mod crypto;
pub mod events;
pub mod files;
pub mod hook;
pub mod lock;
pub mod log;
pub mod mdev;
pub mod memory;
pub mod param;
pub mod pci;
pub mod probe;
pub mod target;
pub mod user;
pub mod work;

/// A (negative) error number of the kernel.
pub type Errno = i32;

/// There is no such thing (ENOENT).
pub const NO_ENTRY: Errno = -2;
/// Someone else is at it; try again (EAGAIN).
pub const AGAIN: Errno = -11;
/// The kernel has no memory left (ENOMEM).
pub const NO_MEMORY: Errno = -12;
/// A value is wrong (EINVAL).
pub const INVALID: Errno = -22;

/// 0 is success, anything else an error number.
fn check(ret: core::ffi::c_int) -> Result<(), Errno> {
    match ret {
        0 => Ok(()),
        errno => Err(errno),
    }
}
