// SPDX-License-Identifier: GPL-2.0
//! 450 to 510: the capability tables decide alone.

use crate::logic::driver::site::{Branch, Proof};

/// 450, 460 and 470.
pub(super) static RUN: Branch = tables(Proof::Run);

/// Those between and behind them.
pub(super) static NOT_RUN: Branch = tables(Proof::File);

const fn tables(proof: Proof) -> Branch {
    Branch { sites: &[], needs_tables: true, proof }
}
