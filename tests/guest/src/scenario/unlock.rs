// SPDX-License-Identifier: GPL-2.0
//! The table unlock: what a vGPU's start sets off, checked entry by entry.

use anyhow::Result;

use super::steps::soon;
use crate::{
    board::{Board, KEY, MAGIC},
    expected::{TESLA_P40, VgpuType},
    probe,
    report::{Report, equal},
    status::Status,
    tables,
};

/// Plays the blob with the right key and checks what it leaves behind.
pub fn succeeds(report: &mut Report, board: &Board) -> Result<()> {
    succeeds_as(report, board, &TESLA_P40)
}

/// The same where the board is answered as the one that has `types`.
pub fn succeeds_as(report: &mut Report, board: &Board, types: &[VgpuType]) -> Result<()> {
    let before = probe::rodata()?;
    let first = tables::sacrificial(&before)?;

    report.check("the driver still reads its magic and key", || {
        equal(probe::play(board.bar3()?)?, [MAGIC, KEY].concat())
    });
    report.check("the status says that the tables were rewritten", || {
        soon(|| {
            let status = Status::read()?;
            status.is("/tables/state", "rewritten")?;
            status.is("/tables/entries", types.len())
        })
    });
    let after = probe::rodata()?;
    let count = types.len();
    report.check(
        &format!("{count} triples from the sacrificial one on changed, and nothing else"),
        || tables::only_triples_changed(&before, &after, first, count),
    );
    for (index, expected) in types.iter().enumerate() {
        report.check(&format!("entry {index} is a signed {}", expected.name), || {
            tables::entry(&after, (first, index), (&MAGIC, &KEY), expected)
        });
    }
    report.check("the same key again changes nothing more", || {
        probe::play(board.bar3()?)?;
        equal(probe::rodata()?.bytes == after.bytes, true)
    });
    Ok(())
}
