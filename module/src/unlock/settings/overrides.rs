// SPDX-License-Identifier: GPL-2.0
//! The overrides in force, and those that are being put together.

use core::fmt;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::{AllocError, KVVec};

use crate::logic::params::overrides::{self, Section, Setting, Store};
use crate::logic::params::{Overrides, ParseError};

/// Bytes of all overrides together.
const MAX: usize = 65536;

/// Why overrides are not taken.
pub enum Wrong {
    /// They are not right.
    Text(ParseError),
    /// With these they would be more than [`MAX`].
    TooLong,
    /// Nothing was begun that could be committed.
    NotBegun,
    /// There is no memory.
    NoMemory,
}

impl From<ParseError> for Wrong {
    fn from(error: ParseError) -> Self {
        Self::Text(error)
    }
}

impl From<AllocError> for Wrong {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(error) => error.fmt(f),
            Self::TooLong => write!(f, "all overrides together would have more than {MAX} bytes"),
            Self::NotBegun => f.write_str("commit: expected a begin before it"),
            Self::NoMemory => f.write_str("no memory"),
        }
    }
}

/// Overrides that were read.
struct Set {
    text: KVVec<u8>,
    index: Index,
}

struct Index {
    sections: KVVec<Section>,
    settings: KVVec<Setting>,
}

impl Store for Index {
    type Error = Wrong;

    fn add_section(&mut self, section: Section) -> Result<(), Wrong> {
        Ok(self.sections.push(section, GFP_KERNEL)?)
    }

    fn add_setting(&mut self, setting: Setting) -> Result<(), Wrong> {
        Ok(self.settings.push(setting, GFP_KERNEL)?)
    }
}

impl Set {
    const EMPTY: Self = Self {
        text: KVVec::new(),
        index: Index { sections: KVVec::new(), settings: KVVec::new() },
    };

    fn read(text: KVVec<u8>) -> Result<Self, Wrong> {
        let mut set = Self { text, ..Self::EMPTY };
        overrides::read(&set.text, &mut set.index)?;
        Ok(set)
    }

    fn view(&self) -> Overrides<'_> {
        Overrides::new(&self.text, &self.index.sections, &self.index.settings)
    }
}

/// The overrides in force, and those that are to replace them.
pub struct Kept {
    in_force: Set,
    /// What was written since `begin`.
    staged: Option<KVVec<u8>>,
}

impl Kept {
    /// None.
    pub const EMPTY: Self = Self { in_force: Set::EMPTY, staged: None };

    /// Those in force.
    pub fn view(&self) -> Overrides<'_> {
        self.in_force.view()
    }

    /// Puts others in force.
    ///
    /// # Errors
    /// They are wrong; the old ones stay.
    pub fn replace(&mut self, text: &[u8]) -> Result<(), Wrong> {
        self.in_force = Set::read(copy(text)?)?;
        Ok(())
    }

    /// A write to `overrides_part`: `begin`, `commit`, `abort`, or sections. Between the first two, sections
    /// are put together; otherwise they replace those of their targets. Says whether others are in force.
    ///
    /// # Errors
    /// It is wrong, and nothing changes.
    pub fn part(&mut self, text: &[u8]) -> Result<bool, Wrong> {
        match text.trim_ascii() {
            b"begin" => self.staged = Some(KVVec::new()),
            b"abort" => self.staged = None,
            b"commit" => {
                let staged = self.staged.as_ref().ok_or(Wrong::NotBegun)?;
                self.in_force = Set::read(copy(staged)?)?;
                self.staged = None;
                return Ok(true);
            }
            text => {
                let part = Set::read(copy(text)?)?;
                if let Some(staged) = &self.staged {
                    let mut longer = copy(staged)?;
                    join(&mut longer, part.view().section_texts())?;
                    self.staged = Some(longer);
                } else {
                    let mut all = KVVec::new();
                    join(&mut all, self.view().not_in(&part.view()))?;
                    join(&mut all, part.view().section_texts())?;
                    self.in_force = Set::read(all)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Gives back the memory of those in force.
    pub fn forget(&mut self) {
        self.in_force = Set::EMPTY;
    }

    /// Gives back the memory of those that are being put together.
    pub fn forget_staged(&mut self) {
        self.staged = None;
    }
}

/// A copy of a text.
pub fn copy(text: &[u8]) -> Result<KVVec<u8>, AllocError> {
    let mut copy = KVVec::new();
    copy.extend_from_slice(text, GFP_KERNEL)?;
    Ok(copy)
}

/// Appends sections.
fn join<'a>(text: &mut KVVec<u8>, sections: impl Iterator<Item = &'a [u8]>) -> Result<(), Wrong> {
    for section in sections {
        if !text.is_empty() {
            text.push(b';', GFP_KERNEL)?;
        }
        text.extend_from_slice(section, GFP_KERNEL)?;
        if text.len() > MAX {
            return Err(Wrong::TooLong);
        }
    }
    Ok(())
}
