// SPDX-License-Identifier: GPL-2.0
//! 525: two functions, as in 535.
//!
//! That the second gate has 535's effect is by analogy: its bytes stand in 525 too, once. In a running kernel it
//! answers what 535's does, with us and without.

use super::v535;
use crate::logic::driver::site::{Branch, Proof, Site};

pub(super) static BRANCH: Branch = Branch { sites: &SITES, needs_tables: false, proof: Proof::Run };

static SITES: [Site; 2] = [v535::BOARD_CHECK_SITE, v535::SECOND_GATE_SITE];
