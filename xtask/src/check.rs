// SPDX-License-Identifier: GPL-2.0
//! What every kind of test comes to.

use anyhow::Result;

/// One named check and its outcome.
#[derive(Debug)]
pub struct Check {
    /// What must hold.
    pub name: String,
    /// Whether it does; otherwise, what is the case.
    pub result: Result<()>,
}
