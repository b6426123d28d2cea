// SPDX-License-Identifier: GPL-2.0
//! What the user wants: the module's parameters. Their grammar is in [`crate::logic::params`].
//!
//! A value that is wrong changes nothing: the old one stays in force, and the log says where the
//! new one is wrong and what was expected.

use crate::logic::params::{self, Gpus, Overrides, ParseError, Verbosity};
use crate::sys::lock::{Mutexed, SettingsMutex};
use crate::sys::log;
use crate::sys::param::Param;

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

struct Settings {
    enabled: bool,
    gpus: Value,
    overrides: Value,
    migration: bool,
    verbosity: Verbosity,
}

static SETTINGS: Mutexed<Settings, SettingsMutex> = Mutexed::new(Settings {
    enabled: true,
    gpus: Value::EMPTY,
    overrides: Value::EMPTY,
    migration: false,
    verbosity: Verbosity::Normal,
});

/// The settings as those need them who follow them.
pub struct View<'a> {
    /// What boards are answered as.
    pub gpus: Gpus<'a>,
    /// What is changed about vGPU types and vGPUs.
    pub overrides: Overrides<'a>,
    /// Whether the driver is said to be able to migrate vGPUs.
    pub migration: bool,
}

/// Shows the settings to `f`. May sleep.
pub fn with<R>(f: impl FnOnce(&View<'_>) -> R) -> R {
    let settings = SETTINGS.lock();
    f(&View {
        // Both were found right when they were set.
        gpus: Gpus::accepted(settings.gpus.as_slice()),
        overrides: Overrides::accepted(settings.overrides.as_slice()),
        migration: settings.migration,
    })
}

/// What has to be done because a parameter was set.
pub enum Change {
    /// Nothing: it counts from now on.
    Nothing,
    /// The driver is to be unlocked, or left as it is.
    Switch(bool),
    /// Boards are to be answered otherwise.
    Boards,
    /// Other types may have to be hidden.
    Types,
}

/// Sets a parameter. May sleep.
///
/// # Errors
/// The value is wrong. The log has the details.
pub fn set(param: Param, value: &[u8]) -> Result<Change, ()> {
    try_set(param, value).map_err(|error| {
        let name = param.name();
        log::warn(format_args!("parameter {name} is wrong, nothing was changed: {error}"));
    })
}

fn try_set(param: Param, value: &[u8]) -> Result<Change, ParseError> {
    if value.len() > MAX_VALUE {
        let expected = "no more than 4094 bytes";
        return Err(ParseError { at: MAX_VALUE, what: param.name(), expected });
    }
    match param {
        Param::Enabled => {
            let enabled = params::parse_switch(param.name(), value)?;
            SETTINGS.lock().enabled = enabled;
            return Ok(Change::Switch(enabled));
        }
        Param::Migration => {
            SETTINGS.lock().migration = params::parse_switch(param.name(), value)?;
        }
        Param::Verbosity => {
            let verbosity = params::parse_verbosity(value)?;
            SETTINGS.lock().verbosity = verbosity;
            log::set_verbosity(verbosity);
        }
        Param::Overrides => {
            Overrides::parse(value)?;
            SETTINGS.lock().overrides.replace(value);
            return Ok(Change::Types);
        }
        Param::Gpus => {
            Gpus::parse(value)?;
            let mut settings = SETTINGS.lock();
            if settings.gpus.as_slice() != value {
                settings.gpus.replace(value);
                return Ok(Change::Boards);
            }
        }
    }
    Ok(Change::Nothing)
}

/// Writes a parameter's value and a new line to `page`; returns how many bytes.
pub fn get(param: Param, page: &mut [u8]) -> usize {
    let mut put = |value: &[u8]| {
        let line = value.iter().chain(b"\n");
        page.iter_mut().zip(line).map(|(to, from)| *to = *from).count()
    };
    let switch = |on: bool| if on { b"1" } else { b"0" };
    match param {
        Param::Enabled => put(switch(SETTINGS.lock().enabled)),
        Param::Migration => put(switch(SETTINGS.lock().migration)),
        Param::Verbosity => put(match SETTINGS.lock().verbosity {
            Verbosity::Quiet => b"0",
            Verbosity::Normal => b"1",
            Verbosity::Detailed => b"2",
        }),
        Param::Overrides => put(SETTINGS.lock().overrides.as_slice()),
        Param::Gpus => put(SETTINGS.lock().gpus.as_slice()),
    }
}
