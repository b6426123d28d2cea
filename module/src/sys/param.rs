// SPDX-License-Identifier: GPL-2.0
//! The module's parameters, as the kernel hands them over: at load, and through sysfs.

use core::ffi::{c_char, c_int};

use super::bindings as b;
use super::{Errno, INVALID};

/// Bytes of a page, which a parameter's value must fit into.
const PAGE: usize = 4096;

/// Who keeps the parameters.
///
/// They can be set before our init and read after our exit.
pub trait Parameters {
    /// Sets one. May sleep.
    ///
    /// # Errors
    /// What the writer is told.
    fn set(param: Param, value: &[u8]) -> Result<(), Errno>;
    /// Writes the value of one and a new line to `page`; returns how many bytes.
    fn get(param: Param, page: &mut [u8]) -> usize;
    /// Gives back what one holds. Nobody sets or asks for it any more.
    fn free(param: Param);
}

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
    /// The same, of some targets only, or in more than one write.
    OverridesPart,
    /// What is logged.
    Verbosity,
    /// Whether `nvidia-vgpud` is kept from giving boards up.
    Vgpud,
}

impl Param {
    fn of(which: b::vu_param) -> Option<Self> {
        match which {
            b::vu_param_VU_PARAM_ENABLED => Some(Param::Enabled),
            b::vu_param_VU_PARAM_GPUS => Some(Param::Gpus),
            b::vu_param_VU_PARAM_MIGRATION => Some(Param::Migration),
            b::vu_param_VU_PARAM_OVERRIDES => Some(Param::Overrides),
            b::vu_param_VU_PARAM_OVERRIDES_PART => Some(Param::OverridesPart),
            b::vu_param_VU_PARAM_VERBOSITY => Some(Param::Verbosity),
            b::vu_param_VU_PARAM_VGPUD => Some(Param::Vgpud),
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
            Param::OverridesPart => "overrides_part",
            Param::Verbosity => "verbosity",
            Param::Vgpud => "vgpud",
        }
    }
}

/// A parameter is written.
///
/// # Safety
/// `text` points to `len` bytes.
pub unsafe fn set<P: Parameters>(which: b::vu_param, text: *const c_char, len: usize) -> c_int {
    let Some(param) = Param::of(which) else { return INVALID };
    // SAFETY: As the caller promises.
    let text = unsafe { core::slice::from_raw_parts(text.cast::<u8>(), len) };
    // What is written with echo ends in a new line.
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    P::set(param, text).map_or_else(|errno| errno, |()| 0)
}

/// A parameter is read.
///
/// # Safety
/// `page` points to a page.
pub unsafe fn get<P: Parameters>(which: b::vu_param, page: *mut c_char) -> c_int {
    let Some(param) = Param::of(which) else { return INVALID };
    // SAFETY: As the caller promises.
    let page = unsafe { core::slice::from_raw_parts_mut(page.cast::<u8>(), PAGE) };
    c_int::try_from(P::get(param, page)).unwrap_or(INVALID)
}

/// A parameter is done with.
pub fn free<P: Parameters>(which: b::vu_param) {
    if let Some(param) = Param::of(which) {
        P::free(param);
    }
}
