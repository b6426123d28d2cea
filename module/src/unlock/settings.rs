// SPDX-License-Identifier: GPL-2.0
//! What the user wants: the module's parameters. Their grammar is in [`crate::logic::params`].
//!
//! A value that is wrong changes nothing: the old one stays in force, and the log says where the
//! new one is wrong and what was expected.

use crate::logic::params::{self, Gpus, Overrides, ParseError, Verbosity};
use crate::sys::lock::{Mutexed, PolicyMutex};
use crate::sys::log;
use crate::sys::param::Param;
use crate::unlock::lifecycle;

/// Bytes of the longest value: a page, less what ends it.
const MAX_VALUE: usize = 4094;

/// A value that was read and found right.
struct Value {
    bytes: [u8; MAX_VALUE],
    len: usize,
}

impl Value {
    const EMPTY: Self = Self { bytes: [0; MAX_VALUE], len: 0 };

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Takes a value that fits; `set` has seen to that.
    fn replace(&mut self, value: &[u8]) {
        self.bytes.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        self.len = value.len().min(MAX_VALUE);
    }
}

struct Policy {
    gpus: Value,
    overrides: Value,
    migration: bool,
    verbosity: Verbosity,
}

static POLICY: Mutexed<Policy, PolicyMutex> = Mutexed::new(Policy {
    gpus: Value::EMPTY,
    overrides: Value::EMPTY,
    migration: false,
    verbosity: Verbosity::Normal,
});

/// The policy as those need it who follow it.
pub struct View<'a> {
    /// What boards are answered as.
    pub gpus: Gpus<'a>,
    /// What is changed about vGPU types and vGPUs.
    pub overrides: Overrides<'a>,
    /// Whether the driver is said to be able to migrate vGPUs.
    pub migration: bool,
}

/// Shows the policy to `f`. May sleep.
pub fn with<R>(f: impl FnOnce(&View<'_>) -> R) -> R {
    let policy = POLICY.lock();
    f(&View {
        // Both were found right when they were set.
        gpus: Gpus::accepted(policy.gpus.as_slice()),
        overrides: Overrides::accepted(policy.overrides.as_slice()),
        migration: policy.migration,
    })
}

/// Sets a parameter. May sleep.
///
/// # Errors
/// The value is wrong. The log has the details.
pub fn set(param: Param, value: &[u8]) -> Result<(), ()> {
    try_set(param, value).map_err(|error| {
        let name = param.name();
        log::warn(format_args!("parameter {name} is wrong, nothing was changed: {error}"));
    })
}

fn try_set(param: Param, value: &[u8]) -> Result<(), ParseError> {
    if value.len() > MAX_VALUE {
        let expected = "no more than 4094 bytes";
        return Err(ParseError { at: MAX_VALUE, what: param.name(), expected });
    }
    match param {
        Param::Enabled => lifecycle::set_enabled(params::parse_switch(param.name(), value)?),
        Param::Migration => {
            POLICY.lock().migration = params::parse_switch(param.name(), value)?;
        }
        Param::Verbosity => {
            let verbosity = params::parse_verbosity(value)?;
            POLICY.lock().verbosity = verbosity;
            log::set_verbosity(verbosity);
        }
        Param::Overrides => {
            Overrides::parse(value)?;
            POLICY.lock().overrides.replace(value);
            lifecycle::reconsider_types();
        }
        Param::Gpus => {
            Gpus::parse(value)?;
            let changed = {
                let mut policy = POLICY.lock();
                let changed = policy.gpus.as_slice() != value;
                policy.gpus.replace(value);
                changed
            };
            if changed {
                lifecycle::reconsider();
            }
        }
    }
    Ok(())
}

/// Writes a parameter's value and a new line to `page`; returns how many bytes.
pub fn get(param: Param, page: &mut [u8]) -> usize {
    let mut put = |value: &[u8]| {
        let line = value.iter().chain(b"\n");
        page.iter_mut().zip(line).map(|(to, from)| *to = *from).count()
    };
    let switch = |on: bool| if on { b"1" } else { b"0" };
    match param {
        Param::Enabled => put(switch(lifecycle::is_enabled())),
        Param::Migration => put(switch(POLICY.lock().migration)),
        Param::Verbosity => put(match POLICY.lock().verbosity {
            Verbosity::Quiet => b"0",
            Verbosity::Normal => b"1",
            Verbosity::Detailed => b"2",
        }),
        Param::Overrides => put(POLICY.lock().overrides.as_slice()),
        Param::Gpus => put(POLICY.lock().gpus.as_slice()),
    }
}
