// SPDX-License-Identifier: GPL-2.0
//! Locks.
//!
//! Order: the module's mutex, then a spin lock. The mutex is taken in process context only (the
//! notifiers, the work, the status, our init and exit); spin locks also in probe handlers.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

use super::bindings as b;

/// Something that the module's one mutex protects.
///
/// There must be one static of this type only, for there is one mutex.
pub struct Mutexed<T>(UnsafeCell<T>);

// SAFETY: `lock` is the only way in, and holds the mutex.
unsafe impl<T: Send> Sync for Mutexed<T> {}

impl<T> Mutexed<T> {
    /// Protects `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Takes the mutex. May sleep.
    pub fn lock(&'static self) -> MutexGuard<T> {
        // SAFETY: The mutex is static; callers are in process context (see the file's head).
        unsafe { b::vu_lock() };
        MutexGuard(self)
    }
}

/// Gives the mutex back when dropped.
pub struct MutexGuard<T: 'static>(&'static Mutexed<T>);

impl<T> Deref for MutexGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The guard's existence means that the mutex is held.
        unsafe { &*self.0 .0.get() }
    }
}

impl<T> DerefMut for MutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: As above, and `&mut self` excludes another borrow through this guard.
        unsafe { &mut *self.0 .0.get() }
    }
}

impl<T> Drop for MutexGuard<T> {
    fn drop(&mut self) {
        // SAFETY: The guard was made by taking the mutex, in this task.
        unsafe { b::vu_unlock() };
    }
}

/// Something that a raw spin lock with interrupts off protects.
pub struct Spin<T> {
    lock: UnsafeCell<b::vu_spinlock>,
    value: UnsafeCell<T>,
}

// SAFETY: `with` is the only way in, and holds the lock.
unsafe impl<T: Send> Sync for Spin<T> {}
// SAFETY: The lock word may move while nobody holds it, and `with` borrows for as long as it does.
unsafe impl<T: Send> Send for Spin<T> {}

impl<T> Spin<T> {
    /// Protects `value`.
    pub fn new(value: T) -> Self {
        // SAFETY: Zeroes are a valid, unlocked raw spin lock; lockdep's class is set below.
        let lock = UnsafeCell::new(unsafe { core::mem::zeroed::<b::vu_spinlock>() });
        // SAFETY: The lock is ours and nobody else knows it yet.
        unsafe { b::vu_spin_init(lock.get()) };
        Self { lock, value: UnsafeCell::new(value) }
    }

    /// Runs `f` with the lock held; it must not sleep.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: The lock was initialised by `new`.
        let flags = unsafe { b::vu_spin_lock(self.lock.get()) };
        // SAFETY: The lock is held, and no reference leaves this function.
        let result = f(unsafe { &mut *self.value.get() });
        // SAFETY: Taken above, with these flags, on this CPU (interrupts are off).
        unsafe { b::vu_spin_unlock(self.lock.get(), flags) };
        result
    }
}
