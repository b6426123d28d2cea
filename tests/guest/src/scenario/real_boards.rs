// SPDX-License-Identifier: GPL-2.0
//! The real drivers, unmodified, with the module, on machines with other boards than one GTX 1080 Ti.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    answers::UNLISTED,
    steps::{self, DRIVER, MODULE, attached, hears, hears_times, soon, unchanged},
    unlock,
};
use crate::{
    board::Board,
    expected::TESLA_P40,
    kernel::{self, Log},
    probe::{self, Digests},
    report::{Report, equal},
    status::{self, Status},
};

/// A board, and what must become of it on 550.
struct Expected {
    device: u16,
    /// What NVIDIA's driver calls it.
    model: &'static str,
    /// Device ID and name of the board that it is answered as; none where it keeps its own.
    answered_as: Option<(&'static str, &'static str)>,
    /// Whether the branch has no profiles for it any more.
    profiles_gone: bool,
}

const GTX_1080_TI: Expected = Expected {
    device: 0x1b06,
    model: "GeForce GTX 1080 Ti",
    answered_as: Some(("0x1b38", "Tesla P40")),
    profiles_gone: true,
};

/// All of them, in the order of their addresses.
const BOARDS: [Expected; 6] = [
    Expected {
        device: 0x13c2,
        model: "GeForce GTX 970",
        answered_as: Some(("0x13f2", "Tesla M60")),
        profiles_gone: true,
    },
    GTX_1080_TI,
    GTX_1080_TI,
    Expected {
        device: 0x1d81,
        model: "TITAN V",
        answered_as: Some(("0x1db6", "Tesla V100 32GB PCIE")),
        profiles_gone: false,
    },
    Expected {
        device: 0x1e04,
        model: "GeForce RTX 2080 Ti",
        answered_as: Some(("0x1e30", "Quadro RTX 6000")),
        profiles_gone: false,
    },
    Expected { device: 0x1b38, model: "Tesla P40", answered_as: None, profiles_gone: true },
];

/// The second of the two that are alike.
const TWIN: usize = 2;

const VFIO: &str = "vfio-pci";

/// All boards with 550.
pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    steps::prepare()?;
    kernel::load(DRIVER)?;
    let boards = Board::all()?;
    let ids: Vec<_> = boards.iter().map(Board::ids).collect::<Result<_>>()?;
    let expected: Vec<_> = BOARDS.iter().map(|board| board.device).collect();
    let found: Vec<_> = ids.iter().map(|(device, _)| *device).collect();
    ensure!(found == expected, "the machine has the boards {found:x?}");

    report.part("without the module");
    for (board, expected) in boards.iter().zip(&BOARDS) {
        report.check(
            &format!("{}: NVIDIA's driver has it, and knows it", named(board, expected)),
            || {
                equal(board.driver().as_deref(), Some(DRIVER))?;
                model_is(board, expected.model)
            },
        );
    }
    lists_none(report, &ids, "without the module");
    let before = probe::digests()?;

    report.part("with the module");
    let mut log = Log::from_now()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    for (i, board) in boards.iter().enumerate() {
        let name = named(board, &BOARDS[i]);
        report.check(&format!("{name}: unlocked, as the board that it must be"), || {
            unlocked(i, board, &BOARDS[i])
        });
    }
    report.check("the log has one line for each board", || {
        let addresses: Vec<_> = boards.iter().map(|board| board.address.as_str()).collect();
        hears_times(&mut log, &addresses, 1)
    });
    report.check("the driver's board check accepts each of them", || {
        ids.iter().try_for_each(|(device, subsystem)| {
            equal(probe::board_check(*device, *subsystem)?, 1)
                .with_context(|| format!("{device:04x}"))
        })
    });

    vfio(report, &boards, &mut log)?;

    report.part("afterwards");
    kernel::unload(MODULE)?;
    lists_none(report, &ids, "after rmmod");
    put_back(report, &before);
    kernel::unload(DRIVER)
}

fn named(board: &Board, expected: &Expected) -> String {
    format!("{} ({})", expected.model, board.address)
}

/// What NVIDIA's driver says of a board that it has.
fn model_is(board: &Board, model: &str) -> Result<()> {
    let path = format!("/proc/driver/nvidia/gpus/{}/information", board.address);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find(|line| line.starts_with("Model:"));
    ensure!(line.is_some_and(|line| line.ends_with(model)), "{path} says {line:?}");
    Ok(())
}

fn lists_none(report: &mut Report, ids: &[(u16, u16)], when: &str) {
    report.check(&format!("the driver's board check lists none of them {when}"), || {
        ids.iter().try_for_each(|(device, subsystem)| {
            equal(probe::board_check(*device, *subsystem)?, 0)
                .with_context(|| format!("{device:04x}"))
        })
    });
}

fn put_back(report: &mut Report, before: &Digests) {
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(before, &probe::digests()?)
    });
}

/// Fails unless the status says of board number `index` what it must.
fn unlocked(index: usize, board: &Board, expected: &Expected) -> Result<()> {
    let status = Status::read()?;
    let of = |key: &str| format!("/gpus/{index}/{key}");
    status.is(&of("address"), board.address.as_str())?;
    status.is(&of("device"), format!("{:#06x}", expected.device))?;
    status.is(&of("driver"), DRIVER)?;
    status.is(&of("state"), "unlocked")?;
    status.is(&of("profiles_gone"), expected.profiles_gone)?;
    let words = match expected.answered_as {
        Some((device, name)) => {
            status.is(&of("answered_as/device"), device)?;
            status.is(&of("answered_as/name"), name)?;
            format!(", answered as 10de:{} {name}: unlocked", device.trim_start_matches("0x"))
        }
        None => {
            status.is(&of("answered_as"), serde_json::Value::Null)?;
            ": unlocked".to_owned()
        }
    };
    let line = format!("gpu {} 10de:{:04x}{words}\n", board.address, expected.device);
    let text = status::text()?;
    ensure!(text.contains(&line), "the text does not say {line:?}:\n{text}");
    Ok(())
}

/// One of two boards that are alike goes to vfio-pci, and comes back.
fn vfio(report: &mut Report, boards: &[Board], log: &mut Log) -> Result<()> {
    report.part("vfio-pci has one of two boards that are alike");
    let twin = boards.get(TWIN).context("there are too few boards")?;
    twin.take()?;
    twin.give(VFIO)?;
    report.check("it is said to be vfio-pci's, without advice", || {
        soon(|| Status::read()?.is(&format!("/gpus/{TWIN}/state"), "held"))?;
        let status = Status::read()?;
        status.is(&format!("/gpus/{TWIN}/reason"), "used by vfio-pci")?;
        status.is(&format!("/gpus/{TWIN}/answered_as"), serde_json::Value::Null)?;
        status.is(&format!("/gpus/{TWIN}/missing"), serde_json::Value::Null)?;
        hears(log, &format!("{} 10de:1b06: used by vfio-pci", twin.address))
    });
    report.check("the others are unlocked as before", || {
        let others = boards.iter().zip(&BOARDS).enumerate().filter(|(i, _)| *i != TWIN);
        others.into_iter().try_for_each(|(i, (board, expected))| unlocked(i, board, expected))
    });
    twin.take()?;
    twin.give(DRIVER)?;
    report.check("given back, it is unlocked as before", || {
        soon(|| unlocked(TWIN, twin, &BOARDS[TWIN]))?;
        model_is(twin, BOARDS[TWIN].model)
    });
    Ok(())
}

/// 470: a board whose key is its own, one whose key is not, and one that the driver lists.
pub fn tables(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    steps::prepare()?;
    kernel::load(DRIVER)?;
    let boards = Board::all()?;
    let [good, wrong, listed] = boards.as_slice() else {
        anyhow::bail!("the machine has {} boards", boards.len())
    };
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("the status tells the boards apart", || {
        let status = Status::read()?;
        for (i, (board, state, as_device)) in [
            (good, "waiting", Some("0x1b38")),
            (wrong, "waiting", Some("0x1e30")),
            (listed, "listed", None),
        ]
        .into_iter()
        .enumerate()
        {
            status.is(&format!("/gpus/{i}/address"), board.address.as_str())?;
            status.is(&format!("/gpus/{i}/state"), state)?;
            match as_device {
                Some(device) => status.is(&format!("/gpus/{i}/answered_as/device"), device)?,
                None => status.is(&format!("/gpus/{i}/answered_as"), serde_json::Value::Null)?,
            }
        }
        Ok(())
    });
    unlock::succeeds(report, good)?;
    report.check("the other one still waits", || Status::read()?.is("/gpus/1/state", "waiting"));
    let unlocked = probe::digests()?;
    report.check(
        "a key that is not its own unlocks nothing, and is said of that board alone",
        || {
            probe::play(wrong.bar3()?)?;
            soon(|| Status::read()?.is("/gpus/1/state", "not unlocked"))?;
            let status = Status::read()?;
            status.mentions("/tables/reason", "signature")?;
            status.is("/gpus/0/state", "unlocked")?;
            status.is("/tables/entries", TESLA_P40.len())
        },
    );
    report.check("the key of a listed board changes nothing", || {
        probe::play(listed.bar3()?)?;
        Status::read()?.is("/gpus/2/state", "listed")
    });
    report.check("neither has changed a byte of .rodata", || {
        equal(probe::digests()?.rodata == unlocked.rodata, true)
    });
    kernel::unload(MODULE)?;
    put_back(report, &before);
    kernel::unload(DRIVER)
}

/// 535, which lists the machine's only board.
pub fn listed(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    steps::prepare()?;
    kernel::load(DRIVER)?;
    let board = Board::find()?;
    let (device, subsystem) = board.ids()?;
    let own = |report: &mut Report, when: &str| {
        report.check(&format!("the driver's board check is its own {when}"), || {
            equal(probe::board_check(device, subsystem)?, 1).context("of the listed board")?;
            equal(probe::board_check(UNLISTED, 0)?, 0).context("of a board that is not listed")
        });
    };
    own(report, "without the module");
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, and nothing but the ioctl is hooked", || {
        soon(attached)?;
        let hooks = Status::read()?.hooks()?;
        ensure!(hooks.iter().all(|(name, _)| name.ends_with("ioctl")), "hooks: {hooks:?}");
        Ok(())
    });
    report.check("the status says that the board needs nothing", || {
        let status = Status::read()?;
        status.is("/gpus/0/device", "0x1b38")?;
        status.is("/gpus/0/state", "listed")?;
        status.is("/gpus/0/answered_as", serde_json::Value::Null)?;
        status.is("/gpus/0/profiles_gone", false)?;
        let text = status::text()?;
        ensure!(text.contains("10de:1b38: NVIDIA lists this board, it needs nothing\n"), "{text}");
        Ok(())
    });
    own(report, "with the module");
    report.check("its constants are as they were", || {
        equal(probe::digests()?.rodata == before.rodata, true)
    });
    kernel::unload(MODULE)?;
    own(report, "after rmmod");
    put_back(report, &before);
    kernel::unload(DRIVER)
}
