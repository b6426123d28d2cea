// SPDX-License-Identifier: GPL-2.0
//! Recognising magic and key among the copies that the driver makes out of a board's BAR3.

use super::{Key, Magic, MAGIC_LEN};

/// What has been seen of one board.
///
/// The first 16-byte copy whose bytes are a magic of the GPU list is the magic, the next one is the
/// key. Then it starts over: a driver that tries again with a board that was refused is watched
/// again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    magic: Option<Magic>,
}

impl Watch {
    /// Takes the bytes of a copy. Returns magic and key once both are known.
    ///
    /// `is_listed` says whether 16 bytes are a magic of the GPU list.
    pub fn see(
        &mut self,
        bytes: [u8; MAGIC_LEN],
        is_listed: impl FnOnce(&Magic) -> bool,
    ) -> Option<(Magic, Key)> {
        if let Some(magic) = self.magic.take() {
            return Some((magic, bytes));
        }
        if is_listed(&bytes) {
            self.magic = Some(bytes);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: Magic = [7; 16];
    const KEY: Key = [9; 16];

    fn listed(magic: &Magic) -> bool {
        *magic == MAGIC
    }

    #[test]
    fn the_copy_behind_a_listed_magic_is_the_key() {
        let mut watch = Watch::default();
        assert_eq!(watch.see([1; 16], listed), None);
        assert_eq!(watch.see(KEY, listed), None);
        assert_eq!(watch.see(MAGIC, listed), None);
        assert_eq!(watch.see(KEY, listed), Some((MAGIC, KEY)));
    }

    #[test]
    fn it_starts_over() {
        let mut watch = Watch::default();
        watch.see(MAGIC, listed);
        watch.see([3; 16], listed);
        assert_eq!(watch.see(KEY, listed), None);
        watch.see(MAGIC, listed);
        assert_eq!(watch.see(KEY, listed), Some((MAGIC, KEY)));
    }
}
