// SPDX-License-Identifier: GPL-2.0
//! Driver branches: which device-ID checks each has, and what is done about them.
//!
//! One file a branch; this one chooses. Nothing above knows which branch it has.

mod tables_only;
mod v525;
mod v535;
mod v550;

use super::version::Version;
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

impl Site {
    /// Where the site is said to be, given where its pattern was found: a function's own start,
    /// ENDBR included, or the pattern's first byte.
    pub fn start(&self, found: usize) -> usize {
        match self.change {
            Change::Return(_) => found.saturating_sub(ENDBR_LEN),
            Change::Store(_) => found,
        }
    }
}

/// Length of the ENDBR instruction that begins a function.
const ENDBR_LEN: usize = 4;

/// The most sites a branch has.
pub const MAX_SITES: usize = 2;

/// What unlocks a driver branch.
#[derive(Debug)]
pub struct Branch {
    /// The sites, all of which must be found.
    pub sites: &'static [Site],
    /// Boards that are answered for others, but that this branch's own check no longer lists (PCI
    /// device IDs). The unlock works all the same; profiles for them come from an older branch.
    pub unlisted: &'static [u16],
}

/// The branches that [`of`] knows, for messages.
pub const KNOWN: &str = "450 to 510, 525, 535 and 550";

/// Chooses the branch of a driver version; `None` where nobody has proven what it needs.
pub fn of(version: &Version) -> Option<&'static Branch> {
    match version.branch {
        450..=510 => Some(&tables_only::BRANCH),
        525 => Some(&v525::BRANCH),
        535 => Some(&v535::BRANCH),
        550 => Some(&v550::BRANCH),
        _ => None,
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
const SECOND_GATE: &str = "second gate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_choose_their_branch() {
        for (text, sites) in [
            ("450.248.02", Some(0)),
            ("470.256.02", Some(0)),
            ("510.108.03", Some(0)),
            ("525.147.05", Some(2)),
            ("535.216.03", Some(2)),
            ("550.163.01", Some(2)),
            ("418.226.00", None),
            ("555.58.02", None),
            ("570.86.15", None),
        ] {
            let version = Version::parse(text.as_bytes()).unwrap();
            assert_eq!(of(&version).map(|b| b.sites.len()), sites, "{text}");
        }
    }

    #[test]
    fn every_branch_fits_into_the_answer() {
        for branch in [&tables_only::BRANCH, &v525::BRANCH, &v535::BRANCH, &v550::BRANCH] {
            assert!(branch.sites.len() <= MAX_SITES);
        }
    }
}
