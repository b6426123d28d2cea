// SPDX-License-Identifier: GPL-2.0
//! Counting what is under way.

use core::sync::atomic::{AtomicUsize, Ordering};

/// How many tasks are in the middle of something.
pub struct Count(AtomicUsize);

/// A task that is, until this is dropped.
pub struct Entered(&'static Count);

impl Count {
    /// Nobody.
    pub const ZERO: Self = Self(AtomicUsize::new(0));

    /// One more.
    pub fn enter(&'static self) -> Entered {
        self.0.fetch_add(1, Ordering::SeqCst);
        Entered(self)
    }

    /// Whether it is nobody.
    pub fn is_zero(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0 .0.fetch_sub(1, Ordering::SeqCst);
    }
}
