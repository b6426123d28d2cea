// SPDX-License-Identifier: GPL-2.0
//! What the user wants: the module's parameters.
//!
//! A value that is wrong changes nothing: the old one stays in force, and the log says where the
//! new one is wrong and what was expected.

use crate::lifecycle;
use crate::sys::log;
use crate::sys::param::Param;

/// Sets a parameter. May sleep.
///
/// # Errors
/// The value is wrong. The log has the details.
pub fn set(param: Param, value: &[u8]) -> Result<(), ()> {
    match param {
        Param::Enabled => {
            let on = switch(value).ok_or_else(|| {
                log::warn(format_args!("parameter enabled: expected 0 or 1, nothing was changed"));
            })?;
            lifecycle::set_enabled(on);
            Ok(())
        }
    }
}

/// Writes a parameter's value and a new line to `page`; returns how many bytes.
pub fn get(param: Param, page: &mut [u8]) -> usize {
    let value: &[u8] = match param {
        Param::Enabled if lifecycle::is_enabled() => b"1\n",
        Param::Enabled => b"0\n",
    };
    page.iter_mut().zip(value).map(|(to, from)| *to = *from).count()
}

/// The kernel's own spellings of a switch.
fn switch(value: &[u8]) -> Option<bool> {
    match value {
        b"1" | b"y" | b"Y" | b"on" => Some(true),
        b"0" | b"n" | b"N" | b"off" => Some(false),
        _ => None,
    }
}
