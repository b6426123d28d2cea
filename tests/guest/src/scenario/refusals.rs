// SPDX-License-Identifier: GPL-2.0
//! Stand-ins that the module must leave alone, and say why.

use anyhow::Result;

use super::{
    standin::{leaves_alone, path},
    steps::{self, DRIVER, MODULE, soon},
};
use crate::{
    board::Board,
    kernel, probe,
    report::{Report, equal},
    status::Status,
};

/// Drivers of which nothing may be touched, and words that the reason has. The board check's
/// signature is good in each of them: it must not be used where something else is wrong.
const DRIVERS: [(&str, &str); 4] = [
    ("no-signature", "signature of the second gate is not found"),
    ("double-signature", "signature of the second gate is found more than once"),
    ("unknown-version", "branch 999"),
    ("no-sacrificial", "no capability table entry"),
];

/// A driver whose tables have no room for all of the board's entries.
const NO_ROOM: &str = "short-sacrificial";

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    for (variant, words) in DRIVERS {
        report.part(variant);
        kernel::load(&path(variant))?;
        leaves_alone(report, words)?;
        kernel::unload(DRIVER)?;
    }
    report.part(NO_ROOM);
    tables_stay(report, &board, NO_ROOM)
}

fn tables_stay(report: &mut Report, board: &Board, variant: &str) -> Result<()> {
    kernel::load(&path(variant))?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    probe::play(board.bar3()?)?;
    report.check("the status says that the tables are refused", || {
        soon(|| Status::read()?.is("/tables/state", "refused"))
    });
    report.check("not one byte of .rodata changed", || {
        equal(probe::digests()?.rodata == before.rodata, true)
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}
