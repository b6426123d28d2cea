// SPDX-License-Identifier: GPL-2.0
//! One value in memory of the kernel's.

use core::mem::{size_of, ManuallyDrop};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::flags::Flags;
use super::raw::{self, Aligned};
use super::AllocError;

/// Owns a value that lies in memory of the kernel's.
///
/// Invariant: points to a valid `T` that is ours, in an allocation of its own where `T` has a size.
pub struct KBox<T>(NonNull<T>);

// SAFETY: Owns its value, as a `T` does.
unsafe impl<T: Send> Send for KBox<T> {}
// SAFETY: As above.
unsafe impl<T: Sync> Sync for KBox<T> {}

impl<T> KBox<T> {
    /// Moves a value there.
    ///
    /// # Errors
    /// There is no memory; the value is dropped.
    pub fn new(value: T, _: Flags) -> Result<Self, AllocError> {
        let () = Aligned::<T>::OK;
        let memory = match size_of::<T>() {
            0 => NonNull::dangling(),
            // SAFETY: Without an old one.
            size => unsafe { raw::realloc(None, size) }?.cast::<T>(),
        };
        // SAFETY: Room for a `T`, and aligned for it.
        unsafe { memory.as_ptr().write(value) };
        // INVARIANT: Just written, and nobody else knows it.
        Ok(Self(memory))
    }

    /// Gives the value up: it is never dropped, and its memory never given back.
    pub fn leak<'a>(this: Self) -> &'a mut T
    where
        T: 'a,
    {
        let this = ManuallyDrop::new(this);
        // SAFETY: The type's invariant, and nobody is left who could free it.
        unsafe { &mut *this.0.as_ptr() }
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The type's invariant.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The type's invariant.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for KBox<T> {
    fn drop(&mut self) {
        // SAFETY: The type's invariant; it is not used any more.
        unsafe { self.0.as_ptr().drop_in_place() };
        if size_of::<T>() != 0 {
            // SAFETY: `new` has allocated it.
            unsafe { raw::free(self.0.cast()) };
        }
    }
}
