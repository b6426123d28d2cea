// SPDX-License-Identifier: GPL-2.0
//! `apply`: loads overrides.toml into the running module, however many sections it has.

mod chunks;
mod in_force;
pub mod memory;
mod module;
mod settings;

use anyhow::{Context, Result, bail, ensure};

use crate::host::{Host, Seen};
use crate::profile::{BoardMemory, Import, MAX_PARAMETER, Section, overrides};

pub use in_force::InForce;
pub use module::{Module, Parameter, takes_pieces, too_old};
pub use settings::{Change, Settings};

/// So many bytes of overrides the module holds.
pub const MAX_OVERRIDES: usize = 65536;

/// Checks the text of a file for the boards of a host.
pub fn read(host: &Host, name: &str, text: &str) -> Import {
    let mut import = Import::default();
    if let Some(memory) = BoardMemory::of_host(&host.path("/")) {
        import.set_board(memory);
    }
    import.profiles(name, text);
    import
}

/// What a file asks for.
#[derive(Debug)]
pub struct Wanted {
    /// What it comes to.
    pub settings: Settings,
    text: String,
    sections: Vec<Section>,
}

impl Wanted {
    /// Takes it from files that were read.
    ///
    /// # Errors
    /// A line was wrong, or it is more than the module holds.
    pub fn of(import: &Import) -> Result<Self> {
        let Some(sections) = import.sections() else {
            bail!("nothing was loaded, because of the errors above; what is in force stays");
        };
        let text = overrides(sections);
        let settings = match Settings::parse(&text) {
            Ok(settings) => settings,
            Err(error) => bail!("the overrides are wrong, {error}:\n{text}"),
        };
        ensure!(
            text.len() <= MAX_OVERRIDES,
            "the overrides have {} bytes, the module holds {MAX_OVERRIDES}: leave settings away that a type \
             and its machines share",
            text.len()
        );
        Ok(Self { settings, text, sections: sections.to_vec() })
    }

    /// How many bytes the module has to hold.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }
}

/// A file and a module whose overrides it is to replace.
pub struct Step<'a> {
    host: &'a Host,
    wanted: &'a Wanted,
    /// What is in force now, where that can be seen.
    before: Seen<Settings>,
}

impl<'a> Step<'a> {
    /// Looks at the module, and changes nothing.
    pub fn new(host: &'a Host, wanted: &'a Wanted) -> Self {
        Self { host, wanted, before: in_force(host) }
    }

    /// What will change.
    ///
    /// # Errors
    /// What is in force can't be seen.
    pub fn changes(&self) -> Seen<Vec<Change>> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        Ok(before.difference(&self.wanted.settings))
    }

    /// Loads what the file asks for.
    ///
    /// # Errors
    /// The module does not take it. What is in force then is what was before, unless the text says
    /// something else.
    pub fn load(&self, module: &dyn Module) -> Result<()> {
        self.put(module).with_context(|| format!("nothing was loaded; {}", self.stays()))?;
        // Where it can't be read, the module's word has to do.
        let Ok(now) = in_force(self.host) else { return Ok(()) };
        let others = now.difference(&self.wanted.settings);
        match others.first() {
            None => Ok(()),
            Some(first) => bail!(
                "the module took it, but has something else in force: {first}; is something else \
                 writing overrides?"
            ),
        }
    }

    fn put(&self, module: &dyn Module) -> Result<()> {
        match takes_pieces(self.host) {
            Ok(true) => {
                let pieces = chunks::chunks(&self.wanted.sections, MAX_PARAMETER)?;
                module::load_pieces(module, &pieces)
            }
            Ok(false) => module::load_all(module, &self.wanted.text),
            Err(unseen) => bail!("{unseen}"),
        }
    }

    /// What is in force after a failure.
    fn stays(&self) -> String {
        match (&self.before, in_force(self.host)) {
            (Ok(before), Ok(now)) if before.difference(&now).is_empty() => {
                format!("what was in force stays: {now}")
            }
            (_, Ok(now)) => format!("in force are now {now}"),
            (_, Err(unseen)) => format!("what is in force can't be seen: {unseen}"),
        }
    }
}

fn in_force(host: &Host) -> Seen<Settings> {
    InForce::read(host)?.settings()
}

#[cfg(test)]
mod tests;
