// SPDX-License-Identifier: GPL-2.0
//! vgpu_unlock: vGPU on boards that NVIDIA does not list.
//!
//! The root of the kernel module. It lists, registers and tears down; docs/architecture.md says
//! what is where and why.

// The kernel's lints, and what the pure files are promised by lib.rs.
#![deny(unsafe_op_in_unsafe_fn)]
// The kernel wants `pub(crate)`; but the pure files are public for cargo, and one rule is enough.
#![allow(unreachable_pub)]

use kernel::prelude::*;

mod logic;
mod sys;
mod unlock;

#[cfg(not(vu_authors))]
module! {
    type: VgpuUnlock,
    name: "vgpu_unlock",
    author: "The vgpu_unlock developers",
    description: "Unlocks NVIDIA's vGPU host driver for boards that it does not list",
    license: "GPL",
}

#[cfg(vu_authors)]
module! {
    type: VgpuUnlock,
    name: "vgpu_unlock",
    authors: ["The vgpu_unlock developers"],
    description: "Unlocks NVIDIA's vGPU host driver for boards that it does not list",
    license: "GPL",
}

sys::events::events! {
    modules: unlock::events::Events,
    boards: unlock::events::Events,
    work: unlock::events::Events,
    answers: unlock::events::Events,
    copies: unlock::tables::Unlocker,
    files: unlock::events::Events,
    parameters: unlock::events::Events,
    types: unlock::events::Events,
}

struct VgpuUnlock {
    /// Present from the start of our life to its end.
    sources: Option<unlock::events::Sources>,
}

impl kernel::Module for VgpuUnlock {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let sources = unlock::events::start().map_err(|errno| Error::from_errno(errno))?;
        Ok(Self { sources: Some(sources) })
    }
}

impl Drop for VgpuUnlock {
    fn drop(&mut self) {
        if let Some(sources) = self.sources.take() {
            unlock::events::stop(sources);
        }
    }
}
