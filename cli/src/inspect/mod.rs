// SPDX-License-Identifier: GPL-2.0
//! What the module would do to a driver, said about the driver's file.
//!
//! The finding is the module's own pure code; this is only what turns a file into the bytes that a
//! running kernel would show, and the answer into JSON.

mod driver_file;
mod input;
pub mod report;

use std::path::Path;

use anyhow::{Context, Result};
use vgpu_unlock::{
    capability::{
        Key, Magic, entry,
        image::Image,
        tables::{self, Tables},
        unlock::{self, BOARD_NAME_LEN, Entries},
    },
    driver::branch::{self, Branch, Change},
    host::HostCrypto,
    signature::Hits,
};

pub use driver_file::{DriverFile, parse_driver};
pub use input::object_file;
pub use report::{Report, Verdict};

use driver_file::Parsed;
use report::Action;

const TEXT: &str = ".text";
const RODATA: &str = ".rodata";

/// Says what the module would do to the driver in `path`, and to a board with this magic and key.
///
/// # Errors
/// The file cannot be read, or holds no whole object file.
pub fn inspect(path: &Path, board: Option<(Magic, Key)>) -> Result<Report> {
    let bytes = object_file(path)?;
    let parsed =
        driver_file::parse(&bytes).with_context(|| format!("reading {}", path.display()))?;
    Ok(match parsed {
        Parsed::Driver(driver) => of_driver(&driver, board),
        Parsed::Foreign(reason) => Report {
            driver: report::Driver { version: None },
            sites: vec![],
            capability_tables: None,
            unlock: board.map(|_| None),
            verdict: Verdict::Unsupported,
            reasons: vec![reason],
        },
    })
}

fn of_driver(driver: &DriverFile, board: Option<(Magic, Key)>) -> Report {
    let mut reasons = vec![];
    let branch = known_branch(driver).map_err(|reason| reasons.push(reason)).ok();
    let sites = match branch {
        Some(branch) => sites(branch, driver.text.as_deref(), &mut reasons),
        None => vec![],
    };
    let located = locate(driver).map_err(|reason| reasons.push(reason)).ok();
    let verdict = match branch {
        Some(branch) => {
            let all = sites.len() == branch.sites.len() && located.is_some();
            let any = !sites.is_empty() || located.is_some();
            match (all, any) {
                (true, _) => Verdict::Supported,
                (false, true) => Verdict::Partial,
                (false, false) => Verdict::Unsupported,
            }
        }
        None => Verdict::Unsupported,
    };
    let unlock = board.map(|board| {
        let (image, tables) = located.as_ref()?;
        match unlock(image, tables, board) {
            Ok((unlock, sibling)) => {
                reasons.extend(branch.and_then(|branch| unlisted(driver, branch, sibling)));
                Some(unlock)
            }
            Err(refusal) => {
                reasons.push(format!("Magic and key unlock nothing: {refusal}."));
                None
            }
        }
    });
    Report {
        driver: report::Driver { version: driver.version.as_ref().ok().map(ToString::to_string) },
        sites,
        capability_tables: located.map(|(_, tables)| report::Tables {
            section: RODATA,
            gpu_list_first: tables.gpu_list.first,
            gpu_list_count: tables.gpu_list.count,
            sacrificial_first: tables.sacrificial.first,
        }),
        unlock,
        verdict,
        reasons,
    }
}

fn known_branch(driver: &DriverFile) -> Result<&'static Branch, String> {
    let version = driver.version.as_ref().map_err(Clone::clone)?;
    branch::of(version).ok_or_else(|| {
        format!(
            "Nobody has proven what driver branch {} needs; known are {}.",
            version.branch,
            branch::KNOWN
        )
    })
}

/// The sites that are found; what is to be said of the others goes to `reasons`.
fn sites(branch: &Branch, text: Option<&[u8]>, reasons: &mut Vec<String>) -> Vec<report::Site> {
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

fn locate(driver: &DriverFile) -> Result<(Image<'_>, Tables), String> {
    let image = driver.rodata().ok_or_else(|| {
        format!("The file has no {RODATA}, so no capability tables can be found.")
    })?;
    let tables = tables::locate(&image)
        .map_err(|reason| format!("The capability tables cannot be told: {reason}."))?;
    Ok((image, tables))
}

/// The entries that would be written, and the device ID of the board that they belong to.
fn unlock(
    image: &Image<'_>,
    tables: &Tables,
    (magic, key): (Magic, Key),
) -> Result<(report::Unlock, u16), unlock::Refusal> {
    let mut crypto = HostCrypto::default();
    let mut entries = Entries::EMPTY;
    let board = unlock::prepare(image, tables, (&magic, &key), None, 0, &mut crypto, &mut entries)?;
    // What is shown is read back from the sealed entries, as the driver would read them.
    let entries =
        tables.sacrificial.offsets().zip(entries.as_slice()).filter_map(|(at, sealed)| {
            let (header, name) = entry::open::<BOARD_NAME_LEN>(sealed.blocks(), &mut crypto)?;
            Some(report::Entry {
                offset: at,
                device: id(header.device),
                subsystem: id(header.subsystem),
                name: name.as_str().to_owned(),
                signature: hex::encode(sealed.signature()),
            })
        });
    let unlock = report::Unlock {
        entries: entries.collect(),
        board: report::Board {
            device: id(board.header.device),
            subsystem: id(board.header.subsystem),
            name: board.name.as_str().to_owned(),
        },
        spoofed_device: id(board.sibling.device),
    };
    Ok((unlock, board.sibling.device))
}

/// A note for who wonders why an unlocked board has no profiles.
fn unlisted(driver: &DriverFile, branch: &Branch, device: u16) -> Option<String> {
    let version = driver.version.as_ref().ok()?;
    branch.unlisted.contains(&device).then(|| {
        format!(
            "Driver branch {} no longer lists {} itself, which the board is answered as: its \
             profiles have to come from an older branch's vgpuConfig.xml.",
            version.branch,
            id(device)
        )
    })
}

fn id(id: u16) -> String {
    format!("{id:#06x}")
}

#[cfg(test)]
mod tests;
