// SPDX-License-Identifier: GPL-2.0
//! Which boards a driver lists itself: what its board check answers for every PCI device ID.
//!
//! The check is a tree of comparisons. It is followed instruction by instruction, for a board of which
//! nothing is known but its IDs: everything else that the driver keeps of a board is zero. Where the
//! check goes to another function, something else than the ID decides, and the board is not listed.

mod machine;
mod run;

use serde::Serialize;

use super::id::id;
use machine::Machine;

/// More boards than this are no list, but a misunderstanding. 550 lists 56.
const MAX_BOARDS: usize = 200;

/// A board that the driver lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Board {
    /// PCI device ID.
    pub device: String,
    /// Which PCI subsystem IDs it must have.
    #[serde(skip_serializing_if = "Subsystems::is_any")]
    pub subsystems: Subsystems,
}

/// PCI subsystem IDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subsystems {
    /// Whichever.
    Any,
    /// One of these.
    Only(Vec<String>),
    /// None of these.
    Not(Vec<String>),
}

impl Subsystems {
    fn is_any(&self) -> bool {
        *self == Subsystems::Any
    }
}

impl std::fmt::Display for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.device)?;
        match &self.subsystems {
            Subsystems::Any => Ok(()),
            Subsystems::Only(ids) => write!(f, " (subsystem {})", ids.join(" or ")),
            Subsystems::Not(ids) => write!(f, " (not subsystem {})", ids.join(" or ")),
        }
    }
}

/// The boards for which the function at `start` of `text` returns something else than zero. At
/// `relocations`, which are in order, the text has no addresses.
///
/// # Errors
/// It does something that is not known here; the text is a sentence without its end.
pub fn boards(text: &[u8], start: usize, relocations: &[u64]) -> Result<Vec<Board>, String> {
    let mut machine = Machine::new(text, start, relocations);
    let (mut boards, mut tried) = (vec![], 0);
    for device in 0..=u16::MAX {
        let outcome = machine.run(device, 0)?;
        let subsystems = match outcome.by_subsystem {
            true => {
                tried += 1;
                subsystems(&mut machine, device)?
            }
            false => outcome.listed.then_some(Subsystems::Any),
        };
        boards.extend(subsystems.map(|subsystems| Board { device: id(device), subsystems }));
        if boards.len().max(tried) > MAX_BOARDS {
            return Err(format!(
                "it lists more than {MAX_BOARDS} boards, or none by its device ID"
            ));
        }
    }
    match boards.is_empty() {
        true => Err("it lists no board at all".into()),
        false => Ok(boards),
    }
}

/// The subsystem IDs with which a board is listed; `None` where there are none.
fn subsystems(machine: &mut Machine<'_>, device: u16) -> Result<Option<Subsystems>, String> {
    let (mut listed, mut others) = (vec![], vec![]);
    for subsystem in 0..=u16::MAX {
        let outcome = machine.run(device, subsystem)?;
        if outcome.listed { listed.push(subsystem) } else { others.push(subsystem) }
    }
    let ids = |ids: Vec<u16>| ids.into_iter().map(id).collect();
    Ok(match (listed.len(), others.len()) {
        (0, _) => None,
        (_, 0) => Some(Subsystems::Any),
        (few, many) if few <= many => Some(Subsystems::Only(ids(listed))),
        _ => Some(Subsystems::Not(ids(others))),
    })
}

#[cfg(test)]
mod tests;
