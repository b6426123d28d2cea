// SPDX-License-Identifier: GPL-2.0
//! Memory of the kernel's.

mod kbox;
mod kvec;
mod raw;

pub use kbox::KBox;
pub use kvec::{KVVec, KVec};

/// There is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

/// How memory is asked for.
pub mod flags {
    /// How memory is asked for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Flags(());

    /// The caller may sleep.
    pub const GFP_KERNEL: Flags = Flags(());
}

#[cfg(not(MODULE))]
pub use raw::testing;
