// SPDX-License-Identifier: GPL-2.0
//! Values in a row, in memory of the kernel's.

use core::mem::size_of;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::flags::Flags;
use super::raw::{self, Aligned};
use super::AllocError;

/// Owns values that lie in a row in memory of the kernel's.
///
/// Invariant: points to `len` valid values that are ours, with room for `capacity`; in an allocation where
/// that is not 0. Where `T` has no size, nothing is allocated and `capacity` stays 0.
pub struct KVec<T> {
    first: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: Owns its values, as an array does.
unsafe impl<T: Send> Send for KVec<T> {}
// SAFETY: As above.
unsafe impl<T: Sync> Sync for KVec<T> {}

/// What is long need not lie in one piece; here that goes for every vector.
pub type KVVec<T> = KVec<T>;

/// Room for as many values is made at first.
const FIRST: usize = 4;

impl<T> KVec<T> {
    /// Without any value.
    pub const fn new() -> Self {
        Self { first: NonNull::dangling(), len: 0, capacity: 0 }
    }

    /// Appends a value.
    ///
    /// # Errors
    /// There is no memory; the value is dropped, the others stay as they are.
    pub fn push(&mut self, value: T, _: Flags) -> Result<(), AllocError> {
        let len = self.len.checked_add(1).ok_or(AllocError)?;
        if size_of::<T>() != 0 && self.len == self.capacity {
            self.grow(len)?;
        }
        // SAFETY: There is room behind the last value.
        unsafe { self.first.as_ptr().add(self.len).write(value) };
        self.len = len;
        Ok(())
    }

    /// Appends copies of values.
    ///
    /// # Errors
    /// There is no memory; nothing is appended.
    pub fn extend_from_slice(&mut self, values: &[T], flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        let len = self.len.checked_add(values.len()).ok_or(AllocError)?;
        if size_of::<T>() != 0 && len > self.capacity {
            self.grow(len)?;
        }
        // There is room for all of them.
        values.iter().try_for_each(|value| self.push(value.clone(), flags))
    }

    /// Makes room for twice as many, or for as many as there have to be.
    fn grow(&mut self, least: usize) -> Result<(), AllocError> {
        let () = Aligned::<T>::OK;
        let twice = self.capacity.checked_mul(2).ok_or(AllocError)?;
        let capacity = twice.max(FIRST).max(least);
        let size = capacity.checked_mul(size_of::<T>()).ok_or(AllocError)?;
        // A pointer cannot be moved further than this.
        if size > isize::MAX as usize {
            return Err(AllocError);
        }
        let had = self.capacity.saturating_mul(size_of::<T>());
        let old = (self.capacity != 0).then_some((self.first.cast(), had));
        // SAFETY: The type's invariant: an allocation, or none.
        self.first = unsafe { raw::realloc(old, size) }?.cast();
        self.capacity = capacity;
        Ok(())
    }
}

impl<T> Default for KVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: The type's invariant.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: The type's invariant.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for KVec<T> {
    fn drop(&mut self) {
        let values: *mut [T] = &mut **self;
        // SAFETY: The type's invariant; they are not used any more.
        unsafe { values.drop_in_place() };
        if self.capacity != 0 {
            // SAFETY: `grow` has allocated it.
            unsafe { raw::free(self.first.cast()) };
        }
    }
}

impl<'a, T> IntoIterator for &'a KVec<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
