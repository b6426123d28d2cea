// SPDX-License-Identifier: GPL-2.0
//! Driver branches: which device-ID checks each has, and what is done about them.
//!
//! One file a branch; this one chooses. Nothing above knows which branch it has.

mod tables_only;
mod v525;
mod v535;
mod v550;
mod v555;
mod v570;
mod v580;

pub use super::site::{Branch, Change, Proof, Site};

use super::version::Version;

/// Chooses the branch of a driver version; `None` where nobody has proven what it needs.
pub fn of(version: &Version) -> Option<&'static Branch> {
    match version.branch {
        450 | 460 | 470 => Some(&tables_only::RUN),
        450..=510 => Some(&tables_only::NOT_RUN),
        525 => Some(&v525::BRANCH),
        535 => Some(&v535::BRANCH),
        550 => Some(&v550::BRANCH),
        555 => Some(&v555::BRANCH),
        570 => Some(&v570::BRANCH),
        580 => Some(&v580::BRANCH),
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
            ("555.58.02", Some(2)),
            ("560.35.03", None),
            ("570.124.03", Some(2)),
            ("575.57.08", None),
            ("580.95.02", Some(2)),
            ("590.44.01", None),
        ] {
            let version = Version::parse(text.as_bytes()).unwrap();
            assert_eq!(of(&version).map(|b| b.sites.len()), sites, "{text}");
        }
    }

    /// Those that `xtask`'s scenarios boot.
    #[test]
    fn what_was_run_is_said_to_be() {
        let proof = |number| numbered(number).map(|branch| branch.proof);
        for number in [450, 460, 470, 525, 535, 550, 555] {
            assert_eq!(proof(number), Some(Proof::Run), "{number}");
        }
        for (number, expected) in
            [(510, Proof::File), (570, Proof::Published), (580, Proof::Published)]
        {
            assert_eq!(proof(number), Some(expected), "{number}");
        }
    }

    fn numbered(number: u16) -> Option<&'static Branch> {
        of(&Version::parse(std::format!("{number}.0").as_bytes())?)
    }

    #[test]
    fn every_branch_fits_into_the_answer() {
        for branch in (450..1000).filter_map(numbered) {
            assert!(branch.sites.len() <= MAX_SITES);
        }
    }
}
