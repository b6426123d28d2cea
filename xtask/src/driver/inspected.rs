// SPDX-License-Identifier: GPL-2.0
//! `inspect` on real drivers: what is known of each is what must come out.

use std::path::Path;

use anyhow::{Result, ensure};
use vgpu_unlock::{
    capability::{Key, Magic},
    gpu::{self, Answer, Ids},
};

use vgpu_unlock_cli::inspect::{
    Report, Verdict, inspect,
    report::{Action, Listed, Subsystems},
};

use crate::check::Check;

/// Magic and key of a Quadro P400, published by a user in 2021. Every driver here knows the board.
const P400: (Magic, Key) = (
    [
        0x47, 0x9c, 0xb6, 0xe1, 0x45, 0x1a, 0xf8, 0x4c, 0x1a, 0xf9, 0x48, 0xcc, 0x3b, 0x9a, 0xe8,
        0xb9,
    ],
    [
        0xad, 0x63, 0x21, 0xfc, 0x4c, 0x3e, 0x17, 0xf8, 0xbc, 0x68, 0xad, 0x65, 0x05, 0xc7, 0x79,
        0x38,
    ],
);

/// The board that a P400 is answered as.
const TESLA_P40: u16 = 0x1b38;

/// A driver and its GPU list's length, counted by hand from its relocations.
const GPU_LISTS: [(&str, usize); 9] = [
    ("450.248.02", 771),
    ("460.106.00", 910),
    ("470.256.02", 969),
    ("525.147.05", 1027),
    ("535.216.03", 1047),
    ("535.261.03", 1047),
    ("535.274.02", 1047),
    ("550.163.01", 1047),
    ("555.58.02", 1043),
];

/// Inspects `path`, which must be the driver `version`, as object file, module or package.
pub fn real_drivers_test(version: &str, path: &Path) -> Vec<Check> {
    let check = |what: &str, result| Check { name: format!("inspect {version}: {what}"), result };
    let report = match inspect(path, Some(P400)) {
        Ok(report) => report,
        Err(error) => return vec![check("the file can be read", Err(error))],
    };
    vec![
        check("version and verdict", verdict(&report, version)),
        check("device-ID checks", sites(&report, version)),
        check("no other signature stands in it", elsewhere(&report, version)),
        check("boards that it lists itself", listed(&report, version)),
        check("boards that we say it lists", known(&report, version)),
        check("capability tables", tables(&report, version)),
        check("25 entries for the Tesla P40", entries(&report)),
        check("a wrong key unlocks nothing", wrong_key(path)),
    ]
}

fn verdict(report: &Report, version: &str) -> Result<()> {
    let found = report.driver.version.as_deref();
    ensure!(found == Some(version), "the version found is {found:?}");
    ensure!(report.verdict == Verdict::Supported, "{}: {:?}", report.verdict, report.reasons);
    // The one thing to be said of these: 550 dropped the P40.
    let notes = usize::from(stores(version));
    ensure!(report.reasons.len() == notes, "reasons: {:?}", report.reasons);
    Ok(())
}

/// Whether the driver's second gate is within a function: 550 and newer.
fn stores(version: &str) -> bool {
    version.starts_with("55")
}

fn sites(report: &Report, version: &str) -> Result<()> {
    let gate = if stores(version) { (Action::Store, 1) } else { (Action::Return, 5) };
    let expected = match version.split('.').next() {
        Some("525" | "535" | "550" | "555") => {
            vec![("board check", Action::Return, 1), ("second gate", gate.0, gate.1)]
        }
        _ => vec![],
    };
    let found: Vec<_> = report.sites.iter().map(|s| (s.name, s.action, s.value)).collect();
    ensure!(found == expected, "{found:?}");
    Ok(())
}

/// What merely resembles a site would be found by another branch's signature. There is one such place:
/// 550 still has the function that is 535's second gate, where 555 has none any more.
fn elsewhere(report: &Report, version: &str) -> Result<()> {
    let found: Vec<_> = report.resembles.iter().map(|r| (r.name, r.offset.is_some())).collect();
    let expected: &[_] = if version == "550.163.01" { &[("second gate", true)] } else { &[] };
    ensure!(found == expected, "{:?}", report.resembles);
    Ok(())
}

/// How many boards a driver's check lists, and how many of them whatever their subsystem ID. These checks
/// were also run as they are, on the processor, for every pair of IDs, with the same answers; 555's was not.
const LISTED: [(&str, usize, usize); 4] =
    [("525.147.05", 45, 44), ("535.216.03", 54, 53), ("550.163.01", 56, 26), ("555.58.02", 54, 26)];

fn listed(report: &Report, version: &str) -> Result<()> {
    let boards = match &report.listed_boards {
        Some(Listed::Boards(boards)) => boards.as_slice(),
        Some(Listed::Unread(why)) => anyhow::bail!("{why}"),
        None => &[],
    };
    ensure!(boards.is_empty() == report.sites.is_empty(), "{} boards", boards.len());
    let any = boards.iter().filter(|board| board.subsystems == Subsystems::Any).count();
    let expected = LISTED.iter().find(|(known, ..)| *known == version);
    ensure!(expected.is_none_or(|known| *known == (known.0, boards.len(), any)), "{boards:?}");
    // What is known of single boards: 550 dropped the M60 and the P40.
    let dropped = stores(version);
    for (device, is_listed) in
        [("0x1db6", true), ("0x1eb8", true), ("0x13f2", !dropped), ("0x1b38", !dropped)]
    {
        let found = boards.iter().any(|board| board.device == device);
        ensure!(boards.is_empty() || found == is_listed, "{device}: {found}");
    }
    let m10 = boards.iter().find(|board| board.device == "0x13bd").map(|board| &board.subsystems);
    ensure!(!dropped || m10 == Some(&Subsystems::Only(vec!["0x1160".into()])), "0x13bd: {m10:?}");
    Ok(())
}

/// Of these, more than their IDs decides, so the driver's check says nothing of them.
const NOT_BY_ID: [u16; 2] = [0x1e30, 0x1e78];

/// Our table of boards says of every PCI device ID what the driver's check says.
fn known(report: &Report, version: &str) -> Result<()> {
    let Some(Listed::Boards(boards)) = &report.listed_boards else { return Ok(()) };
    let branch = version.split('.').next().and_then(|branch| branch.parse().ok());
    for device in (0..=u16::MAX).filter(|device| !NOT_BY_ID.contains(device)) {
        let board = boards.iter().find(|board| board.device == format!("{device:#06x}"));
        // Where the driver asks for the subsystem ID, we need not, unless other boards have the device ID, too.
        let subsystem = match board.map(|board| &board.subsystems) {
            Some(Subsystems::Only(ids)) => ids.first().and_then(|id| id.strip_prefix("0x")),
            _ => None,
        };
        let subsystem = u16::from_str_radix(subsystem.unwrap_or("1160"), 16)?;
        let ours = gpu::answer(Ids { device, subsystem }, branch) == Answer::Listed;
        ensure!(ours == board.is_some(), "{device:#06x}: {board:?}, and we say {ours}");
    }
    Ok(())
}

fn tables(report: &Report, version: &str) -> Result<()> {
    let count = report.capability_tables.as_ref().map(|tables| tables.gpu_list_count);
    let expected = GPU_LISTS.iter().find(|(known, _)| *known == version).map(|(_, count)| *count);
    ensure!(count.is_some(), "not found");
    ensure!(expected.is_none() || count == expected, "the GPU list has {count:?} boards");
    Ok(())
}

fn entries(report: &Report) -> Result<()> {
    let Some(Some(unlock)) = &report.unlock else { anyhow::bail!("nothing is unlocked") };
    let board = &unlock.board;
    ensure!(board.device == "0x1cb3", "the board's entry says {board:?}");
    ensure!(unlock.spoofed_device == "0x1b38", "answered as {}", unlock.spoofed_device);
    let found = unlock.entries.iter().map(|e| (e.device.as_str(), e.subsystem.clone(), &*e.name));
    let expected = gpu::vgpu_types(TESLA_P40)
        .map(|vgpu| ("0x1b38", format!("{:#06x}", vgpu.subsystem), vgpu.name));
    ensure!(found.eq(expected), "{:?}", unlock.entries);
    ensure!(unlock.entries.len() == 25, "{} entries", unlock.entries.len());
    let tables = report.capability_tables.as_ref().map(|tables| tables.sacrificial_first);
    ensure!(tables == unlock.entries.first().map(|e| e.offset), "they begin elsewhere");
    Ok(())
}

fn wrong_key(path: &Path) -> Result<()> {
    let (magic, mut key) = P400;
    key[15] ^= 1;
    let report = inspect(path, Some((magic, key)))?;
    ensure!(matches!(report.unlock, Some(None)), "it unlocks");
    ensure!(report.reasons.iter().any(|r| r.contains("signature")), "{:?}", report.reasons);
    Ok(())
}
