// SPDX-License-Identifier: GPL-2.0
//! What the user wants: the module's parameters. Their grammar is in [`crate::logic::params`].
//!
//! A value that is wrong changes nothing: the old one stays in force, and the log says where the
//! new one is wrong and what was expected.

mod overrides;

use kernel::alloc::KVVec;

use self::overrides::{Kept, Wrong};
use crate::logic::params::{self, Gpus, Overrides, ParseError, Verbosity};
use crate::sys::lock::{Mutexed, SettingsMutex};
use crate::sys::log;
use crate::sys::param::Param;

/// Bytes of the longest value: a page, less what ends it.
const MAX_VALUE: usize = 4094;

struct Settings {
    enabled: bool,
    gpus: KVVec<u8>,
    overrides: Kept,
    migration: bool,
    verbosity: Verbosity,
    vgpud: bool,
}

static SETTINGS: Mutexed<Settings, SettingsMutex> = Mutexed::new(Settings {
    enabled: true,
    gpus: KVVec::new(),
    overrides: Kept::EMPTY,
    migration: false,
    verbosity: Verbosity::Normal,
    vgpud: true,
});

/// The settings as those need them who follow them.
pub struct View<'a> {
    /// What boards are answered as.
    pub gpus: Gpus<'a>,
    /// What is changed about vGPU types and vGPUs.
    pub overrides: Overrides<'a>,
    /// Whether the driver is said to be able to migrate vGPUs.
    pub migration: bool,
    /// Whether `nvidia-vgpud` is kept from giving boards up.
    pub vgpud: bool,
}

/// Shows the settings to `f`. May sleep.
pub fn with<R>(f: impl FnOnce(&View<'_>) -> R) -> R {
    let settings = SETTINGS.lock();
    f(&View {
        // They were found right when they were set.
        gpus: Gpus::accepted(&settings.gpus),
        overrides: settings.overrides.view(),
        migration: settings.migration,
        vgpud: settings.vgpud,
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

fn try_set(param: Param, value: &[u8]) -> Result<Change, Wrong> {
    if value.len() > MAX_VALUE {
        let expected = "no more than 4094 bytes";
        return Err(ParseError { at: MAX_VALUE, what: param.name(), expected }.into());
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
        Param::Vgpud => {
            SETTINGS.lock().vgpud = params::parse_switch(param.name(), value)?;
        }
        Param::Verbosity => {
            let verbosity = params::parse_verbosity(value)?;
            SETTINGS.lock().verbosity = verbosity;
            log::set_verbosity(verbosity);
        }
        Param::Overrides => {
            SETTINGS.lock().overrides.replace(value)?;
            return Ok(Change::Types);
        }
        Param::OverridesPart => {
            if SETTINGS.lock().overrides.part(value)? {
                return Ok(Change::Types);
            }
        }
        Param::Gpus => {
            Gpus::parse(value)?;
            let mut settings = SETTINGS.lock();
            if *settings.gpus != *value {
                settings.gpus = overrides::copy(value)?;
                return Ok(Change::Boards);
            }
        }
    }
    Ok(Change::Nothing)
}

/// Writes a parameter's value and a new line to `page`; returns how many bytes.
pub fn get(param: Param, page: &mut [u8]) -> usize {
    let mut page = Page { bytes: page, len: 0 };
    let switch = |on: bool| if on { b"1" } else { b"0" };
    match param {
        Param::Enabled => page.put(switch(SETTINGS.lock().enabled)),
        Param::Migration => page.put(switch(SETTINGS.lock().migration)),
        Param::Vgpud => page.put(switch(SETTINGS.lock().vgpud)),
        Param::Verbosity => page.put(match SETTINGS.lock().verbosity {
            Verbosity::Quiet => b"0",
            Verbosity::Normal => b"1",
            Verbosity::Detailed => b"2",
        }),
        Param::Overrides => {
            with(|settings| page.put_sections(&settings.overrides));
        }
        Param::Gpus => page.put(&SETTINGS.lock().gpus),
        Param::OverridesPart => {}
    }
    page.put(b"\n");
    page.len
}

/// Hands `put` every section of the overrides in force, as it was written. May sleep.
pub fn sections(mut put: impl FnMut(&[u8])) {
    with(|settings| settings.overrides.section_texts().for_each(&mut put));
}

/// Gives back what a parameter holds.
pub fn free(param: Param) {
    match param {
        Param::Gpus => SETTINGS.lock().gpus = KVVec::new(),
        Param::Overrides => SETTINGS.lock().overrides.forget(),
        Param::OverridesPart => SETTINGS.lock().overrides.forget_staged(),
        Param::Enabled | Param::Migration | Param::Verbosity | Param::Vgpud => {}
    }
}

/// A page that is being filled; what is too much is left out.
struct Page<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Page<'_> {
    fn put(&mut self, text: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.len).zip(text);
        let put = room.map(|(to, from)| *to = *from).count();
        self.len = self.len.saturating_add(put);
    }

    /// What was set with one write, as it was written; otherwise as many sections as there is room for, and
    /// dots where that is not all.
    fn put_sections(&mut self, overrides: &Overrides<'_>) {
        const MORE: &[u8] = b";...";
        if overrides.text().len() <= MAX_VALUE {
            return self.put(overrides.text());
        }
        for section in overrides.section_texts() {
            let end = self.len.saturating_add(section.len()).saturating_add(MORE.len());
            if end >= MAX_VALUE {
                break;
            }
            if self.len != 0 {
                self.put(b";");
            }
            self.put(section);
        }
        self.put(MORE);
    }
}
