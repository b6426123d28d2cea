// SPDX-License-Identifier: GPL-2.0
//! The NVIDIA GPUs on the PCI bus.

use super::bindings as b;
use crate::logic::gpu::Address;

/// A GPU, as the bus knows it.
pub use b::vu_gpu as Gpu;

/// All NVIDIA GPUs, in bus order.
pub fn gpus() -> impl Iterator<Item = Gpu> {
    (0..).map_while(|index| {
        // SAFETY: Plain numbers, for which zero is a value.
        let mut gpu: Gpu = unsafe { core::mem::zeroed() };
        // SAFETY: Fills what it is given.
        unsafe { b::vu_gpu(index, &mut gpu) }.then_some(gpu)
    })
}

impl From<&Gpu> for Address {
    fn from(gpu: &Gpu) -> Self {
        Self { domain: gpu.domain, bus: gpu.bus, slot: gpu.slot, function: gpu.function }
    }
}
