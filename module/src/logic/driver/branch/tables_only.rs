// SPDX-License-Identifier: GPL-2.0
//! 450 to 510: the capability tables decide alone.

use super::Branch;

pub(super) static BRANCH: Branch = Branch { sites: &[], unlisted: &[] };
