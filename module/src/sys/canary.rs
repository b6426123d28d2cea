// SPDX-License-Identifier: GPL-2.0
//! Do the kernel's hooks do anything at all?
//!
//! Both mechanisms can be switched off by a person, and then register hooks that never fire. So we
//! hook two functions of our own for as long as we are loaded, and look whether that is noticed.

use super::bindings as b;
use super::hook::{self, Hook};
use super::probe::{self, Effect, Probe};
use crate::logic::status::Reason;

/// Keeps ftrace from being switched off, and notices when it does nothing.
///
/// Held from our init to our exit where it can be had: switching ftrace off and on under other
/// hooks would break it until the next boot.
struct FtraceGuard(Hook);

impl FtraceGuard {
    /// Hooks our own function. ftrace can't be switched off from then on.
    ///
    /// # Errors
    /// ftrace is off, or can't be had.
    fn place() -> Result<Self, Reason> {
        match Hook::guard(c"vgpu_unlock:vu_traced") {
            Ok(hook) => Ok(Self(hook)),
            Err(hook::OFF) => Err(Reason::FtraceOff),
            Err(errno) => Err(Reason::Hook("ftrace guard", errno)),
        }
    }

    /// Calls the function and looks whether that was noticed.
    ///
    /// # Errors
    /// It was not.
    fn check(&self) -> Result<(), Reason> {
        let before = self.0.hits();
        // SAFETY: Returns its argument.
        unsafe { b::vu_traced(0) };
        if self.0.hits() == before {
            return Err(Reason::FtraceOff);
        }
        Ok(())
    }
}

/// Notices when kprobes do nothing.
struct KprobeCanary(Probe);

impl KprobeCanary {
    /// Hooks our own function.
    ///
    /// # Errors
    /// Kprobes are off, or can't be had.
    fn place() -> Result<Self, Reason> {
        // By name: a reference to the middle of a function would make objtool expect an ENDBR there.
        probe::address_of(c"vgpu_unlock:vu_canary_nop")
            .and_then(|nop| Probe::place(nop, Effect::Count))
            .map(Self)
            .map_err(|errno| probe::reason("kprobe canary", errno))
    }

    /// Calls the function and looks whether that was noticed.
    ///
    /// # Errors
    /// It was not.
    fn check(&self) -> Result<(), Reason> {
        let before = self.0.hits();
        // SAFETY: Does nothing.
        unsafe { b::vu_canary_run() };
        if self.0.hits() == before {
            return Err(Reason::KprobesOff);
        }
        Ok(())
    }
}

/// Both mechanisms, as far as they could be had so far.
pub struct Hooks {
    guard: Option<FtraceGuard>,
    canary: Option<KprobeCanary>,
}

impl Hooks {
    /// Neither.
    pub const NONE: Self = Self { guard: None, canary: None };

    /// Gets hold of what is still missing, and looks whether both do something.
    ///
    /// # Errors
    /// Which one does nothing. The next call tries again.
    pub fn arm(&mut self) -> Result<(), Reason> {
        if self.guard.is_none() {
            self.guard = Some(FtraceGuard::place()?);
        }
        if self.canary.is_none() {
            self.canary = Some(KprobeCanary::place()?);
        }
        self.check()
    }

    /// Looks whether both do something.
    ///
    /// # Errors
    /// Which one does nothing.
    pub fn check(&self) -> Result<(), Reason> {
        self.guard.as_ref().map_or(Err(Reason::FtraceOff), FtraceGuard::check)?;
        self.canary.as_ref().map_or(Err(Reason::KprobesOff), KprobeCanary::check)
    }
}
