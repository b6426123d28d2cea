// SPDX-License-Identifier: GPL-2.0
//! What a module is to the kernel.

use core::cell::UnsafeCell;

use crate::error::Result;

/// The module itself.
pub struct ThisModule(());

/// A module: made when it is loaded, dropped when it is unloaded.
pub trait Module: Sized + Sync + Send {
    /// Loads.
    ///
    /// # Errors
    /// The module is not loaded. Nothing may be left behind.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// Keeps the module from its init to its exit; for [`crate::module!`] only.
pub struct Holder<M>(UnsafeCell<Option<M>>);

// SAFETY: Only init and exit look inside, and the kernel calls one after the other.
unsafe impl<M: Send> Sync for Holder<M> {}

impl<M: Module> Holder<M> {
    /// No module yet.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// The module's init.
    ///
    /// # Safety
    /// Called once, by the kernel.
    pub unsafe fn init(&self) -> i32 {
        static THIS: ThisModule = ThisModule(());
        match M::init(&THIS) {
            Ok(module) => {
                // SAFETY: Nobody else looks inside before the exit.
                unsafe { *self.0.get() = Some(module) };
                0
            }
            Err(error) => error.to_errno(),
        }
    }

    /// The module's exit.
    ///
    /// # Safety
    /// Called once, by the kernel, after an init that went well.
    pub unsafe fn exit(&self) {
        // SAFETY: Nobody else looks inside any more.
        drop(unsafe { (*self.0.get()).take() });
    }
}

impl<M: Module> Default for Holder<M> {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a type the module. The C side (shim/entry.c) hands its init and exit to the kernel.
#[macro_export]
macro_rules! module {
    (
        type: $type:ty,
        name: $name:literal,
        authors: [$author:literal],
        description: $description:literal,
        license: $license:literal $(,)?
    ) => {
        static MODULE: $crate::Holder<$type> = $crate::Holder::new();

        #[no_mangle]
        extern "C" fn vu_init() -> core::ffi::c_int {
            // SAFETY: C calls this as the module's init.
            unsafe { MODULE.init() }
        }

        #[no_mangle]
        extern "C" fn vu_exit() {
            // SAFETY: C calls this as the module's exit.
            unsafe { MODULE.exit() };
        }

        $crate::module_info!(vu_info_author, "author=", $author);
        $crate::module_info!(vu_info_description, "description=", $description);
        $crate::module_info!(vu_info_license, "license=", $license);
    };
}

/// A string in the section that `modinfo` reads.
#[doc(hidden)]
#[macro_export]
macro_rules! module_info {
    ($item:ident, $key:literal, $value:literal) => {
        // By its name it stays, although nobody uses it. `#[used]` would give the section a flag that sets it
        // apart from C's.
        #[no_mangle]
        #[link_section = ".modinfo"]
        #[allow(non_upper_case_globals)]
        pub static $item: [u8; concat!($key, $value, "\0").len()] = {
            let from = concat!($key, $value, "\0").as_bytes();
            let mut text = [0; concat!($key, $value, "\0").len()];
            let mut i = 0;
            while i < text.len() {
                text[i] = from[i];
                i += 1;
            }
            text
        };
    };
}
