// SPDX-License-Identifier: GPL-2.0
//! Kprobes that change what a piece of the driver does.
//!
//! Registering is not firing: that the kernel could not arm a probe is an error here. That all kprobes
//! were switched off by hand no call reports; see [`super::canary`].

use core::ffi::{c_int, c_long, c_ulong, CStr};
use core::ptr::NonNull;

use super::bindings as b;
use super::{Errno, AGAIN};
use crate::logic::status::Reason;

/// What a probe does where it stands.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Returns this value to the caller of the function that begins here.
    Return(u32),
    /// Stores a value and goes on elsewhere.
    Store {
        /// The variable's distance from `%rbp`.
        displacement: u8,
        /// What is stored, four bytes.
        value: u32,
        /// Address to go on at.
        resume: usize,
    },
    /// Counts, and lets the instruction run.
    Count,
}

impl Effect {
    fn raw(self) -> b::vu_effect {
        let nothing = b::vu_effect {
            kind: b::vu_effect_kind_VU_EFFECT_COUNT,
            value: 0,
            displacement: 0,
            resume: 0,
        };
        match self {
            Effect::Count => nothing,
            Effect::Return(value) => {
                b::vu_effect { kind: b::vu_effect_kind_VU_EFFECT_RETURN, value, ..nothing }
            }
            Effect::Store { displacement, value, resume } => b::vu_effect {
                kind: b::vu_effect_kind_VU_EFFECT_STORE,
                value,
                displacement: displacement.into(),
                resume: resume as c_ulong,
            },
        }
    }
}

/// A kprobe in place. Dropping it puts the instruction back and waits for running handlers.
///
/// Where the kernel can't do that any more, [`super::hook::is_stuck`] says so.
pub struct Probe(NonNull<b::vu_probe>);

// SAFETY: The kernel looks after the probe itself.
unsafe impl Send for Probe {}
// SAFETY: As above; what can be asked are counters.
unsafe impl Sync for Probe {}

impl Probe {
    /// Places a probe at `address`.
    ///
    /// The caller has proven, by its bytes, that an instruction begins there at which `effect`
    /// makes sense: [`Effect::Return`] where the stack pointer still points to the return address,
    /// [`Effect::Store`] where `%rbp` points to the frame that holds the variable.
    ///
    /// # Errors
    /// The kernel's error number, [`AGAIN`] where kprobes are off; nothing is left behind.
    pub fn place(address: usize, effect: Effect) -> Result<Self, Errno> {
        let mut error: c_int = 0;
        // SAFETY: It makes sense there, as the caller has proven.
        let probe = unsafe { b::vu_probe_place(address as c_ulong, &effect.raw(), &mut error) };
        NonNull::new(probe).map(Self).ok_or(error)
    }

    /// How often the probe was hit.
    pub fn hits(&self) -> u64 {
        // SAFETY: The probe is there until we are dropped.
        unsafe { b::vu_probe_hits(self.0.as_ptr()) }
    }

    /// How often the kernel skipped it, because another probe's handler was running.
    pub fn misses(&self) -> u64 {
        // SAFETY: As above.
        unsafe { b::vu_probe_misses(self.0.as_ptr()) }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // SAFETY: Placed by `place`, and nobody uses it any more.
        unsafe { b::vu_probe_remove(self.0.as_ptr()) };
    }
}

/// What a hook that is called `name` was refused for.
pub fn reason(name: &'static str, errno: Errno) -> Reason {
    match errno {
        // The kernel took the probe but did not arm it, because someone switched all kprobes off.
        AGAIN => Reason::KprobesOff,
        errno => Reason::Hook(name, errno),
    }
}

/// The address a probe of the kernel or of a module's `name` (`module:symbol`) would get.
///
/// For a function that begins with ENDBR that is the instruction behind it.
///
/// # Errors
/// The kernel's error number: [`super::NO_ENTRY`] where there is no such symbol, and any other where nobody can
/// say.
pub fn address_of(name: &'static CStr) -> Result<usize, Errno> {
    // SAFETY: A string.
    let address = unsafe { b::vu_address_of(name.as_ptr()) };
    // The last page has no addresses but error numbers.
    match address as c_long {
        error @ -4095..=-1 => Err(error as Errno),
        _ => Ok(address as usize),
    }
}
