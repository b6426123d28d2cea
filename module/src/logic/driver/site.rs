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
    /// Where the change is taken, in bytes from the pattern's start: the conditional jump around
    /// the driver's own store, and that store.
    pub at: [u8; 2],
    /// The variable's place relative to `%rbp`, which the blob uses as a second stack pointer.
    pub displacement: u8,
    /// The value.
    pub value: u32,
    /// Where the driver goes on, in bytes from the pattern's start.
    pub resume: u8,
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
