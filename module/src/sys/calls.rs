// SPDX-License-Identifier: GPL-2.0
//! The vGPU daemons' RM control calls: seen when the driver has answered, and looked at by the task that
//! made the call, before it is back in user space, where it may sleep and touch its memory.

use core::ffi::{c_ulong, CStr};

use super::bindings as b;
use super::user::UserAddress;
use super::{check, Errno};

/// The ioctl that is RM control, and the one whose own parameter lies elsewhere, by their numbers.
pub const CONTROL: u32 = b::VU_IOCTL_CONTROL;
/// See [`CONTROL`].
pub const XFER: u32 = b::VU_IOCTL_XFER;

/// Who looks at the calls.
pub trait Answered {
    /// The driver has answered an ioctl of the current task's. May sleep and touch its memory.
    fn answered(command: u32, argument: UserAddress);
}

/// The watch over the driver's ioctl. Dropping it takes it away; calls that were seen may still be looked
/// at for a while, and [`wait_for_all`] waits for them.
///
/// Invariant: there is one at most, for as long as the driver is there.
pub struct Calls(());

impl Calls {
    /// Has those of the daemons' calls of `symbol` (`module:function`) looked at that have one of
    /// `commands` at `offset` in their structure. While there is no daemon, the function is not hooked: the
    /// first one is known by its call of `open`, if the driver has such a function.
    ///
    /// # Safety
    /// There is no other, and it is dropped before the functions go.
    ///
    /// # Errors
    /// The kernel's error number; nothing is left behind.
    pub unsafe fn watch(
        symbol: &'static CStr,
        open: &'static CStr,
        offset: u32,
        commands: &'static [u32],
    ) -> Result<Self, Errno> {
        let count = u32::try_from(commands.len()).unwrap_or(0);
        let wanted = b::vu_wanted { offset, commands: commands.as_ptr(), count };
        // SAFETY: As the caller promises; the strings and the commands stay where they are.
        check(unsafe { b::vu_calls_watch(symbol.as_ptr(), open.as_ptr(), &wanted) })
            .map(|()| Self(()))
    }

    /// How many were seen since the module was loaded.
    pub fn hits(&self) -> u64 {
        // SAFETY: Reads a counter.
        unsafe { b::vu_calls_hits() }
    }

    /// Whether the function is hooked now.
    ///
    /// # Errors
    /// The kernel's error number: it could not be hooked again when a daemon came.
    pub fn placed(&self) -> Result<bool, Errno> {
        // SAFETY: Both read a word.
        let (error, rests) = unsafe { (b::vu_calls_error(), b::vu_calls_rest()) };
        check(error).map(|()| !rests)
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        // SAFETY: There is one (the type's invariant), and it goes.
        unsafe { b::vu_calls_unwatch() };
    }
}

/// How many calls could not be looked at, because the task was exiting or too many were under way.
pub fn lost() -> u64 {
    // SAFETY: Reads counters.
    unsafe { b::vu_calls_lost() }
}

/// Waits until nobody looks at a call any more. None may be watched.
pub fn wait_for_all() {
    // SAFETY: Process context.
    unsafe { b::vu_calls_wait() };
}

/// The current task's call was answered.
pub fn answered<A: Answered>(command: u32, argument: c_ulong) {
    A::answered(command, UserAddress(argument.into()));
}
