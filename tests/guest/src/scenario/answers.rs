// SPDX-License-Identifier: GPL-2.0
//! What the driver answers, with us and without.

use anyhow::{Context, Result};

use crate::{
    probe,
    report::{Report, equal},
};

/// The emulated board, which no driver lists, and one that every driver from 525 on lists.
pub const UNLISTED: u16 = 0x1b06;
pub const LISTED: u16 = 0x1db6;

/// How a branch's second gate answers.
#[derive(Clone, Copy)]
pub enum Gate {
    /// Within a function: it stores 0 where the call in front failed, and leaves the value where
    /// it did not. Unlocked it stores 1 either way.
    Store,
    /// A function of its own: what it returns for an empty object. Unlocked it returns 5.
    Return(u32),
}

const FAILED: u32 = 1;
const SUCCEEDED: u32 = 0;
/// A value that neither the driver nor the module stores.
const BEFORE: u32 = 7;

fn gate_is(status: u32, expected: u32) -> Result<()> {
    equal(probe::second_gate(status, BEFORE)?, expected)
        .with_context(|| format!("behind a call with status {status}"))
}

/// The driver's own answers.
pub fn factory(report: &mut Report, gate: Gate, when: &str) {
    report.check(&format!("board check of an unlisted board is 0 {when}"), || {
        equal(probe::board_check(UNLISTED, 0)?, 0)
    });
    report.check(&format!("board check of a listed board is 1 {when}"), || {
        equal(probe::board_check(LISTED, 0)?, 1)
    });
    report.check(&format!("second gate is the driver's own {when}"), || match gate {
        Gate::Store => gate_is(FAILED, 0).and_then(|()| gate_is(SUCCEEDED, BEFORE)),
        Gate::Return(value) => gate_is(SUCCEEDED, value),
    });
}

/// The answers with the module.
pub fn unlocked(report: &mut Report, gate: Gate, when: &str) {
    report.check(&format!("board check of an unlisted board is 1 {when}"), || {
        equal(probe::board_check(UNLISTED, 0)?, 1)
    });
    report.check(&format!("board check of a listed board is still 1 {when}"), || {
        equal(probe::board_check(LISTED, 0)?, 1)
    });
    report.check(&format!("second gate is open {when}"), || match gate {
        Gate::Store => gate_is(FAILED, 1).and_then(|()| gate_is(SUCCEEDED, 1)),
        Gate::Return(_) => gate_is(SUCCEEDED, 5),
    });
}
