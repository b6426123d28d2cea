// SPDX-License-Identifier: GPL-2.0
//! Driver branches: which device-ID checks each has, and what is done about them.
//!
//! One file a branch; this one chooses. Nothing above knows which branch it has.

mod tables_only;
mod v525;
mod v535;
mod v550;

pub use super::site::{Branch, Change, Proof, Site};

use super::version::Version;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::driver::site::MAX_SITES;

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
