// SPDX-License-Identifier: GPL-2.0
//! The real driver without us. If this fails, nothing that the others find means anything.

use anyhow::{Result, ensure};

use super::{
    answers::{self, Gate},
    steps::{self, DRIVER, unchanged},
};
use crate::{
    board::{Board, KEY, MAGIC},
    kernel, probe,
    report::{Report, equal},
    tables,
};

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    let board = Board::find()?;
    steps::prepare()?;
    kernel::load(DRIVER)?;

    report.check("the driver binds to the emulated board", || {
        equal(board.driver().as_deref(), Some("nvidia"))
    });
    answers::factory(report, Gate::Store, "without the module");
    let before = probe::digests()?;
    report.check("the driver reads magic and key from BAR3", || {
        equal(probe::play(board.bar3()?)?, [MAGIC, KEY].concat())
    });
    report.check("it keeps its constants and code meanwhile", || {
        unchanged(&before, &probe::digests()?)
    });
    report.check("it has a triple with the sacrificial magic", || {
        let rodata = probe::rodata()?;
        let first = tables::sacrificial(&rodata)?;
        ensure!(first % 8 == 0, "at {first:#x}");
        Ok(())
    });
    report.check("it unloads and loads again", || {
        kernel::unload(DRIVER)?;
        kernel::load(DRIVER)?;
        kernel::unload(DRIVER)
    });
    Ok(())
}
