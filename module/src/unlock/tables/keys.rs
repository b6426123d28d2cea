// SPDX-License-Identifier: GPL-2.0
//! Magic and key of boards, as long as the load of the driver lives that has read them: it does not read
//! them again for an attachment that comes later.

use crate::logic::capability::{Key, Magic, MAGIC_LEN};
use crate::logic::gpu::{Address, Ids};
use crate::logic::status::MAX_GPUS;

/// A board, whatever sits at its place later.
pub type Which = (Address, Ids);

/// What is known of boards. Under the life cycle's mutex.
pub struct Keys([Option<(Which, Magic, Key)>; MAX_GPUS]);

impl Keys {
    /// Nothing.
    pub const NONE: Self = Self([None; MAX_GPUS]);

    /// Remembers what the driver has read of a board.
    pub fn remember(&mut self, board: Which, (magic, key): (Magic, Key)) {
        let same = |slot: &&mut Option<(Which, Magic, Key)>| {
            slot.map_or(false, |(known, ..)| known == board)
        };
        let place = match self.0.iter_mut().find(same) {
            Some(known) => Some(known),
            None => self.0.iter_mut().find(|slot| slot.is_none()),
        };
        if let Some(place) = place {
            *place = Some((board, magic, key));
        }
    }

    /// What is known of a board.
    pub fn of(&self, board: Which) -> Option<(Magic, Key)> {
        let mut known = self.0.iter().flatten();
        known.find(|(of, ..)| *of == board).map(|(_, magic, key)| (*magic, *key))
    }

    /// Forgets everything: the load of the driver goes.
    pub fn forget(&mut self) {
        for slot in self.0.iter_mut().flatten() {
            (slot.1, slot.2) = ([0; MAGIC_LEN], [0; MAGIC_LEN]);
        }
        *self = Self::NONE;
    }
}
