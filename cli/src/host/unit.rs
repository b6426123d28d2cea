// SPDX-License-Identifier: GPL-2.0
//! Units of systemd.

use super::{Host, Seen};

/// Where they are, and what they are wanted by.
const DIRS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Whether there is a unit of this name.
///
/// # Errors
/// It can't be looked for.
pub fn is_installed(host: &Host, unit: &str) -> Seen<bool> {
    for dir in DIRS {
        if host.exists(&format!("{dir}/{unit}"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether systemd starts a unit. What wants it is a link, which leads wherever the unit is.
///
/// # Errors
/// It can't be looked for.
pub fn is_enabled(host: &Host, unit: &str) -> Seen<bool> {
    for dir in DIRS {
        for target in host.names(dir)? {
            let wants = [".wants", ".requires"].iter().any(|end| target.ends_with(end));
            if wants && host.exists(&format!("{dir}/{target}/{unit}"))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
