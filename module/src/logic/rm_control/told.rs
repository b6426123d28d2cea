// SPDX-License-Identifier: GPL-2.0
//! What the daemons were told last, for those who want to know what became of their overrides.

use super::{fields, Shown};
use crate::logic::params::Applied;
use crate::logic::profile::{Field, Key, Uuid};

/// One of NVIDIA's daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// `nvidia-vgpud`, which tells the driver at boot which vGPU types there are.
    Vgpud,
    /// `nvidia-vgpu-mgr`, which starts vGPUs.
    Manager,
}

/// The most text fields, and bytes of each, that are kept; longer text is cut.
const TEXTS: usize = 6;
const TEXT: usize = 64;
/// The most numbers that are kept: there are fewer fields.
const NUMBERS: usize = 24;

/// A vGPU type's fields as a daemon was told them.
#[derive(Clone, Copy, Debug)]
pub struct Effective {
    numbers: [Option<(Field, u64)>; NUMBERS],
    texts: [Option<(Field, [u8; TEXT])>; TEXTS],
}

/// A value that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce<'a> {
    /// A number.
    Number(u64),
    /// The beginning of a text.
    Text(&'a str),
}

impl Effective {
    const NONE: Self = Self { numbers: [None; NUMBERS], texts: [None; TEXTS] };

    /// What is in the parameters of a command that asks for a type.
    pub fn of(cmd: u32, params: &[u8]) -> Self {
        let mut effective = Self::NONE;
        let (mut numbers, mut texts) = (effective.numbers.iter_mut(), effective.texts.iter_mut());
        for (field, shown) in fields(cmd, params) {
            match shown {
                Shown::Number(number) => {
                    if let Some(free) = numbers.next() {
                        *free = Some((field, number));
                    }
                }
                Shown::Text(text) => {
                    if let Some(free) = texts.next() {
                        let mut kept = [0; TEXT];
                        kept.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
                        *free = Some((field, kept));
                    }
                }
            }
        }
        effective
    }

    /// The value of what a user sets with `key`.
    pub fn value(&self, key: Key) -> Option<InForce<'_>> {
        let wanted = key.field()?;
        let number = self.numbers.iter().flatten().find(|(field, _)| *field == wanted);
        if let Some(&(_, number)) = number {
            return Some(InForce::Number(number));
        }
        let (_, text) = self.texts.iter().flatten().find(|(field, _)| *field == wanted)?;
        let text = text.split(|&c| c == 0).next()?;
        Some(InForce::Text(match core::str::from_utf8(text) {
            Ok(text) => text,
            // Cut within a character, or the driver's own.
            Err(error) => {
                core::str::from_utf8(text.get(..error.valid_up_to())?).unwrap_or_default()
            }
        }))
    }

    /// Keys and their values, in the keys' order.
    pub fn values(&self) -> impl Iterator<Item = (Key, InForce<'_>)> {
        Key::ALL.into_iter().filter_map(|key| Some((key, self.value(key)?)))
    }
}

/// The answer to a question about a vGPU's type.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The vGPU.
    pub uuid: Uuid,
    /// What was overridden.
    pub applied: Applied,
    /// What is in force.
    pub effective: Effective,
}

/// The most answers that are remembered; there are hardly more vGPUs on a host.
const ANSWERS: usize = 32;

/// The last answer about each vGPU, and how often each daemon asked.
pub struct ToldTable {
    /// The newest first.
    answers: [Option<Told>; ANSWERS],
    asked: [u64; 2],
}

impl ToldTable {
    /// Nothing was asked.
    pub const EMPTY: Self = Self { answers: [None; ANSWERS], asked: [0; 2] };

    /// Counts a question.
    pub fn asked_by(&mut self, daemon: Daemon) {
        let count = match (daemon, &mut self.asked) {
            (Daemon::Vgpud, [count, _]) | (Daemon::Manager, [_, count]) => count,
        };
        *count = count.saturating_add(1);
    }

    /// How many questions of ours a daemon has asked.
    pub fn asked(&self, daemon: Daemon) -> u64 {
        match (daemon, &self.asked) {
            (Daemon::Vgpud, [count, _]) | (Daemon::Manager, [_, count]) => *count,
        }
    }

    /// Remembers an answer in the place of an older one about the same vGPU. The oldest is forgotten.
    pub fn remember(&mut self, told: Told) {
        let same = |known: &Told| known.uuid == told.uuid;
        let mut carried = Some(told);
        for slot in &mut self.answers {
            core::mem::swap(slot, &mut carried);
            // What was carried here fills the gap that the older answer leaves.
            if carried.as_ref().map_or(true, same) {
                return;
            }
        }
    }

    /// The last answer about a vGPU.
    pub fn about(&self, uuid: Uuid) -> Option<&Told> {
        self.answers.iter().flatten().find(|told| told.uuid == uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(n: u8, by_type: u16) -> Told {
        let applied = Applied { by_type, ..Applied::default() };
        Told { uuid: Uuid::from_bytes([n; 16]), applied, effective: Effective::NONE }
    }

    #[test]
    fn the_last_answer_about_each_vgpu_is_remembered() {
        let mut table = ToldTable::EMPTY;
        for told in [told(1, 1), told(2, 2), told(3, 3), told(1, 4)] {
            table.remember(told);
        }
        let about = |n| table.about(Uuid::from_bytes([n; 16])).map(|told| told.applied.by_type);
        assert_eq!((about(1), about(2), about(4)), (Some(4), Some(2), None));
        assert_eq!(table.answers.iter().flatten().count(), 3);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut table = ToldTable::EMPTY;
        for n in 1..=ANSWERS as u8 + 1 {
            table.remember(told(n, 0));
        }
        let about = |n| table.about(Uuid::from_bytes([n; 16])).is_some();
        assert!(!about(1) && about(2) && about(ANSWERS as u8 + 1));
    }

    #[test]
    fn daemons_are_counted_apart() {
        let mut table = ToldTable::EMPTY;
        table.asked_by(Daemon::Manager);
        table.asked_by(Daemon::Manager);
        table.asked_by(Daemon::Vgpud);
        assert_eq!((table.asked(Daemon::Vgpud), table.asked(Daemon::Manager)), (1, 2));
    }

    #[test]
    fn values_are_found_by_the_keys_that_set_them() {
        // The type of a vGPU, as 550 has it: its number is at 0, its name at 4.
        let mut params = [0; 1872];
        params[..4].copy_from_slice(&46u32.to_le_bytes());
        params[4..15].copy_from_slice(b"GRID P40-1Q");
        let effective = Effective::of(0xa082_0102, &params);
        assert_eq!(effective.value(Key::GpuType), Some(InForce::Number(46)));
        assert_eq!(effective.value(Key::CardName), Some(InForce::Text("GRID P40-1Q")));
        assert_eq!(effective.value(Key::Hidden), None);
        // Every key that sets a field, so nothing was left out for want of room.
        let expected = Key::ALL.iter().filter(|key| key.field().is_some()).count();
        assert_eq!(effective.values().count(), expected);
        // No layout, no values.
        assert_eq!(Effective::of(0xa082_0102, &params[..7]).values().count(), 0);
    }

    #[test]
    fn text_that_is_cut_within_a_character_ends_before_it() {
        let mut params = [0; 1872];
        // License: 128 bytes at 196; the text is longer than what is kept.
        params[196..196 + 63].fill(b'x');
        params[196 + 63..196 + 67].copy_from_slice("éé".as_bytes());
        let effective = Effective::of(0xa082_0102, &params);
        let Some(InForce::Text(text)) = effective.value(Key::Features) else { panic!() };
        assert_eq!(text.len(), 63);
    }
}
