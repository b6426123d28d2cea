// SPDX-License-Identifier: GPL-2.0
//! What is unpacked of a kernel says which release it is.

use serde::{Deserialize, Serialize};

/// One release of a target.
#[derive(Debug, Serialize, Deserialize)]
pub struct Release {
    /// As `uname -r` prints it.
    pub release: String,
    /// The packages' version, or the tarball that it was built of.
    pub version: String,
}
