// SPDX-License-Identifier: GPL-2.0
//! 550: a function, and a variable in the middle of another.
//!
//! Source: what the community's binary patches for the host build 550.163.02 replace; the patterns
//! were derived from Debian's 550.163.01, and proven there in a running kernel.

use crate::logic::driver::site::{Branch, Change, Proof, Site, Store, BOARD_CHECK, SECOND_GATE};
use crate::logic::signature::Pattern;

pub(super) static BRANCH: Branch = Branch { sites: &SITES, needs_tables: false, proof: Proof::Run };

static SITES: [Site; 2] = [
    BOARD_CHECK_SITE,
    Site {
        name: SECOND_GATE,
        // +0 test %eax,%eax; +2 je +11; +4 movl $0,0xc(%rbp); +11 movzbl ?(%rbx),%r14d; ...
        pattern: Pattern::new(
            "85 c0 74 07 c7 45 0c 00 00 00 00 44 0f b6 b3 ?? ?? 00 00 45 84 f6 0f 84",
        ),
        detour: None,
        patched: &[],
        change: Change::Store(SECOND_GATE_STORE),
    },
];

pub(super) const BOARD_CHECK_SITE: Site = Site {
    name: BOARD_CHECK,
    pattern: Pattern::new(
        "41 56 41 55 53 48 83 ed 20 80 bf ?? ?? 00 00 00 c7 45 1c 00 00 00 00 \
         8b 9f ?? ?? 00 00 44 8b b7 ?? ?? 00 00 75 ??",
    ),
    detour: None,
    patched: &RETURNS_1,
    change: Change::Return(1),
};

pub(super) const SECOND_GATE_STORE: Store =
    Store { jump: 2, stores: Some(4), displacement: 0xc, value: 1, resume: 11 };

/// mov $1,%eax; ret, and what is left of the function. Source: public patches of 570.124.03 and 580.126.08,
/// which fill the rest with int3.
const RETURNS_1: [Pattern; 1] = [Pattern::new(
    "b8 01 00 00 00 c3 ?? ?? ?? 80 bf ?? ?? 00 00 00 c7 45 1c 00 00 00 00 \
     8b 9f ?? ?? 00 00 44 8b b7 ?? ?? 00 00 75 ??",
)];
