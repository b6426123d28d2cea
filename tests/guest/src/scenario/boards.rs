// SPDX-License-Identifier: GPL-2.0
//! Boards that come and go, and one that another driver has.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    answers::UNLISTED,
    standin::{TABLES, path},
    steps::{self, DRIVER, MODULE, attached, hears, soon},
    unlock,
};
use crate::{
    board::Board,
    expected::TESLA_P40,
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    status::{self, Status},
};

/// Plays vfio-pci.
const HOLDER: &str = "vgpu_unlock_holder";
const HOLDERS_NAME: &str = "vfio-pci";

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    kernel::load(HOLDER)?;
    let mappings = kernel::mappings()?;
    held(report, &board)?;
    held_from_the_start(report, &board)?;
    key_of_a_held_board(report, &board)?;
    plugged(report, &board)?;
    report.check("what was mapped of the tables is not mapped any more", || {
        soon(|| equal(kernel::mappings()?, mappings))
    });
    Ok(())
}

fn state_is(state: &str) -> Result<()> {
    soon(|| Status::read()?.is("/gpus/0/state", state))
}

/// A board moves from driver to driver while a branch is attached whose checks decide.
fn held(report: &mut Report, board: &Board) -> Result<()> {
    report.part("another driver has the board");
    kernel::load(&path("550"))?;
    kernel::load(MODULE)?;
    report.check("the board is NVIDIA's", || {
        state_is("unlocked")?;
        Status::read()?.is("/gpus/0/driver", "nvidia")
    });
    let mut log = Log::from_now()?;
    board.take()?;
    report.check("a board without a driver is said to be one", || {
        state_is("unbound")?;
        let status = Status::read()?;
        status.is("/gpus/0/missing", "board bound")?;
        ensure!(status::text()?.contains("no driver is bound to it"), "{}", status::text()?);
        hears(&mut log, "no driver is bound to it")
    });
    board.give(HOLDERS_NAME)?;
    report.check("a board that vfio-pci has is said to be vfio-pci's, without advice", || {
        state_is("held")?;
        let status = Status::read()?;
        status.is("/gpus/0/reason", "used by vfio-pci")?;
        status.is("/gpus/0/missing", serde_json::Value::Null)?;
        status.is("/gpus/0/answered_as", serde_json::Value::Null)?;
        let text = status::text()?;
        ensure!(text.contains("10de:1b06: used by vfio-pci\n"), "{text}");
        ensure!(!text.contains("nvidia-vgpud") && !text.contains(": unlocked"), "{text}");
        hears(&mut log, "used by vfio-pci")
    });
    board.take()?;
    board.give(DRIVER)?;
    report.check("given back, it is unlocked as before", || {
        state_is("unlocked")?;
        hears(&mut log, "answered as 10de:1b38 Tesla P40: unlocked")
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// The only board is another driver's, so there is nothing to be done until it is given back.
fn held_from_the_start(report: &mut Report, board: &Board) -> Result<()> {
    report.part("another driver has the board from the start");
    board.give(HOLDERS_NAME)?;
    kernel::load(&path("550"))?;
    kernel::load(MODULE)?;
    report.check("no check is overridden for a board that the driver does not have", || {
        soon(attached)?;
        state_is("held")?;
        let hooks = Status::read()?.hooks()?;
        ensure!(hooks.iter().all(|(name, _)| name.ends_with("ioctl")), "hooks: {hooks:?}");
        equal(probe::board_check(UNLISTED, 0)?, 0)
    });
    board.take()?;
    board.give(DRIVER)?;
    report.check("for a board that comes they are", || {
        soon(|| equal(probe::board_check(UNLISTED, 0)?, 1))?;
        state_is("unlocked")
    });
    kernel::unload(MODULE)?;
    report.check("and put back", || equal(probe::board_check(UNLISTED, 0)?, 0));
    kernel::unload(DRIVER)
}

fn key_hook() -> Result<String> {
    let hooks = Status::read()?.hooks()?;
    let hook = hooks.into_iter().find(|(name, _)| name == "os_mem_copy");
    hook.map(|(_, state)| state).context("nobody watches what is copied")
}

/// A board whose key can't come is not waited for.
fn key_of_a_held_board(report: &mut Report, board: &Board) -> Result<()> {
    report.part("the key of a board that another driver has");
    board.give(HOLDERS_NAME)?;
    kernel::load(&path(TABLES))?;
    kernel::load(MODULE)?;
    report.check("its key is not waited for", || {
        soon(attached)?;
        state_is("held")?;
        equal(key_hook()?, "done".to_owned())
    });
    board.take()?;
    board.give(DRIVER)?;
    report.check("given back, it is", || {
        state_is("waiting")?;
        soon(|| equal(key_hook()?, "placed".to_owned()))
    });
    unlock::succeeds(report, board)?;
    board.take()?;
    board.give(HOLDERS_NAME)?;
    report.check("its entries stay when it goes", || {
        state_is("held")?;
        Status::read()?.is("/tables/entries", TESLA_P40.len())
    });
    board.take()?;
    board.give(DRIVER)?;
    report.check("and are there when it comes back", || {
        state_is("unlocked")?;
        Status::read()?.is("/tables/entries", TESLA_P40.len())
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// The board is pulled and plugged.
fn plugged(report: &mut Report, board: &Board) -> Result<()> {
    for (variant, state) in [("550", "unlocked"), (TABLES, "waiting")] {
        report.part(&format!("a board that is plugged in while {variant} is attached"));
        kernel::load(&path(variant))?;
        kernel::load(MODULE)?;
        report.check("attached, all hooks placed", || soon(attached));
        kernel::write(&board.sysfs("remove"), "1")?;
        report.check("a board that is gone is not in the list", || {
            soon(|| Status::read()?.is("/gpus", serde_json::json!([])))
        });
        kernel::write("/sys/bus/pci/rescan", "1")?;
        report.check("one that comes is looked after", || {
            state_is(state)?;
            soon(|| equal(board.driver().as_deref(), Some(DRIVER)))
        });
        if variant == TABLES {
            // It was taken away with the board, and no driver reads a key before it is placed anew.
            report.check("its key is waited for", || {
                soon(|| equal(key_hook()?, "placed".to_owned()))
            });
            unlock::succeeds(report, board)?;
        }
        kernel::unload(MODULE)?;
        kernel::unload(DRIVER)?;
    }
    report.check("nobody has left anything behind", || {
        ensure!(fs::metadata(board.sysfs("driver")).is_err(), "it still has a driver");
        Ok(())
    });
    Ok(())
}
