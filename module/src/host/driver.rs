// SPDX-License-Identifier: GPL-2.0
//! What `inspect` asks of what the module knows about drivers.

use crate::logic::capability::image::Image;
use crate::logic::driver::site::{Change, Site};

/// The branches that [`of`](crate::logic::driver::branch::of) knows, for messages.
pub const KNOWN_BRANCHES: &str = "450 to 510, 525, 535, 550, 555, 570 and 580";

impl Site {
    /// Where the site is said to be, given where its pattern was found: a function's own start,
    /// ENDBR included, or the pattern's first byte.
    pub fn start(&self, found: usize) -> usize {
        match self.change {
            Change::Return(_) => found.saturating_sub(ENDBR_LEN),
            Change::Store(_) => found,
        }
    }
}

/// Length of the ENDBR instruction that begins a function.
const ENDBR_LEN: usize = 4;

impl Image<'_> {
    /// The address of `offset`.
    pub fn address_of(&self, offset: usize) -> u64 {
        self.base.wrapping_add(offset as u64)
    }
}

/// A function that vGPU-Unlock-patcher (`nv_hooks.c`) adds to the driver, and that patches its text when it is
/// loaded.
pub const PATCHER: &[u8] = b"vup_hooks_init";
