// SPDX-License-Identifier: GPL-2.0
//! Do Rust and C agree on what the kernel's structures look like?
//!
//! bindgen reads the headers with another compiler than the kernel is built with. What they might
//! disagree on would be silent damage, so the sizes are compared before anything is used.

use core::mem::size_of;

use super::bindings as b;

/// Whether all sizes agree.
pub fn is_sound() -> bool {
    let ours = [
        size_of::<b::kprobe>(),
        size_of::<b::kretprobe>(),
        size_of::<b::ftrace_ops>(),
        size_of::<b::notifier_block>(),
        size_of::<b::callback_head>(),
        size_of::<b::vu_spinlock>(),
        size_of::<b::vu_crypto>(),
        size_of::<b::pt_regs>(),
    ];
    let mut theirs = [0; b::VU_SIZES as usize];
    // SAFETY: Fills as many as there are.
    unsafe { b::vu_sizes(theirs.as_mut_ptr()) };
    ours == theirs
}
