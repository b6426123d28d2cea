// SPDX-License-Identifier: GPL-2.0
//! Do the kernel's hooks do anything at all?
//!
//! Both mechanisms can be switched off by a person, and then register hooks that never fire. So we
//! hook two functions of our own for as long as we are loaded, and look whether that is noticed.

use super::bindings as b;
use super::ftrace::{Listener, Listening};
use super::kprobe::{self, Effect, Probe};
use super::Errno;
use crate::status::Reason;

const NO_ENTRY: Errno = -2;

/// Our own two functions, hooked.
pub struct Canary {
    ftrace: Listening<Nobody>,
    kprobe: Probe,
}

/// Listens, and leaves the counting to the hook.
struct Nobody;

impl Listener for Nobody {
    fn called(&self, _: [usize; 3]) {}
}

static NOBODY: Nobody = Nobody;

/// A mechanism does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// ftrace.
    Ftrace,
    /// Kprobes.
    Kprobes,
}

impl From<Dead> for Reason {
    fn from(dead: Dead) -> Self {
        match dead {
            Dead::Ftrace => Reason::FtraceOff,
            Dead::Kprobes => Reason::KprobesOff,
        }
    }
}

impl Canary {
    /// Hooks our own functions. ftrace can't be switched off from then on.
    ///
    /// # Errors
    /// Which mechanism can't be had, and the kernel's error number.
    pub fn place() -> Result<Self, (Dead, Errno)> {
        // SAFETY: The listener is a static.
        let ftrace = unsafe { Listening::place(c"vgpu_unlock:vu_traced", true, &NOBODY) }
            .map_err(|errno| (Dead::Ftrace, errno))?;
        // By name: a reference to the middle of a function would make objtool expect an ENDBR there.
        let nop =
            kprobe::address_of(c"vgpu_unlock:vu_canary_nop").ok_or((Dead::Kprobes, NO_ENTRY))?;
        let kprobe = Probe::place(nop, Effect::Count).map_err(|errno| (Dead::Kprobes, errno))?;
        Ok(Self { ftrace, kprobe })
    }

    /// Calls both functions and says which mechanism did not notice.
    pub fn check(&self) -> Result<(), Dead> {
        let before = self.ftrace.hits();
        // SAFETY: Returns its argument.
        unsafe { b::vu_traced(0) };
        if self.ftrace.hits() == before {
            return Err(Dead::Ftrace);
        }
        let before = self.kprobe.hits();
        // SAFETY: Does nothing.
        unsafe { b::vu_canary_run() };
        if self.kprobe.hits() == before {
            return Err(Dead::Kprobes);
        }
        Ok(())
    }
}
