// SPDX-License-Identifier: GPL-2.0
//! Waiting for what takes moments.

use crate::sys::clock;

/// How often is looked.
pub const POLL_MS: u32 = 10;
/// How long something that takes moments is waited for.
pub const PATIENCE_MS: u32 = 2_000;

/// Waits until `ready` has something, or too long.
pub fn soon<T>(ready: impl Fn() -> Option<T>) -> Option<T> {
    (0..PATIENCE_MS / POLL_MS).find_map(|_| {
        let found = ready();
        if found.is_none() {
            clock::sleep_ms(POLL_MS);
        }
        found
    })
}
