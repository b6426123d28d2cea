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
/// signature is good in each of them, it is the second gate's that is not.
const DRIVERS: [(&str, &str); 3] = [
    ("no-signature", "signature"),
    ("double-signature", "signature"),
    ("unknown-version", "version"),
];

/// Drivers whose tables may not be touched.
const TABLES: [&str; 2] = ["no-sacrificial", "short-sacrificial"];

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
    for variant in TABLES {
        report.part(variant);
        tables_stay(report, &board, variant)?;
    }
    Ok(())
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
