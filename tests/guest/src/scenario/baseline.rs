// SPDX-License-Identifier: GPL-2.0
//! The drivers without us. If this fails, nothing that the other scenarios find means anything.

use anyhow::{Result, ensure};

use super::{
    answers::{self, Gate},
    standin::{BRANCHES, PUBLISHED, TABLES, path},
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

/// The stand-ins answer as the real ones do.
pub fn standins(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    let checked = BRANCHES.into_iter().chain([PUBLISHED]);
    let checks = checked.map(|(branch, gate)| (branch, Some(gate)));
    for (branch, gate) in checks.chain([(TABLES, None)]) {
        report.part(&format!("branch {branch}"));
        kernel::load(&path(branch))?;
        if let Some(gate) = gate {
            answers::factory(report, gate, "without the module");
        }
        let before = probe::digests()?;
        report.check("the driver reads magic and key from BAR3", || {
            equal(probe::play(board.bar3()?)?, [MAGIC, KEY].concat())
        });
        report.check("it keeps its constants and code meanwhile", || {
            unchanged(&before, &probe::digests()?)
        });
        report.check("it has a triple with the sacrificial magic", || {
            tables::sacrificial(&probe::rodata()?).map(drop)
        });
        kernel::unload(DRIVER)?;
        report.check("it fails to load when told to", || {
            ensure!(kernel::load_with(&path(branch), "fail_init=1").is_err(), "it loaded");
            Ok(())
        });
    }
    Ok(())
}
