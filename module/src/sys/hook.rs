// SPDX-License-Identifier: GPL-2.0
//! Being told of calls to a function before they happen, by ftrace.

use core::ffi::{c_int, c_ulong, c_void, CStr};
use core::ptr::{self, NonNull};

use super::bindings as b;
use super::Errno;

/// A hook in place. Dropping it takes it away and waits for calls of ours.
///
/// Where the kernel can't take it away any more, it tells nobody, and [`is_stuck`] says so.
pub struct Hook(NonNull<b::vu_hook>);

// SAFETY: The kernel looks after the hook itself.
unsafe impl Send for Hook {}
// SAFETY: As above; what can be asked are counters.
unsafe impl Sync for Hook {}

impl Hook {
    /// Hooks the function `symbol` (`module:function`).
    ///
    /// # Safety
    /// `context` is what the hook's `kind` wants of it.
    unsafe fn new(
        kind: b::vu_hook_kind,
        symbol: &'static CStr,
        context: *mut c_void,
    ) -> Result<Self, Errno> {
        let mut error: c_int = 0;
        // SAFETY: As the caller promises; `symbol` is a string.
        let hook = unsafe { b::vu_hook_place(kind, symbol.as_ptr(), context, &mut error) };
        NonNull::new(hook).map(Self).ok_or(error)
    }

    /// Counts calls of `symbol`. ftrace can't be switched off as long as this is there.
    ///
    /// # Errors
    /// The kernel's error number, [`OFF`] among them; nothing is left behind.
    pub fn guard(symbol: &'static CStr) -> Result<Self, Errno> {
        // SAFETY: Without a context.
        unsafe { Self::new(b::vu_hook_kind_VU_HOOK_GUARD, symbol, ptr::null_mut()) }
    }

    /// Sends calls of a function of the mdev core's to ours.
    ///
    /// # Safety
    /// `kind` is that of the function `symbol`, and the originals were found (`vu_mdev_find`).
    ///
    /// # Errors
    /// The kernel's error number; nothing is left behind.
    pub(super) unsafe fn divert(
        kind: b::vu_hook_kind,
        symbol: &'static CStr,
    ) -> Result<Self, Errno> {
        // SAFETY: Without a context; the rest as the caller promises.
        unsafe { Self::new(kind, symbol, ptr::null_mut()) }
    }

    /// How often the function was called.
    pub fn hits(&self) -> u64 {
        // SAFETY: The hook is there until we are dropped.
        unsafe { b::vu_hook_hits(self.0.as_ptr()) }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: Placed by `new`, and nobody uses it any more.
        unsafe { b::vu_hook_remove(self.0.as_ptr()) };
    }
}

/// What a guard is refused with where ftrace is off (EBUSY).
pub const OFF: Errno = -16;

/// Whether the kernel may go on using a hook or a probe of ours for ever.
pub fn is_stuck() -> bool {
    // SAFETY: Reads a flag.
    unsafe { b::vu_hooks_stuck() }
}

/// Waits until no task can still be in the tail of a hook that was taken away. May sleep.
pub fn wait_for_tails() {
    // SAFETY: Called in process context with nothing held that a task could wait for.
    unsafe { b::vu_wait_for_tails() };
}

/// Someone who is told of the driver's copies of as many bytes as a board's magic or key has.
pub trait Copies: Sync {
    /// The driver is about to copy them from `from`.
    ///
    /// Runs in the driver's context, whatever it is: this must not sleep and has to be short.
    fn copying(&self, from: usize);
}

/// The one type that is told: [`events`](super::events::events) implements this for it.
///
/// # Safety
/// It is the type that `vu_copying` takes the context for.
pub unsafe trait Named: Copies {}

/// A hook that tells of copies. Dropping it takes it away.
pub struct CopyHook(Hook);

impl CopyHook {
    /// Tells `listener` of copies by the function `symbol`, whose arguments are memcpy()'s.
    ///
    /// # Safety
    /// `listener` outlives the value that is returned.
    ///
    /// # Errors
    /// The kernel's error number; nothing is left behind.
    pub unsafe fn place<L: Named>(symbol: &'static CStr, listener: &L) -> Result<Self, Errno> {
        let context = ptr::from_ref(listener).cast_mut().cast();
        // SAFETY: `copying` takes it for what it is, an `L` (`Named`).
        unsafe { Hook::new(b::vu_hook_kind_VU_HOOK_COPY, symbol, context) }.map(Self)
    }

    /// How often the function was called.
    pub fn hits(&self) -> u64 {
        self.0.hits()
    }
}

/// The driver copies.
///
/// # Safety
/// `context` is that of a [`CopyHook`] which is in place.
pub unsafe fn copying<L: Named>(context: *mut c_void, from: c_ulong) {
    // SAFETY: `CopyHook::place` has made it of an `L` that outlives the hook.
    unsafe { &*context.cast::<L>() }.copying(from as usize);
}
