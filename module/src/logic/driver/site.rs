// SPDX-License-Identifier: GPL-2.0
//! What a driver branch consists of: places in the driver's text where a device ID is judged, and how they
//! are made to judge otherwise.

use crate::logic::signature::{self, Hits, Pattern};

/// A place in the driver's text where a device ID is judged.
#[derive(Debug)]
pub struct Site {
    /// What the driver asks there.
    pub name: &'static str,
    /// Bytes that stand there and nowhere else.
    ///
    /// For a function they begin behind its 4-byte ENDBR, which the kernel may have sealed. Bytes
    /// that the kernel's module loader rewrites (relocations, calls to a retpoline) are holes.
    pub pattern: Pattern,
    /// What else must stand in the text, if anything.
    pub detour: Option<Detour>,
    /// What stands there instead where the driver was patched to answer otherwise by itself.
    pub patched: &'static [Pattern],
    /// How the driver is made to answer otherwise.
    pub change: Change,
}

/// How a site's answer is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The function returns this value at once. Taken at the pattern's first byte, where the
    /// function has not touched its stack yet.
    Return(u32),
    /// In the middle of a function, a local variable gets a value whatever was decided before.
    Store(Store),
}

/// A store in the middle of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// Where the change is taken, in bytes from the pattern's start: the conditional jump around the
    /// driver's own store, or to it.
    pub jump: u8,
    /// Where else: that store, if it is in line.
    pub stores: Option<u8>,
    /// The variable's place relative to `%rbp`, which the blob uses as a second stack pointer.
    pub displacement: u8,
    /// The value.
    pub value: u32,
    /// Where the driver goes on, in bytes from the pattern's start.
    pub resume: u8,
}

/// Instructions that a jump in a pattern leads to, and that lead back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// Where they are, in bytes from the pattern's start.
    pub at: u8,
    /// All of them but the jump back.
    pub bytes: &'static [u8],
    /// Where that leads, in bytes from the pattern's start.
    pub back: u8,
}

impl Detour {
    /// Whether it is in `text`, of a pattern that stands at `start`.
    fn stands(&self, text: &[u8], start: usize) -> bool {
        let at = start.saturating_add(self.at.into());
        let jump = match text.get(at..).and_then(|rest| rest.strip_prefix(self.bytes)) {
            Some(jump) => jump,
            None => return false,
        };
        // jmp by a byte, or by four; both count from their end.
        let (len, distance) = match *jump {
            [0xeb, by, ..] => (2, i8::from_le_bytes([by]).into()),
            [0xe9, a, b, c, d, ..] => (5, i32::from_le_bytes([a, b, c, d])),
            _ => return false,
        };
        let end = usize::from(self.at).saturating_add(self.bytes.len()).saturating_add(len);
        end.wrapping_add_signed(distance as isize) == usize::from(self.back)
    }
}

impl Site {
    /// Whether everything of the site is in `text`, whose pattern stands at `start`.
    pub fn is_whole(&self, text: &[u8], start: usize) -> bool {
        self.detour.map_or(true, |detour| detour.stands(text, start))
    }
}

/// The most sites a branch has.
pub const MAX_SITES: usize = 2;

/// What unlocks a driver branch.
#[derive(Debug)]
pub struct Branch {
    /// The sites, all of which must be found.
    pub sites: &'static [Site],
    /// The capability tables decide, too: a board needs entries in them.
    pub needs_tables: bool,
    /// How far the branch was seen to work.
    pub proof: Proof,
}

/// How far a branch was seen to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A driver of the branch was run by us, on an emulated board.
    Run,
    /// A driver's file was read by us.
    File,
    /// Bytes of drivers that others have published were read by us.
    Published,
}

impl Proof {
    /// One word for tools.
    pub fn word(self) -> &'static str {
        match self {
            Proof::Run => "run",
            Proof::File => "file",
            Proof::Published => "published",
        }
    }
}

impl Branch {
    /// Looks for every site in `text`. The answers are in the order of [`Branch::sites`].
    pub fn search(&self, text: &[u8]) -> [Hits; MAX_SITES] {
        match self.sites {
            [] => [Hits::None; MAX_SITES],
            [one] => {
                let [hit] = signature::search([&one.pattern], text);
                [hit, Hits::None]
            }
            [one, two, ..] => signature::search([&one.pattern, &two.pattern], text),
        }
    }
}

/// The board check's name, in every branch that has one.
pub const BOARD_CHECK: &str = "board check";
/// The second gate's name, likewise.
pub(super) const SECOND_GATE: &str = "second gate";

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn a_detour_stands_where_it_leads_back() {
        const STORE: [u8; 7] = [0xc7, 0x45, 0x0c, 0, 0, 0, 0];
        let far = Detour { at: 0xa5, bytes: &STORE, back: 8 };
        let near = Detour { at: 0x20, bytes: &STORE, back: 8 };
        let jump = |distance: i32| [&[0xe9], distance.to_le_bytes().as_slice()].concat();
        let other = [0xc7, 0x45, 0x08, 0, 0, 0, 0];
        for (detour, store, jump, stands) in [
            (far, STORE, jump(8 - 0xb1), true),
            (far, STORE, jump(11 - 0xb1), false),
            (far, STORE, jump(8), false),
            (far, other, jump(8 - 0xb1), false),
            // Conditional, called, or none.
            (far, STORE, vec![0x75, 0], false),
            (far, STORE, vec![0xe8, 0x57, 0xff, 0xff, 0xff], false),
            (near, STORE, vec![0xeb, 0xdf], true),
            (near, STORE, vec![0xeb, 0xe0], false),
            (near, STORE, jump(8 - 0x2c), true),
            (near, STORE, jump(i32::MIN), false),
        ] {
            for start in [0, 3, 100] {
                let mut text = vec![0x90; start + usize::from(detour.at)];
                text.extend(store.iter().chain(&jump));
                assert_eq!(detour.stands(&text, start), stands, "{detour:?} {jump:x?}");
                assert!(!detour.stands(&text[..text.len() - 1], start));
                assert!(!detour.stands(&text, start + 1));
            }
            assert!(!detour.stands(&[], usize::MAX));
        }
    }

    #[test]
    fn a_site_is_whole_with_what_its_pattern_leads_to() {
        const STORE: [u8; 7] = [0xc7, 0x45, 0x0c, 0, 0, 0, 0];
        let site = |detour| Site {
            name: BOARD_CHECK,
            pattern: Pattern::new("48 83 ec 08"),
            detour,
            patched: &[],
            change: Change::Return(0),
        };
        let led = site(Some(Detour { at: 0x20, bytes: &STORE, back: 8 }));
        let mut text = vec![0x90; 0x20];
        text.extend(STORE.iter().chain(&[0xeb, 0xdf]));
        assert!(led.is_whole(&text, 0));
        assert!(!led.is_whole(&text, 1));
        assert!(site(None).is_whole(&text, 1));
    }
}
