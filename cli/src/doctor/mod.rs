// SPDX-License-Identifier: GPL-2.0
//! `doctor`: the whole way from the board to a vGPU, link by link, up to the first that is broken.
//!
//! One file for each group of links. A link only looks; what it needs of the host it asks
//! [`Facts`], so that nothing is read twice and all see the same.

mod board;
mod config;
mod console;
mod daemons;
mod driver;
mod errors;
mod facts;
mod finding;
mod leftovers;
mod module;
mod nvidia;
mod overrides;
mod platform;
mod report;
mod secure_boot;
mod types;
mod unlocked;
mod vgpus;

use crate::host::{Host, Seen};

pub use finding::{Finding, State};
pub use report::{Report, Result as LinkResult, Verdict};

use facts::Facts;

/// A link of the way.
struct Link {
    /// What programs call it.
    id: &'static str,
    /// What people call it.
    name: &'static str,
    /// Looks at it.
    look: fn(&Facts<'_>) -> Seen<Vec<Finding>>,
}

/// All of them, in the order in which one needs the other.
const LINKS: [Link; 21] = [
    Link { id: "virtualisation", name: "CPU virtualisation", look: platform::virtualisation },
    Link { id: "iommu", name: "IOMMU", look: platform::iommu },
    Link { id: "board", name: "board", look: board::present },
    Link { id: "holder", name: "board's driver", look: board::holder },
    Link { id: "console", name: "console", look: console::console },
    Link { id: "nouveau", name: "nouveau", look: board::nouveau },
    Link { id: "driver", name: "NVIDIA's driver", look: driver::installed },
    Link { id: "flavour", name: "driver's flavour", look: driver::flavour },
    Link { id: "host-package", name: "vGPU host package", look: driver::host_package },
    Link { id: "version", name: "driver's version", look: driver::version },
    Link { id: "leftovers", name: "older unlocks", look: leftovers::leftovers },
    Link { id: "built", name: "vgpu_unlock built", look: module::built },
    Link { id: "signed", name: "Secure Boot", look: secure_boot::signed },
    Link { id: "loaded", name: "vgpu_unlock loaded", look: module::loaded },
    Link { id: "unlocked", name: "unlocked", look: unlocked::unlocked },
    Link { id: "overrides", name: "overrides.toml", look: overrides::overrides },
    Link { id: "daemons", name: "NVIDIA's daemons", look: daemons::daemons },
    Link { id: "config", name: "vgpuConfig.xml", look: config::config },
    Link { id: "types", name: "vGPU types", look: types::types },
    Link { id: "vgpus", name: "vGPUs", look: vgpus::vgpus },
    Link { id: "journal", name: "daemons' errors", look: errors::errors },
];

/// Walks the way. With `all`, it goes on behind a link that is broken.
pub fn examine(host: &Host, all: bool) -> Report {
    let facts = Facts::new(host);
    let mut broken = None;
    let mut results = vec![];
    for link in &LINKS {
        let findings = match broken {
            Some(name) if !all => {
                vec![Finding::not_asked(format!("not asked, because of: {name}"))]
            }
            _ => (link.look)(&facts).unwrap_or_else(|unseen| vec![unseen.into()]),
        };
        let result = LinkResult::new(link.id, link.name, findings);
        if result.state == State::Broken {
            broken.get_or_insert(link.name);
        }
        results.push(result);
    }
    let distribution =
        facts.distribution().map_or_else(|unseen| unseen.to_string(), |d| d.name.clone());
    let kernel = facts.kernel().map_or_else(|unseen| unseen.to_string(), |k| k.release.clone());
    Report { distribution, kernel, links: results }
}

#[cfg(test)]
pub(crate) mod tests;
