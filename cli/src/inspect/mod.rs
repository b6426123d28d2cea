// SPDX-License-Identifier: GPL-2.0
//! What the module would do to a driver, said about the driver's file.
//!
//! The finding is the module's own pure code; this is only what turns a file into the bytes that a
//! running kernel would show, and the answer into JSON.

mod daemon;
mod driver_file;
mod id;
mod input;
mod listed;
pub mod report;
mod sites;

use std::path::Path;

use anyhow::{Context, Result};
use vgpu_unlock::{
    capability::{
        Key, Magic, entry,
        image::Image,
        tables::{self, Tables},
        unlock::{self, BOARD_NAME_LEN, Entries},
    },
    driver::{
        branch::{self, Branch, Proof},
        stranger,
    },
    gpu,
    host::HostCrypto,
    rm_control::layout,
    status::Reason,
};

pub use driver_file::{DriverFile, parse_driver};
pub use input::object_file;
pub use report::{Report, Verdict};

use driver_file::{Flavour, Parsed};
use id::id;
use input::{Contents, Found};
use report::Listed;

use crate::release;

const RODATA: &str = ".rodata";

/// Says what the module would do to the driver in `path`, and to a board with this magic and key.
///
/// # Errors
/// The file cannot be read, or holds no whole object file.
pub fn inspect(path: &Path, board: Option<(Magic, Key)>) -> Result<Report> {
    let contents = input::contents(path)?;
    of_contents(&contents, board).with_context(|| format!("reading {}", path.display()))
}

fn of_contents(contents: &Contents, board: Option<(Magic, Key)>) -> Result<Report> {
    // A package may have the same driver for several machines.
    let any_fits = contents.drivers.iter().any(|found| input::is_x86_64(&found.bytes));
    let fitting = contents.drivers.iter().filter(|f| !any_fits || input::is_x86_64(&f.bytes));
    let mut drivers = vec![];
    for found in fitting {
        let parsed = match found.path.as_str() {
            "" => driver_file::parse(&found.bytes)?,
            path => driver_file::parse(&found.bytes).with_context(|| path.to_owned())?,
        };
        drivers.push((found, flavour(found, &parsed), parsed));
    }
    // The one that can host vGPUs comes first.
    drivers.sort_by_key(|(_, flavour, _)| *flavour == Some(Flavour::Open));
    let mut reports = drivers.iter().enumerate().map(|(index, (found, flavour, parsed))| {
        let board = board.filter(|_| index == 0);
        let report = match (parsed, flavour) {
            (Parsed::Driver(driver), Some(Flavour::Open)) => open(driver, board.is_some()),
            (Parsed::Driver(driver), _) => of_driver(driver, board),
            (Parsed::Foreign(reason), _) => unsupported(vec![reason.clone()], board.is_some()),
        };
        let file = Some(&found.path).filter(|path| !path.is_empty()).cloned();
        Report { flavour: *flavour, file, ..report }
    });
    let mut report = reports.next().context("there is no driver in it")?;
    report.other_drivers = reports.collect();
    of_package(contents, &mut report);
    Ok(report)
}

/// What is to be said about what came with the drivers.
fn of_package(contents: &Contents, report: &mut Report) {
    for found in &contents.daemons {
        match daemon::inspect(found) {
            Ok(daemon) => {
                report.reasons.extend(daemon::sentence(&daemon));
                report.nvidia_vgpud.push(daemon);
            }
            Err(reason) => report.reasons.push(reason),
        }
    }
    if !contents.is_package {
        return;
    }
    let daemon = (!contents.daemons.is_empty()).then_some("nvidia-vgpud");
    let host_parts: Vec<_> = daemon.into_iter().chain(contents.of_host.iter().copied()).collect();
    let for_hosts = !host_parts.is_empty();
    if !for_hosts {
        report.reasons.push(
            "There is no nvidia-vgpud and no nvidia-vgpu-vfio in it: the driver is a desktop's or a \
             virtual machine's, and hosts no vGPUs."
                .into(),
        );
    }
    report.package = Some(report::Package { for_hosts, host_parts });
}

/// What the file says, or where it stands.
fn flavour(found: &Found, parsed: &Parsed) -> Option<Flavour> {
    let Parsed::Driver(driver) = parsed else { return None };
    let in_open =
        || found.path.split('/').any(|part| part == "kernel-open").then_some(Flavour::Open);
    driver.flavour.or_else(in_open)
}

/// One that nothing is done to.
fn unsupported(reasons: Vec<String>, with_board: bool) -> Report {
    Report {
        package: None,
        driver: report::Driver { version: None, releases: vec![] },
        flavour: None,
        file: None,
        sites: vec![],
        resembles: vec![],
        listed_boards: None,
        capability_tables: None,
        unlock: with_board.then_some(None),
        verdict: Verdict::Unsupported,
        reasons,
        nvidia_vgpud: vec![],
        other_drivers: vec![],
    }
}

/// NVIDIA's open kernel module. On a vGPU host it needs the GPU's own firmware, which the driver lets
/// Ada and newer boards use only (`gpumgrIsVgxRmFirmwareCapableChip` in its published source). The module
/// changes its answers to the daemons, for these boards.
fn open(driver: &DriverFile, with_board: bool) -> Report {
    let reason = "These are NVIDIA's open kernel modules, which host no vGPUs on boards up to Ampere: \
                  install the proprietary type (with NVIDIA's installer, \
                  --kernel-module-type=proprietary).";
    let version = driver.version.as_ref().ok();
    let verdict = match version.map(|version| Reason::Open(*version)) {
        Some(open) if open.leaves_answers() => Verdict::AnswersOnly,
        _ => Verdict::Unsupported,
    };
    Report { driver: named(driver), verdict, ..unsupported(vec![reason.into()], with_board) }
}

fn named(driver: &DriverFile) -> report::Driver {
    let version = driver.version.as_ref().ok();
    let releases = version.into_iter().flat_map(release::of).map(|release| release.to_string());
    report::Driver { version: version.map(ToString::to_string), releases: releases.collect() }
}

fn of_driver(driver: &DriverFile, board: Option<(Magic, Key)>) -> Report {
    let mut reasons = vec![];
    let branch = known_branch(driver).map_err(|reason| reasons.push(reason)).ok();
    let text = driver.text.as_deref().unwrap_or_default();
    let patched = branch.is_some_and(|branch| stranger::is_patched(branch, text));
    let sites = match branch {
        Some(branch) => sites::find(branch, driver.text.as_deref(), &mut reasons),
        None => vec![],
    };
    let whole = branch.is_some_and(|branch| sites.len() == branch.sites.len());
    if patched {
        // That it is not whole has this reason.
        reasons = vec!["This driver is patched: reinstall the original.".into()];
    }
    reasons.extend(driver.changed.map(String::from));
    let resembles = sites::resemblances(text, &sites);
    // Where nothing depends on them, it is no matter that they are not found.
    let needed = branch.is_some_and(|branch| branch.needs_tables);
    let located = match locate(driver) {
        Ok(located) => Some(located),
        Err(reason) => {
            reasons.extend(needed.then_some(reason));
            None
        }
    };
    let fits = driver.version.as_ref().is_ok_and(|version| layout::fits(version.branch));
    let verdict = if patched || driver.changed.is_some() {
        Verdict::Unsupported
    } else if whole && (located.is_some() || !needed) {
        Verdict::Supported
    } else if fits {
        Verdict::AnswersOnly
    } else {
        Verdict::Unsupported
    };
    let unlock = board.map(|board| {
        let (image, tables) = located.as_ref()?;
        match unlock(image, tables, board) {
            Ok((unlock, sibling)) => {
                reasons.extend(unlisted(driver, sibling));
                Some(unlock)
            }
            Err(refusal) => {
                reasons.push(format!("Magic and key unlock nothing: {refusal}."));
                None
            }
        }
    });
    if verdict == Verdict::Supported && branch.is_some_and(|b| b.proof == Proof::Published) {
        reasons.push(
            "What is changed in this branch is known from published bytes, and was not run by us: please \
             report once what is said here, and whether it works."
                .into(),
        );
    }
    if driver.hosts == Some(false) {
        reasons.push(
            "The module does not export nvidia_vgpu_vfio_get_ops, which nvidia-vgpu-vfio needs: the \
             driver is a desktop's or a virtual machine's, and hosts no vGPUs."
                .into(),
        );
    }
    Report {
        driver: named(driver),
        listed_boards: listed_boards(driver, &sites, &resembles),
        sites,
        resembles,
        capability_tables: located.map(|(_, tables)| report::Tables {
            section: RODATA,
            gpu_list_first: tables.gpu_list.first,
            gpu_list_count: tables.gpu_list.count,
            needed,
            sacrificial_first: tables.sacrificial.first,
        }),
        unlock,
        verdict,
        ..unsupported(reasons, false)
    }
}

fn known_branch(driver: &DriverFile) -> Result<&'static Branch, String> {
    let version = driver.version.as_ref().map_err(Clone::clone)?;
    branch::of(version).ok_or_else(|| {
        format!(
            "Nobody has proven what driver branch {} needs; known are {}.",
            version.branch,
            vgpu_unlock::host::KNOWN_BRANCHES
        )
    })
}

/// What the board check says, which need not be a known one to be read.
fn listed_boards(
    driver: &DriverFile,
    sites: &[report::Site],
    resembles: &[report::Resemblance],
) -> Option<Listed> {
    let sites = sites.iter().map(|site| (site.name, Some(site.offset)));
    let others = resembles.iter().map(|other| (other.name, other.offset));
    let (_, start) =
        sites.chain(others).find(|(name, _)| *name == vgpu_unlock::driver::site::BOARD_CHECK)?;
    let boards = listed::boards(driver.text.as_deref()?, start?, &driver.text_relocations);
    Some(boards.map_or_else(Listed::Unread, Listed::Boards))
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
fn unlisted(driver: &DriverFile, device: u16) -> Option<String> {
    let version = driver.version.as_ref().ok()?;
    (!gpu::lists(&gpu::chosen(device, None), version.branch)).then(|| {
        format!(
            "Driver branch {} no longer lists {} itself, which the board is answered as: its \
             profiles have to come from an older branch's vgpuConfig.xml.",
            version.branch,
            id(device)
        )
    })
}

#[cfg(test)]
pub(crate) mod tests;
