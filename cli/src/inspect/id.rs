// SPDX-License-Identifier: GPL-2.0
//! PCI IDs.

/// A PCI ID as it is shown.
pub fn id(id: u16) -> String {
    format!("{id:#06x}")
}
