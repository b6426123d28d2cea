// SPDX-License-Identifier: GPL-2.0
//! What the log says about boards, so that nothing is said twice.

use crate::logic::gpu::Address;
use crate::logic::status::{Gpu, GpuState, MAX_GPUS};

/// How each board stood when there was a line about it.
pub struct Said([Option<(Address, GpuState)>; MAX_GPUS]);

impl Said {
    /// There was none.
    pub const NOTHING: Self = Self([None; MAX_GPUS]);

    /// Whether there is something new to say about a board; it counts as said then.
    pub fn is_news(&mut self, gpu: &Gpu) -> bool {
        let now = Some((gpu.address, gpu.state));
        if self.0.contains(&now) {
            return false;
        }
        let same = |slot: &&mut Option<(Address, GpuState)>| {
            slot.map_or(true, |(address, _)| address == gpu.address)
        };
        // Places are taken from the front and not given back, so its own one is met before a free one.
        let place = self.0.iter_mut().find(same);
        place.map(|place| *place = now).is_some()
    }
}
