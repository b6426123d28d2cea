// SPDX-License-Identifier: GPL-2.0
//! 570: 550's function, and its variable, whose store has moved out of line.
//!
//! Source: what public patches of the host builds 570.124.03, .133.10, .148.06 and .158.02 show of both sites.
//! No driver of the branch was at hand, so nobody here has seen that the patterns stand in one only once.

use super::v550;
use crate::logic::driver::site::{Branch, Change, Detour, Proof, Site, Store, SECOND_GATE};
use crate::logic::signature::Pattern;

pub(super) static BRANCH: Branch =
    Branch { sites: &SITES, needs_tables: false, proof: Proof::Published };

static SITES: [Site; 2] = [v550::BOARD_CHECK_SITE, SECOND_GATE_SITE];

pub(super) const SECOND_GATE_SITE: Site = Site {
    name: SECOND_GATE,
    // +0 test %eax,%eax; +2 jne +0xa5; +8 cmpb $0,?(%rbx); +15 jne ?; +17 movzbl ?(%rbx),%r14d; ...
    pattern: Pattern::new(
        "85 c0 0f 85 9d 00 00 00 80 bb ?? ?? 00 00 00 75 ?? 44 0f b6 b3 ?? ?? 00 00",
    ),
    // movl $0,0xc(%rbp); jmp +8
    detour: Some(Detour { at: 0xa5, bytes: &[0xc7, 0x45, 0x0c, 0, 0, 0, 0], back: 8 }),
    patched: &STORES_1,
    change: Change::Store(Store { jump: 2, stores: None, displacement: 0xc, value: 1, resume: 8 }),
};

/// Source: public patches, one of 570.124.03's file (nop; nop; jmp +0xa5, where they store 1), and one that
/// vGPU-Unlock-patcher makes when the driver is loaded (nop; movl $1,0xc(%rbp)).
const STORES_1: [Pattern; 2] = [
    Pattern::new("90 90 e9 9e 00 00 00 ?? 80 bb ?? ?? 00 00 00 75 ?? 44 0f b6 b3 ?? ?? 00 00"),
    Pattern::new("90 c7 45 0c 01 00 00 00 80 bb ?? ?? 00 00 00 75 ?? 44 0f b6 b3 ?? ?? 00 00"),
];
