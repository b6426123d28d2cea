// SPDX-License-Identifier: GPL-2.0
//! What overrides come to: each key of each target once, however they are written.

use std::fmt;

use vgpu_unlock::params::{ParseError, overrides::target::Target};
use vgpu_unlock::profile::Key;

use crate::profile::{Value, settings, written_target, written_value};

/// What is set for each target. Neither the order of targets nor that of keys means anything.
#[derive(Clone, Debug, Default)]
pub struct Settings(Vec<(Target, Vec<(Key, Value)>)>);

impl Settings {
    /// Reads the module's grammar.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut all = Self::default();
        for (target, key, value) in settings(text)? {
            all.put(target, key, value);
        }
        Ok(all)
    }

    /// Adds what stands behind everything else, and so counts.
    fn put(&mut self, target: Target, key: Key, value: Value) {
        let at = self.0.iter().position(|(known, _)| *known == target).unwrap_or_else(|| {
            self.0.push((target, vec![]));
            self.0.len() - 1
        });
        let Some((_, of)) = self.0.get_mut(at) else { return };
        of.retain(|(known, _)| *known != key);
        of.push((key, value));
        let has = |wanted: Key| of.iter().any(|(known, _)| *known == wanted);
        // `vram` sets both others. So both stand behind it, or it counts no more; one may.
        if key == Key::Vram {
            of.retain(|(known, _)| known.conflicts() & Key::Vram.bit() == 0);
        } else if has(Key::Framebuffer) && has(Key::FramebufferReservation) {
            of.retain(|(known, _)| *known != Key::Vram);
        }
    }

    fn of(&self, target: Target) -> &[(Key, Value)] {
        self.0.iter().find(|(known, _)| *known == target).map_or(&[], |(_, of)| of)
    }

    fn value(&self, target: Target, key: Key) -> Option<&Value> {
        self.of(target).iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// How much memory each target needs that says something about it: what the guest sees, and what the host
    /// keeps of it.
    pub fn memory(&self) -> impl Iterator<Item = (Target, u64)> + '_ {
        self.0.iter().filter_map(|(target, _)| {
            let number = |key| match self.value(*target, key) {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            };
            // One of both may stand behind `vram`, and then says less than it.
            let parts = [number(Key::Framebuffer), number(Key::FramebufferReservation)];
            let sum = parts.into_iter().flatten().fold(0, u64::saturating_add);
            Some((*target, number(Key::Vram).unwrap_or(sum))).filter(|(_, needs)| *needs != 0)
        })
    }

    /// What changes when `later` is in force in place of this: in the order of its targets, and those
    /// that it has no more behind them.
    pub fn difference(&self, later: &Settings) -> Vec<Change> {
        let gone = self.0.iter().filter(|(target, _)| later.of(*target).is_empty());
        let targets = later.0.iter().chain(gone).map(|(target, _)| *target);
        let mut changes = vec![];
        for target in targets {
            for key in Key::ALL {
                let (before, after) = (self.value(target, key), later.value(target, key));
                if before != after {
                    let (before, after) = (before.cloned(), after.cloned());
                    changes.push(Change { target, key, before, after });
                }
            }
        }
        changes
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: usize = self.0.iter().map(|(_, of)| of.len()).sum();
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let targets = self.0.len();
        write!(f, "{settings} setting{} of {targets} target{}", s(settings), s(targets))
    }
}

/// A key of a target that gets another value, is set, or is set no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    target: Target,
    key: Key,
    before: Option<Value>,
    after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { target, key, before, after } = self;
        let shown = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "not set".to_owned(), |value| written_value(*key, value))
        };
        let (before, after) = (shown(before), shown(after));
        write!(f, "{}: {} {before} -> {after}", written_target(*target), key.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &str, later: &str) -> Vec<String> {
        let (before, later) = (Settings::parse(before).unwrap(), Settings::parse(later).unwrap());
        before.difference(&later).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_changes_is_said_key_by_key() {
        let before = "nvidia-46:framebuffer=1GiB,num_displays=1;vm/100:card_name='My GPU'";
        assert_eq!(
            changes(before, "nvidia-46:framebuffer=0x80000000,num_displays=1,pci_id=0x1b3811a0"),
            [
                "nvidia-46: pci_id not set -> 0x1b3811a0",
                "nvidia-46: framebuffer 1GiB -> 2GiB",
                "vm/100: card_name 'My GPU' -> not set",
            ]
        );
        assert_eq!(changes(before, before), [] as [&str; 0]);
    }

    #[test]
    fn how_it_is_written_makes_no_difference() {
        for (a, b) in [
            ("vm/1:gpu_type=1;nvidia-2:gpu_type=3", "nvidia-2:gpu_type=3;vm/1:gpu_type=1"),
            ("vm/1:gpu_type=1,frl_config=6", "vm/1:frl_config=6 ; vm/1:gpu_type=0x1\n"),
            ("vm/1:gpu_type=2;vm/1:gpu_type=1", "vm/1:gpu_type=1"),
            ("vm/1:card_name=a%20b", "vm/1:card_name='a b'"),
            ("vm/1:framebuffer=1GiB;vm/1:vram=2GiB", "vm/1:vram=2GiB"),
            (
                "vm/1:vram=2GiB;vm/1:framebuffer=1GiB,framebuffer_reservation=1",
                "vm/1:framebuffer=1GiB,framebuffer_reservation=1",
            ),
        ] {
            assert_eq!(changes(a, b), [] as [&str; 0], "{a} {b}");
        }
        // One of both does not say what vram says of the other.
        let both = "vm/1:vram=2GiB;vm/1:framebuffer=1GiB";
        assert_eq!(changes(both, "vm/1:framebuffer=1GiB"), ["vm/1: vram 2GiB -> not set"]);
        assert_eq!(changes(both, "vm/1:vram=2GiB"), ["vm/1: framebuffer 1GiB -> not set"]);
    }

    #[test]
    fn they_are_counted() {
        for (text, shown) in [
            ("", "0 settings of 0 targets"),
            ("vm/1:gpu_type=1", "1 setting of 1 target"),
            ("vm/1:gpu_type=1,frl_config=6;vm/2:gpu_type=1", "3 settings of 2 targets"),
        ] {
            assert_eq!(Settings::parse(text).unwrap().to_string(), shown);
        }
    }
}
