// SPDX-License-Identifier: GPL-2.0
//! The end. No code of the module's can come here; that of `core` is told not to (scripts/rust-flags).

extern "C" {
    fn vu_bug() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: Stops the task that came here.
    unsafe { vu_bug() }
}
