// SPDX-License-Identifier: GPL-2.0
//! The module's parameters, as the kernel hands them over: at load, and through sysfs.

use super::bindings as b;

/// Bytes of a page, which a parameter's value must fit into.
const PAGE: usize = 4096;

/// Which parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// Unlock, or leave the driver as it is.
    Enabled,
    /// What boards are answered as.
    Gpus,
    /// Whether the driver is said to be able to migrate vGPUs.
    Migration,
    /// What is changed about vGPU types and vGPUs.
    Overrides,
    /// What is logged.
    Verbosity,
}

impl Param {
    fn of(which: b::vu_param) -> Option<Self> {
        match which {
            b::vu_param_VU_PARAM_ENABLED => Some(Param::Enabled),
            b::vu_param_VU_PARAM_GPUS => Some(Param::Gpus),
            b::vu_param_VU_PARAM_MIGRATION => Some(Param::Migration),
            b::vu_param_VU_PARAM_OVERRIDES => Some(Param::Overrides),
            b::vu_param_VU_PARAM_VERBOSITY => Some(Param::Verbosity),
            _ => None,
        }
    }

    /// As the user writes it.
    pub fn name(self) -> &'static str {
        match self {
            Param::Enabled => "enabled",
            Param::Gpus => "gpus",
            Param::Migration => "migration",
            Param::Overrides => "overrides",
            Param::Verbosity => "verbosity",
        }
    }
}

const EINVAL: core::ffi::c_int = -22;

#[no_mangle]
unsafe extern "C" fn vu_param_set(
    which: b::vu_param,
    text: *const u8,
    len: usize,
) -> core::ffi::c_int {
    let Some(param) = Param::of(which) else { return EINVAL };
    // SAFETY: The shim hands us a string and its length.
    let text = unsafe { core::slice::from_raw_parts(text, len) };
    // What is written with echo ends in a new line.
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    match crate::unlock::settings::set(param, text) {
        Ok(()) => 0,
        Err(()) => EINVAL,
    }
}

#[no_mangle]
unsafe extern "C" fn vu_param_get(which: b::vu_param, buffer: *mut u8) -> core::ffi::c_int {
    let Some(param) = Param::of(which) else { return EINVAL };
    // SAFETY: The kernel hands us a page.
    let page = unsafe { core::slice::from_raw_parts_mut(buffer, PAGE) };
    let len = crate::unlock::settings::get(param, page);
    i32::try_from(len).unwrap_or(EINVAL)
}
