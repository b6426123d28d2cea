// SPDX-License-Identifier: GPL-2.0
//! 450 to 510: the capability tables decide alone.

use crate::logic::driver::site::{Branch, Proof};

pub(super) static BRANCH: Branch = Branch { sites: &[], needs_tables: true, proof: Proof::File };
