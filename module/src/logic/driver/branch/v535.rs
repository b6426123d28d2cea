// SPDX-License-Identifier: GPL-2.0
//! 535: two functions.
//!
//! Source: what the community's binary patches for the host build 535.247.02 replace; the patterns
//! were derived from Debian's builds of 525 and 535.

use crate::logic::driver::site::{Branch, Change, Proof, Site, BOARD_CHECK, SECOND_GATE};
use crate::logic::signature::Pattern;

pub(super) static BRANCH: Branch = Branch { sites: &SITES, needs_tables: false, proof: Proof::Run };

static SITES: [Site; 2] = [BOARD_CHECK_SITE, SECOND_GATE_SITE];

/// Begins by asking two bytes of the object, then compares the device ID with 0x1e30.
pub(super) const BOARD_CHECK_SITE: Site = Site {
    name: BOARD_CHECK,
    pattern: Pattern::new(
        "48 83 ec 08 48 83 ed 10 80 bf ?? ?? 00 00 00 b8 01 00 00 00 75 ?? \
         80 bf ?? ?? 00 00 00 75 ?? 0f b7 8f ?? ?? 00 00 81 f9 30 1e 00 00",
    ),
    detour: None,
    patched: &RETURNS_1,
    change: Change::Return(1),
};

/// Asks an engine through a function pointer, and returns whether it answered anything.
///
/// The call goes through a retpoline, which the module loader turns into `call *%rax` on CPUs that
/// need none: all five bytes of it are holes.
pub(super) const SECOND_GATE_SITE: Site = Site {
    name: SECOND_GATE,
    pattern: Pattern::new(
        "48 83 ec 08 48 83 ed 10 48 8b b7 ?? ?? 00 00 ba 1a 00 00 ff \
         c7 45 0c 00 00 00 00 48 8d 4d 0c 48 8b 86 ?? ?? 00 00 ?? ?? ?? ?? ?? \
         8b 45 0c 85 c0 0f 95 c0",
    ),
    detour: None,
    patched: &SETS_ABOVE_OR_EQUAL,
    change: Change::Return(5),
};

/// mov $1,%eax; ret, and what is left of the function. By analogy with 570: nobody has published it.
const RETURNS_1: [Pattern; 1] = [Pattern::new(
    "b8 01 00 00 00 c3 ?? ?? 80 bf ?? ?? 00 00 00 b8 01 00 00 00 75 ?? \
     80 bf ?? ?? 00 00 00 75 ?? 0f b7 8f ?? ?? 00 00 81 f9 30 1e 00 00",
)];

/// setae for setne, which is always true there. Source: the byte that VGPU-Community-Drivers'
/// vGPU-Unlock-patcher puts into host builds of 525 and 535.
const SETS_ABOVE_OR_EQUAL: [Pattern; 1] = [Pattern::new(
    "48 8b b7 ?? ?? 00 00 ba 1a 00 00 ff c7 45 0c 00 00 00 00 48 8d 4d 0c \
     48 8b 86 ?? ?? 00 00 ?? ?? ?? ?? ?? 8b 45 0c 85 c0 0f 93 c0",
)];
