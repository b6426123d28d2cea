// SPDX-License-Identifier: GPL-2.0
//! Locks.
//!
//! Order: the mutex of vGPUs that are being created, the life cycle's, the types', the answers', that of
//! what was told, that of `nvidia-vgpud`, the settings', a spin lock. Mutexes are taken in process context only (notifiers, work,
//! task work, status, parameters, sysfs, our init and exit); spin locks also in probe handlers. The shim has one
//! more of its own (`rest.c`), with which none of these is taken.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::bindings as b;

/// Which of the shim's mutexes.
pub trait Which {
    /// Its number there.
    const MUTEX: b::vu_mutex;
}

macro_rules! mutexes {
    ($($(#[$doc:meta])+ $name:ident = $which:ident;)+) => {$(
        $(#[$doc])+
        pub struct $name;

        impl Which for $name {
            const MUTEX: b::vu_mutex = b::$which;
        }
    )+};
}

mutexes! {
    /// The mutex of the life cycle.
    LifecycleMutex = vu_mutex_VU_LIFECYCLE;
    /// The mutex of vGPUs that are being created. Held while the driver creates one, so whoever holds
    /// another one does not take it.
    CreateMutex = vu_mutex_VU_CREATE;
    /// The mutex of registered mdev types.
    TypesMutex = vu_mutex_VU_TYPES;
    /// The mutex of answers to RM control calls.
    AnswersMutex = vu_mutex_VU_ANSWERS;
    /// The mutex of what the daemons were told last.
    ToldMutex = vu_mutex_VU_TOLD;
    /// The mutex of what becomes of boards in `nvidia-vgpud`.
    VgpudMutex = vu_mutex_VU_VGPUD;
    /// The mutex of the user's settings.
    SettingsMutex = vu_mutex_VU_SETTINGS;
}

/// Something that one of the shim's mutexes protects.
///
/// Invariant: there is one static for each `W`, since the shim has one mutex for it.
pub struct Mutexed<T, W: Which> {
    value: UnsafeCell<T>,
    which: PhantomData<W>,
}

// SAFETY: `lock` is the only way in, and holds the mutex.
unsafe impl<T: Send, W: Which> Sync for Mutexed<T, W> {}

impl<T, W: Which> Mutexed<T, W> {
    /// Protects `value`.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), which: PhantomData }
    }

    /// Takes the mutex. May sleep.
    pub fn lock(&'static self) -> MutexGuard<T, W> {
        // SAFETY: The mutex is static; callers are in process context (see the file's head).
        unsafe { b::vu_lock(W::MUTEX) };
        MutexGuard(self)
    }
}

/// Gives the mutex back when dropped.
pub struct MutexGuard<T: 'static, W: Which + 'static>(&'static Mutexed<T, W>);

impl<T, W: Which> Deref for MutexGuard<T, W> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The guard's existence means that the mutex is held.
        unsafe { &*self.0.value.get() }
    }
}

impl<T, W: Which> DerefMut for MutexGuard<T, W> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: As above, and `&mut self` excludes another borrow through this guard.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T, W: Which> Drop for MutexGuard<T, W> {
    fn drop(&mut self) {
        // SAFETY: The guard was made by taking the mutex, in this task.
        unsafe { b::vu_unlock(W::MUTEX) };
    }
}

/// Something that a raw spin lock with interrupts off protects.
pub struct Spin<T> {
    lock: NonNull<b::vu_spinlock>,
    value: UnsafeCell<T>,
}

// SAFETY: `with` is the only way in, and holds the lock.
unsafe impl<T: Send> Sync for Spin<T> {}
// SAFETY: The lock lies elsewhere, and `with` borrows the value for as long as it holds it.
unsafe impl<T: Send> Send for Spin<T> {}

impl<T> Spin<T> {
    /// Protects `value`. `None` without memory.
    pub fn new(value: T) -> Option<Self> {
        // SAFETY: Allocates.
        let lock = NonNull::new(unsafe { b::vu_spin_new() })?;
        Some(Self { lock, value: UnsafeCell::new(value) })
    }

    /// Runs `f` with the lock held; it must not sleep, and what it drops must not free anything.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: The lock is there until we are dropped.
        let flags = unsafe { b::vu_spin_lock(self.lock.as_ptr()) };
        // SAFETY: The lock is held, and no reference leaves this function.
        let result = f(unsafe { &mut *self.value.get() });
        // SAFETY: Taken above, with these flags, on this CPU (interrupts are off).
        unsafe { b::vu_spin_unlock(self.lock.as_ptr(), flags) };
        result
    }
}

impl<T> Drop for Spin<T> {
    fn drop(&mut self) {
        // SAFETY: Allocated by `new`, and nobody can hold it any more.
        unsafe { b::vu_spin_free(self.lock.as_ptr()) };
    }
}
