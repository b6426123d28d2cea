// SPDX-License-Identifier: GPL-2.0
//! Something to do later, in process context.

use super::bindings as b;

/// Has [`crate::unlock::lifecycle::settle`] called soon. Callable from any context but an INT3 trap.
pub fn schedule() {
    // SAFETY: The work is static.
    unsafe { b::vu_work_schedule() };
}

/// Takes back what was scheduled, or waits for its end. The module's mutex must not be held.
pub fn cancel() {
    // SAFETY: Process context.
    unsafe { b::vu_work_cancel() };
}

#[no_mangle]
extern "C" fn vu_work_run() {
    crate::unlock::lifecycle::settle();
}
