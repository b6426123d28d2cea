// SPDX-License-Identifier: GPL-2.0
//! Being told of calls to a function, before they happen, and standing in for a function.

use core::cell::UnsafeCell;
use core::ffi::c_ulong;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::bindings as b;
use super::{check, probe, Errno, NO_ENTRY, NO_MEMORY};

/// Someone who is told what a function is about to be called with.
pub trait Listener: Sync {
    /// The function is about to run.
    ///
    /// Runs in the caller's context, whatever it is: this must not sleep and has to be short.
    fn called(&self, call: &Call);
}

/// A call that is about to happen.
///
/// Invariant: `regs` are the registers of a call that ftrace has stopped, for as long as this lives.
pub struct Call {
    caller: usize,
    regs: *mut b::ftrace_regs,
}

impl Call {
    /// Its first three arguments.
    pub fn arguments(&self) -> [usize; 3] {
        // SAFETY: The type's invariant; three arguments are in registers.
        let argument = |n| unsafe { b::vu_ftrace_argument(self.regs, n) } as usize;
        [argument(0), argument(1), argument(2)]
    }

    /// Whether it is this module that calls.
    pub fn is_ours(&self) -> bool {
        // SAFETY: Looks at the module's own bounds.
        unsafe { b::vu_is_ours(self.caller as c_ulong) }
    }

    /// Has `function` called in the place of the one that was.
    ///
    /// # Safety
    /// The listener was placed with [`Mode::Divert`]. `function` is one of this module's, has the
    /// signature of the one that it stands in for, and is sound for all that may be called with. Whoever
    /// takes the listener away waits until nobody runs `function` any more.
    pub unsafe fn divert(&self, function: *const ()) {
        // SAFETY: The call is stopped at the function's entry (the type's invariant), with everything
        // in place for another function of its signature.
        unsafe { b::vu_ftrace_divert(self.regs, function as c_ulong) };
    }
}

/// How to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A switch of ftrace turns us deaf silently.
    Plain,
    /// The kernel refuses to switch ftrace off while we listen, and this fails where it is off already.
    Permanent,
    /// The function may be sent elsewhere; nobody else may do that with it.
    Divert,
}

impl Mode {
    fn flags(self) -> c_ulong {
        match self {
            Mode::Plain => 0,
            Mode::Permanent => b::FTRACE_OPS_FL_PERMANENT as c_ulong,
            Mode::Divert => b::FTRACE_OPS_FL_IPMODIFY as c_ulong,
        }
    }
}

/// A listener in place. Dropping it takes it away and waits for running calls.
///
/// Invariant: `Some` until dropped.
pub struct Listening<L: Listener + 'static>(Option<KBox<Inner<L>>>);

/// Invariant: `ops.private` points to this very value from before the registration on.
struct Inner<L> {
    ops: UnsafeCell<b::ftrace_ops>,
    /// NULL once nobody listens any more, although the kernel may go on calling (see `leak`).
    listener: AtomicPtr<L>,
    hits: AtomicU64,
}

// SAFETY: The kernel looks after the ops; the listener is `Sync` and outlives us (`place`).
unsafe impl<L: Listener> Send for Listening<L> {}
// SAFETY: As above.
unsafe impl<L: Listener> Sync for Listening<L> {}

impl<L: Listener + 'static> Listening<L> {
    /// Tells `listener` of every call to the function `name` (`module:symbol`, or one of ours).
    ///
    /// # Safety
    /// `listener` outlives the value that is returned.
    ///
    /// # Errors
    /// The kernel's error number; nothing is left behind.
    pub unsafe fn place(
        name: &'static core::ffi::CStr,
        mode: Mode,
        listener: &L,
    ) -> Result<Self, Errno> {
        let address = probe::address_of(name).ok_or(NO_ENTRY)?;
        // SAFETY: All-zero is what the kernel expects of the members that are not set below.
        let mut ops = unsafe { core::mem::zeroed::<b::ftrace_ops>() };
        ops.func = Some(called::<L>);
        ops.flags = mode.flags();
        let inner = Inner {
            ops: UnsafeCell::new(ops),
            listener: AtomicPtr::new((listener as *const L).cast_mut()),
            hits: AtomicU64::new(0),
        };
        let inner = KBox::new(inner, GFP_KERNEL).map_err(|_| NO_MEMORY)?;
        let ops = inner.ops.get();
        // SAFETY: The box does not move its content, so the pointer stays good until it is freed,
        // which `drop` does after unregistering.
        unsafe { (*ops).private = (&*inner as *const Inner<L>).cast_mut().cast() };
        // Registering with a filter that could not be set would trace every function there is.
        // SAFETY: `ops` is initialised and not registered.
        if let Err(errno) = check(unsafe { b::ftrace_set_filter_ip(ops, address as c_ulong, 0, 0) })
        {
            // SAFETY: Not registered.
            unsafe { b::ftrace_free_filter(ops) };
            return Err(errno);
        }
        // SAFETY: `ops` lives in the box until `drop` has unregistered it.
        match check(unsafe { b::register_ftrace_function(ops) }) {
            Ok(()) => Ok(Self(Some(inner))),
            Err(BROKEN) => {
                // Half registered, and ftrace will not undo it.
                leak(inner);
                Err(BROKEN)
            }
            Err(errno) => {
                // SAFETY: The registration failed and left nothing.
                unsafe { b::ftrace_free_filter(ops) };
                Err(errno)
            }
        }
    }

    /// How often the function was called.
    pub fn hits(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.hits.load(Ordering::Relaxed))
    }
}

/// ftrace has found itself broken (ENODEV) and does nothing any more, not even take us away.
const BROKEN: Errno = -19;

/// Calls to us could not be taken away.
static STUCK: AtomicBool = AtomicBool::new(false);

/// Whether the kernel may go on calling us for ever, because its ftrace broke down.
pub fn is_stuck() -> bool {
    STUCK.load(Ordering::Acquire)
}

/// Keeps what the kernel may still look at, and makes sure that it tells nobody. May sleep.
fn leak<L>(inner: KBox<Inner<L>>) {
    STUCK.store(true, Ordering::Release);
    inner.listener.store(core::ptr::null_mut(), Ordering::Release);
    // A call that has read the listener before is over after this.
    super::wait_for_hooks();
    let _ = KBox::leak(inner);
}

impl<L: Listener> Drop for Listening<L> {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        let ops = inner.ops.get();
        // SAFETY: Registered by `place`. Returns when no call to us is under way any more.
        if check(unsafe { b::unregister_ftrace_function(ops) }).is_err() {
            leak(inner);
            return;
        }
        // A filter that named code of a module that is gone would upset ftrace.
        // SAFETY: Not registered any more.
        unsafe { b::ftrace_free_filter(ops) };
    }
}

unsafe extern "C" fn called<L: Listener>(
    _ip: c_ulong,
    caller: c_ulong,
    ops: *mut b::ftrace_ops,
    regs: *mut b::ftrace_regs,
) {
    // SAFETY: `private` is set before the registration and points to an `Inner` that lives until
    // after the last call (see `Inner` and `drop`).
    let inner = unsafe { &*(*ops).private.cast::<Inner<L>>() };
    inner.hits.fetch_add(1, Ordering::Relaxed);
    // SAFETY: The listener outlives us (`place`), or is NULL, which is no reference.
    let Some(listener) = (unsafe { inner.listener.load(Ordering::Acquire).as_ref() }) else {
        return;
    };
    // INVARIANT: ftrace hands us the registers of the call that it has stopped for us.
    listener.called(&Call { caller: caller as usize, regs });
}
