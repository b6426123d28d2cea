// SPDX-License-Identifier: GPL-2.0
//! The whole story in a screenful, for a person who watches.

use anyhow::Result;

use super::{
    answers::{LISTED, UNLISTED},
    steps::{self, DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    board::Board,
    kernel, probe,
    report::{Report, equal},
    status,
};

/// The driver's answer in words.
fn answer(device: u16) -> Result<String> {
    let answer = probe::board_check(device, 0)?;
    let words = if answer == 0 { "no" } else { "yes" };
    Ok(format!("is {device:#06x} vGPU capable?  {words} ({answer})"))
}

fn ask(report: &mut Report, expected: u32) -> Result<()> {
    report.show(&format!("  the driver, asked: {}", answer(UNLISTED)?));
    report.check("the driver's answer is the expected one", || {
        equal(probe::board_check(UNLISTED, 0)?, expected)
    });
    Ok(())
}

pub fn run(report: &mut Report) -> Result<()> {
    report.announce_taint("POE");
    let board = Board::find()?;
    steps::prepare()?;
    kernel::load(DRIVER)?;
    let version = std::fs::read_to_string("/sys/module/nvidia/version").unwrap_or_default();
    let (device, version) = (board.attribute("device")?, version.trim());

    report.show(&format!(
        "Linux {}, NVIDIA's unmodified driver {version}, an emulated board at {}:",
        kernel::release()?,
        board.address
    ));
    report.show(&format!("  device {device}, which NVIDIA sells as a GeForce GTX 1080 Ti"));
    report.show(&format!("  (of a board that NVIDIA lists: {})", answer(LISTED)?));
    ask(report, 0)?;
    let before = probe::digests()?;

    report.show("\n# modprobe vgpu_unlock");
    kernel::load(MODULE)?;
    report.check("the module attaches", || soon(attached));
    ask(report, 1)?;

    report.show("\n# cat /sys/kernel/debug/vgpu_unlock/status");
    report.show(&status::text()?);

    report.show("\n# rmmod vgpu_unlock");
    kernel::unload(MODULE)?;
    ask(report, 0)?;
    let restored = report
        .check("the driver is as before, byte for byte", || unchanged(&before, &probe::digests()?));
    report.show(&format!(
        "  its code and constants in memory: {}",
        if restored { "as before, byte for byte" } else { "CHANGED" }
    ));
    kernel::unload(DRIVER)
}
