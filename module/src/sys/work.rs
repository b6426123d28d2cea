// SPDX-License-Identifier: GPL-2.0
//! Something to do later, in process context.

use super::bindings as b;

/// What is done.
pub trait Job {
    /// Does it. May sleep.
    fn run();
}

/// Has the [`Job`] done soon. Callable from any context but an INT3 trap.
pub fn schedule() {
    // SAFETY: The work is static.
    unsafe { b::vu_work_schedule() };
}

/// Takes back what was scheduled, or waits for its end. No lock that the job takes may be held.
pub fn cancel() {
    // SAFETY: Process context.
    unsafe { b::vu_work_cancel() };
}
