// SPDX-License-Identifier: GPL-2.0
//! The time, and letting it pass.

use super::bindings as b;

/// Nanoseconds since boot.
pub fn now_ns() -> u64 {
    // SAFETY: Reads a clock.
    unsafe { b::vu_now() }
}

/// Microseconds since boot.
pub fn now_us() -> u64 {
    now_ns() / 1000
}

/// Sleeps.
pub fn sleep_ms(ms: u32) {
    // SAFETY: Whoever sleeps is in process context.
    unsafe { b::vu_sleep_ms(ms) };
}

/// Never returns.
pub fn sleep_for_ever() -> ! {
    loop {
        sleep_ms(60_000);
    }
}
