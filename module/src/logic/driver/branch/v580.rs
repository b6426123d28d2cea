// SPDX-License-Identifier: GPL-2.0
//! 580: both sites as in 570.
//!
//! Source: public patches of the host builds 580.95.02, .126.08, .159.01 and .178.05. They show the beginnings
//! of both sites and the zero that is stored out of line; the rest is what other projects search for.

use super::{v550, v570};
use crate::logic::driver::site::{Branch, Proof, Site};

pub(super) static BRANCH: Branch =
    Branch { sites: &SITES, needs_tables: false, proof: Proof::Published };

static SITES: [Site; 2] = [v550::BOARD_CHECK_SITE, v570::SECOND_GATE_SITE];
