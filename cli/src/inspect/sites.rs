// SPDX-License-Identifier: GPL-2.0
//! The device-ID checks in a driver's text: those of its branch, and those of other branches, which
//! help who adds a branch.

use vgpu_unlock::{
    driver::{
        branch::{self, Branch, Change},
        version::Version,
    },
    signature::Hits,
};

use super::report::{self, Action, Resemblance};

const TEXT: &str = ".text";

/// The sites that are found; what is to be said of the others goes to `reasons`.
pub fn find(branch: &Branch, text: Option<&[u8]>, reasons: &mut Vec<String>) -> Vec<report::Site> {
    if branch.sites.is_empty() {
        return vec![];
    }
    let Some(text) = text else {
        reasons.push(format!("The file has no {TEXT}, so no device-ID check can be found."));
        return vec![];
    };
    let mut found = vec![];
    for (site, hits) in branch.sites.iter().zip(branch.search(text)) {
        match hits {
            Hits::One(at) if !site.is_whole(text, at) => reasons.push(format!(
                "The {}'s signature stands in {TEXT}, but what it jumps to is not what is known of it.",
                site.name
            )),
            Hits::One(at) => {
                let (action, value) = match site.change {
                    Change::Return(value) => (Action::Return, value),
                    Change::Store(store) => (Action::Store, store.value),
                };
                let (name, offset) = (site.name, site.start(at));
                found.push(report::Site { name, section: TEXT, offset, action, value });
            }
            Hits::None => {
                reasons.push(format!("The {}'s signature does not stand in {TEXT}.", site.name));
            }
            Hits::Many => reasons.push(format!(
                "The {}'s signature stands in {TEXT} more than once; which one is meant cannot be \
                 told.",
                site.name
            )),
        }
    }
    found
}

/// Where signatures of any branch stand in the text, apart from the sites that were found.
pub fn resemblances(text: &[u8], sites: &[report::Site]) -> Vec<Resemblance> {
    let mut found: Vec<(Resemblance, Hits)> = vec![];
    for (number, branch) in all() {
        for (site, hits) in branch.sites.iter().zip(branch.search(text)) {
            let offset = match hits {
                Hits::None => continue,
                Hits::One(at) => Some(site.start(at)),
                Hits::Many => None,
            };
            if sites.iter().any(|own| own.name == site.name && Some(own.offset) == offset) {
                continue;
            }
            // Branches share signatures.
            match found.iter_mut().find(|(known, at)| known.name == site.name && *at == hits) {
                Some((known, _)) => known.branches.push(number),
                None => {
                    let branches = vec![number];
                    found.push((
                        Resemblance { name: site.name, section: TEXT, offset, branches },
                        hits,
                    ));
                }
            }
        }
    }
    found.into_iter().map(|(resemblance, _)| resemblance).collect()
}

/// Every branch that has checks, with its number.
fn all() -> impl Iterator<Item = (u16, &'static Branch)> {
    (450..1000).filter_map(|number: u16| {
        let version = Version::parse(format!("{number}.0").as_bytes())?;
        branch::of(&version)
            .filter(|branch| !branch.sites.is_empty())
            .map(|branch| (number, branch))
    })
}
