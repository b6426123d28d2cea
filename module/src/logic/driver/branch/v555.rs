// SPDX-License-Identifier: GPL-2.0
//! 555: 550's two sites, the second of which ends in a short jump.
//!
//! Source: Debian's 555.58.02, in whose text both patterns stand once, and which does what 550 does in a running
//! kernel: its gate stores 0 where the call in front failed, and 1 with us. It is the same function, which asks what
//! 570's asks (0xff000021 where 550 has 0xff00001a).

use super::v550;
use crate::logic::driver::site::{Branch, Change, Proof, Site, SECOND_GATE};
use crate::logic::signature::Pattern;

pub(super) static BRANCH: Branch = Branch { sites: &SITES, needs_tables: false, proof: Proof::Run };

static SITES: [Site; 2] = [
    v550::BOARD_CHECK_SITE,
    Site {
        name: SECOND_GATE,
        pattern: Pattern::new(
            "85 c0 74 07 c7 45 0c 00 00 00 00 44 0f b6 b3 ?? ?? 00 00 45 84 f6 74 7d",
        ),
        detour: None,
        patched: &[],
        change: Change::Store(v550::SECOND_GATE_STORE),
    },
];
