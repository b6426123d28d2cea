// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's modules: whether they are loaded, when they come and go, and what they consist of.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_ulong, c_void, CStr};

use super::bindings as b;
use super::memory::Section;
use super::{check, Errno};

/// Which of NVIDIA's modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The driver.
    Driver,
    /// The one that registers vGPU types with the kernel's mdev core.
    Types,
}

impl Which {
    const ALL: [Self; 2] = [Self::Driver, Self::Types];

    /// The kernel's name for it.
    fn name(self) -> &'static CStr {
        match self {
            Self::Driver => c"nvidia",
            Self::Types => c"nvidia_vgpu_vfio",
        }
    }
}

/// One of NVIDIA's modules, while it is certain to stay.
///
/// Invariant: only made where the module can't go before the value does: in a notifier, which runs
/// in the course of its loading or unloading, and in [`with_loaded`], whose caller makes its going
/// wait.
pub struct Target(*mut b::module);

impl Target {
    /// Something to tell this load of the module from others by.
    pub fn identity(&self) -> usize {
        self.0 as usize
    }

    /// What the module says its version is.
    pub fn version(&self) -> Option<&[u8]> {
        // SAFETY: The module is alive (the type's invariant).
        let version = unsafe { b::vu_module_version(self.0) };
        if version.is_null() {
            return None;
        }
        // SAFETY: A string that the module loader made, which lives as long as the module.
        Some(unsafe { CStr::from_ptr(version) }.to_bytes())
    }

    /// Its text.
    ///
    /// # Safety
    /// The section is dropped before the module goes: in GOING at the latest.
    pub unsafe fn text(&self) -> Section {
        let mut len = 0;
        // SAFETY: The module is alive, so its sections are mapped.
        unsafe { Section::new(b::vu_module_text(self.0, &mut len).cast_const().cast(), len) }
    }

    /// Its read-only data.
    ///
    /// # Safety
    /// As for [`Target::text`].
    pub unsafe fn rodata(&self) -> Section {
        let mut len = 0;
        // SAFETY: As above.
        unsafe { Section::new(b::vu_module_rodata(self.0, &mut len).cast_const().cast(), len) }
    }
}

/// Calls `f` with the module if it is loaded; `None` where it is not, or is just being unloaded.
///
/// A reference does not keep a module whose init fails. What does is a lock that our GOING notifier
/// has to take: that we get a reference means that GOING was not sent yet, so it will come, and wait
/// for the lock.
///
/// # Safety
/// The caller holds the lock that [`crate::unlock::lifecycle::going`] takes, until this returns.
pub unsafe fn with_loaded<R>(which: Which, f: impl FnOnce(&Target) -> R) -> Option<R> {
    // SAFETY: The name is a C string.
    let module = unsafe { b::vu_module_get(which.name().as_ptr().cast()) };
    if module.is_null() {
        return None;
    }
    let result = f(&Target(module));
    // SAFETY: The reference that `vu_module_get` took; the module is still there (see above).
    unsafe { b::module_put(module) };
    Some(result)
}

/// Being told when NVIDIA's modules come and go, until dropped.
///
/// COMING is taken as the last one, behind jump labels and kprobes, so that the module's text is
/// what will run; GOING as the first one, before kprobes forgets the probes in it. LIVE is taken
/// too, for a module that was between COMING and being findable when we came.
pub struct Notifiers(());

/// A notifier block that the kernel links into a list.
struct Block(UnsafeCell<b::notifier_block>);

// SAFETY: Only the kernel touches it, under the list's own lock.
unsafe impl Sync for Block {}

impl Block {
    const fn new(
        call: unsafe extern "C" fn(*mut b::notifier_block, c_ulong, *mut c_void) -> c_int,
        priority: c_int,
    ) -> Self {
        Self(UnsafeCell::new(b::notifier_block {
            notifier_call: Some(call),
            next: core::ptr::null_mut(),
            priority,
        }))
    }
}

static COMING: Block = Block::new(coming, c_int::MIN);
static GOING: Block = Block::new(going, c_int::MAX);

impl Notifiers {
    /// Starts. Only one may exist.
    ///
    /// # Errors
    /// The kernel's error number.
    pub fn register() -> Result<Self, Errno> {
        // SAFETY: The blocks are static, and are unregistered by `drop`.
        unsafe {
            check(b::register_module_notifier(GOING.0.get()))?;
            if let Err(errno) = check(b::register_module_notifier(COMING.0.get())) {
                b::unregister_module_notifier(GOING.0.get());
                return Err(errno);
            }
        }
        Ok(Self(()))
    }
}

impl Drop for Notifiers {
    fn drop(&mut self) {
        // SAFETY: Registered by `register`. Returns when no call is under way any more, so the
        // module's mutex, which the calls take, must not be held.
        unsafe {
            b::unregister_module_notifier(COMING.0.get());
            b::unregister_module_notifier(GOING.0.get());
        }
    }
}

/// NVIDIA's module, if `data` is one.
///
/// # Safety
/// `data` is what the module notifier chain hands out, and the value goes before the call returns.
unsafe fn known(data: *mut c_void) -> Option<(Which, Target)> {
    Which::ALL.into_iter().find_map(|which| {
        // SAFETY: The chain hands out modules.
        let is = unsafe { b::vu_module_is(data.cast(), which.name().as_ptr().cast()) };
        is.then(|| (which, Target(data.cast())))
    })
}

unsafe extern "C" fn coming(_: *mut b::notifier_block, event: c_ulong, data: *mut c_void) -> c_int {
    let [coming, live] = [b::module_state_MODULE_STATE_COMING, b::module_state_MODULE_STATE_LIVE];
    if event == c_ulong::from(coming) || event == c_ulong::from(live) {
        // SAFETY: Called by the chain.
        if let Some((which, target)) = unsafe { known(data) } {
            crate::unlock::lifecycle::coming(which, &target);
        }
    }
    0
}

unsafe extern "C" fn going(_: *mut b::notifier_block, event: c_ulong, data: *mut c_void) -> c_int {
    if event == c_ulong::from(b::module_state_MODULE_STATE_GOING) {
        // SAFETY: Called by the chain.
        if let Some((which, target)) = unsafe { known(data) } {
            crate::unlock::lifecycle::going(which, &target);
        }
    }
    0
}
