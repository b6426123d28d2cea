// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's modules: whether they are loaded, when they come and go, and what they consist of.

use core::ffi::CStr;

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
    fn of(which: b::vu_target) -> Option<Self> {
        match which {
            b::vu_target_VU_DRIVER => Some(Which::Driver),
            b::vu_target_VU_VFIO => Some(Which::Types),
            _ => None,
        }
    }

    fn raw(self) -> b::vu_target {
        match self {
            Which::Driver => b::vu_target_VU_DRIVER,
            Which::Types => b::vu_target_VU_VFIO,
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
        unsafe { Section::new(b::vu_module_text(self.0, &mut len).cast(), len) }
    }

    /// Its read-only data.
    ///
    /// # Safety
    /// As for [`Target::text`].
    pub unsafe fn rodata(&self) -> Section {
        let mut len = 0;
        // SAFETY: As above.
        unsafe { Section::new(b::vu_module_rodata(self.0, &mut len).cast(), len) }
    }
}

/// Calls `f` with the module if it is loaded; `None` where it is not, or is just being unloaded.
///
/// A reference does not keep a module whose init fails. What does is a lock that [`Events::going`]
/// has to take: that we get a reference means that GOING was not sent yet, so it will come, and wait
/// for the lock.
///
/// # Safety
/// The caller holds the lock that [`Events::going`] takes, until this returns.
pub unsafe fn with_loaded<R>(which: Which, f: impl FnOnce(&Target) -> R) -> Option<R> {
    // SAFETY: Takes a reference, or returns NULL.
    let module = unsafe { b::vu_module_get(which.raw()) };
    if module.is_null() {
        return None;
    }
    let result = f(&Target(module));
    // SAFETY: The reference that `vu_module_get` took; the module is still there (see above).
    unsafe { b::vu_module_put(module) };
    Some(result)
}

/// Someone who is told when NVIDIA's modules come and go.
///
/// That a module comes is told when its text is what will run, and again once it is alive, for one that
/// was between the two when we came. That it goes is told before anything of it is gone.
pub trait Events {
    /// One of NVIDIA's modules is there.
    fn coming(which: Which, target: &Target);
    /// One of NVIDIA's modules goes; its memory stays until this returns.
    fn going(which: Which, target: &Target);
}

/// The [`Events`] being told, until dropped.
pub struct Notifiers(());

impl Notifiers {
    /// Starts. Only one may exist.
    ///
    /// # Errors
    /// The kernel's error number.
    pub fn register() -> Result<Self, Errno> {
        // SAFETY: What is registered is static, and is unregistered by `drop`.
        check(unsafe { b::vu_notifiers_register() }).map(|()| Self(()))
    }
}

impl Drop for Notifiers {
    fn drop(&mut self) {
        // SAFETY: Registered by `register`. Returns when no event is under way any more, so no lock
        // that these take may be held.
        unsafe { b::vu_notifiers_unregister() };
    }
}

/// A module comes.
///
/// # Safety
/// Called in the course of the module's loading.
pub unsafe fn coming<E: Events>(which: b::vu_target, module: *mut b::module) {
    if let Some(which) = Which::of(which) {
        E::coming(which, &Target(module));
    }
}

/// A module goes.
///
/// # Safety
/// Called in the course of the module's unloading.
pub unsafe fn going<E: Events>(which: b::vu_target, module: *mut b::module) {
    if let Some(which) = Which::of(which) {
        E::going(which, &Target(module));
    }
}
