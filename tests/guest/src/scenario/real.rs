// SPDX-License-Identifier: GPL-2.0
//! The real drivers, unmodified, with the module, on an emulated GTX 1080 Ti.

use anyhow::{Result, ensure};

use super::{
    answers::{self, Gate},
    steps::{self, DRIVER, MODULE, attached, hears_times, soon, unchanged},
    unlock,
};
use crate::{
    board::{Board, KEY, MAGIC},
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    status::Status,
};

/// A driver whose checks decide.
pub struct Checks {
    version: &'static str,
    branch: &'static str,
    gate: Gate,
    /// How its branch's sites were proven, as the status says it.
    proof: &'static str,
}

pub const V555: Checks =
    Checks { version: "555.58.02", branch: "555", gate: Gate::Store, proof: "run" };
pub const V550: Checks =
    Checks { version: "550.163.01", branch: "550", gate: Gate::Store, proof: "run" };
pub const V535: Checks =
    Checks { version: "535.274.02", branch: "535", gate: Gate::Return(0), proof: "run" };
pub const V525: Checks =
    Checks { version: "525.147.05", branch: "525", gate: Gate::Return(0), proof: "run" };

/// A driver that goes by its capability tables.
pub struct Tables {
    version: &'static str,
    branch: &'static str,
    /// How many boards its GPU list has.
    listed: u64,
}

pub const V470: Tables = Tables { version: "470.256.02", branch: "470", listed: 969 };
pub const V460: Tables = Tables { version: "460.106.00", branch: "460", listed: 910 };
pub const V450: Tables = Tables { version: "450.248.02", branch: "450", listed: 771 };

pub fn run(report: &mut Report, checks: &Checks) -> Result<()> {
    report.announce_taint("POE");
    let board = Board::find()?;
    steps::prepare()?;
    driver_first(report, &board, checks)?;
    module_first(report, checks.gate)?;
    driver_reloads(report)
}

fn driver_first(report: &mut Report, board: &Board, checks: &Checks) -> Result<()> {
    let gate = checks.gate;
    report.part("driver first");
    let mut log = Log::from_now()?;
    kernel::load(DRIVER)?;
    answers::factory(report, gate, "before");
    let before = probe::digests()?;

    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("the status names the driver and the board", || {
        let status = Status::read()?;
        status.is("/driver/version", checks.version)?;
        status.is("/driver/branch", checks.branch)?;
        status.is("/gpus/0/address", board.address.as_str())?;
        status.is("/gpus/0/device", "0x1b06")?;
        status.is("/gpus/0/answered_as/device", "0x1b38")?;
        status.is("/gpus/0/answered_as/name", "Tesla P40")?;
        status.is("/tables/state", "not needed")?;
        status.is("/driver/proof", checks.proof)
    });
    report.check("the text says the same", || {
        let text = crate::status::text()?;
        for words in [checks.version, board.address.as_str(), "Tesla P40"] {
            ensure!(text.contains(words), "it does not say {words:?}:\n{text}");
        }
        Ok(())
    });
    report.check("the log has one line for the board", || {
        hears_times(&mut log, &[&board.address], 1)
    });
    answers::unlocked(report, gate, "with the module");

    kernel::unload(MODULE)?;
    answers::factory(report, gate, "after rmmod");
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

fn module_first(report: &mut Report, gate: Gate) -> Result<()> {
    report.part("module first");
    kernel::load(MODULE)?;
    report.check("the status says that there is no driver", || {
        Status::read()?.is("/driver/state", "absent")
    });
    kernel::load(DRIVER)?;
    report.check("attached, all hooks placed", || soon(attached));
    answers::unlocked(report, gate, "with the module");
    kernel::unload(MODULE)?;
    answers::factory(report, gate, "after rmmod");
    kernel::unload(DRIVER)
}

pub fn tables(report: &mut Report, driver: &Tables) -> Result<()> {
    report.announce_taint("POE");
    let board = Board::find()?;
    steps::prepare()?;
    tables_driver_first(report, &board, driver)?;
    tables_module_first(report, &board)?;
    tables_reloads(report, &board)
}

fn tables_driver_first(report: &mut Report, board: &Board, driver: &Tables) -> Result<()> {
    report.part("driver first");
    kernel::load(DRIVER)?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || {
        soon(attached)?;
        let status = Status::read()?;
        status.is("/driver/version", driver.version)?;
        status.is("/driver/branch", driver.branch)?;
        status.is("/driver/proof", "run")?;
        status.is("/gpus/0/state", "waiting")?;
        status.is("/tables/state", "located")?;
        status.is("/tables/gpu_list_count", driver.listed)
    });
    unlock::succeeds(report, board)?;
    kernel::write("/sys/module/vgpu_unlock/parameters/enabled", "0")?;
    report.check("switched off, constants and code are as before", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::write("/sys/module/vgpu_unlock/parameters/enabled", "1")?;
    report.check("switched on, the board is unlocked at once", || {
        soon(attached)?;
        Status::read()?.is("/gpus/0/state", "unlocked")
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

fn tables_module_first(report: &mut Report, board: &Board) -> Result<()> {
    report.part("module first");
    kernel::load(MODULE)?;
    kernel::load(DRIVER)?;
    report.check("attached, all hooks placed", || soon(attached));
    let before = probe::digests()?;
    unlock::succeeds(report, board)?;
    kernel::unload(MODULE)?;
    report.check("constants are byte-identical after rmmod", || {
        equal(probe::digests()?.rodata == before.rodata, true)
    });
    kernel::unload(DRIVER)
}

fn tables_reloads(report: &mut Report, board: &Board) -> Result<()> {
    report.part("driver reloads");
    kernel::load(MODULE)?;
    for round in 1..=3 {
        kernel::load(DRIVER)?;
        report.check(&format!("attached in round {round}, and waiting for the key"), || {
            soon(attached)?;
            Status::read()?.is("/gpus/0/state", "waiting")
        });
        report.check(&format!("the board's key unlocks it in round {round}"), || {
            probe::play(board.bar3()?)?;
            soon(|| Status::read()?.is("/gpus/0/state", "unlocked"))
        });
        kernel::unload(DRIVER)?;
        report.check(&format!("the driver is gone in round {round}"), || {
            soon(|| Status::read()?.is("/driver/state", "absent"))
        });
    }
    kernel::unload(MODULE)
}

fn driver_reloads(report: &mut Report) -> Result<()> {
    report.part("driver reloads");
    kernel::load(MODULE)?;
    for round in 1..=3 {
        kernel::load(DRIVER)?;
        report.check(&format!("attached in round {round}"), || soon(attached));
        report.check(&format!("the board is accepted in round {round}"), || {
            equal(probe::board_check(answers::UNLISTED, 0)?, 1)
        });
        kernel::unload(DRIVER)?;
        report.check(&format!("the driver is gone in round {round}"), || {
            soon(|| Status::read()?.is("/driver/state", "absent"))
        });
    }
    kernel::unload(MODULE)
}

/// The board's BAR3 holds a magic of the driver's, and a key that is not that board's.
pub fn wrong_key(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    let board = Board::find()?;
    steps::prepare()?;
    kernel::load(DRIVER)?;
    let before = probe::digests()?;
    let mut log = Log::from_now()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));

    report.check("the driver reads the magic and another key", || {
        let read = probe::play(board.bar3()?)?;
        ensure!(read[..16] == MAGIC && read[16..] != KEY, "it read {}", hex::encode(read));
        Ok(())
    });
    report.check("the status says that the signature does not verify", || {
        soon(|| {
            let status = Status::read()?;
            status.is("/tables/state", "refused")?;
            status.mentions("/tables/reason", "signature")
        })
    });
    report.check("the log says it once", || hears_times(&mut log, &["signature"], 1));
    report.check("not one byte of .rodata changed", || {
        equal(probe::digests()?.rodata == before.rodata, true)
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}
