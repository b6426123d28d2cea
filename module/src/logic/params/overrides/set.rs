// SPDX-License-Identifier: GPL-2.0
//! All overrides, and what they come to for a vGPU.

use super::read::{Section, Setting};
use super::target::{Target, Which};
use crate::logic::profile::{self, Editor, Key, Skipped, Value};

/// What became of the overrides for one vGPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Keys of `nvidia-N` sections that were written.
    pub by_type: u16,
    /// Keys of `mdev/` sections that were written.
    pub by_mdev: u16,
    /// Keys of `vm/` sections that were written.
    pub by_vm: u16,
    /// The first key that could not be written, and why. All others were.
    pub skipped: Option<(Key, Skipped)>,
}

/// The overrides, read and found right. See the documentation of `params` for their grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) sections: &'a [Section],
    pub(crate) settings: &'a [Setting],
}

impl<'a> Overrides<'a> {
    /// What [`read()`](super::read()) has made of `text`.
    pub const fn new(text: &'a [u8], sections: &'a [Section], settings: &'a [Setting]) -> Self {
        Self { text, sections, settings }
    }

    /// The text that was read.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Every section as it was written, without what separates it from others.
    pub fn section_texts(&self) -> impl Iterator<Item = &'a [u8]> {
        let text = self.text;
        self.sections.iter().map(move |section| section.text(text))
    }

    /// The sections, as written, whose targets have none in `others`.
    pub fn not_in<'b>(&self, others: &Overrides<'b>) -> impl Iterator<Item = &'a [u8]> + 'b
    where
        'a: 'b,
    {
        let (text, others) = (self.text, others.sections);
        let left = self
            .sections
            .iter()
            .filter(move |section| others.iter().all(|other| other.target() != section.target()));
        left.map(move |section| section.text(text))
    }

    /// The settings for one vGPU in the order in which they are applied: sections for its type, then
    /// for its UUID, then for its virtual machine, each kind in the order in which it is written.
    pub fn matching(&self, which: Which) -> impl Iterator<Item = (Target, Key, Value<'a>)> {
        let Self { text, sections, settings } = *self;
        (0..3).flat_map(move |rank| {
            let matching =
                sections.iter().filter(move |section| which.rank(section.target()) == Some(rank));
            matching.flat_map(move |section| section.settings(text, settings))
        })
    }

    /// Applies everything that is set for one vGPU; what is applied later wins.
    pub fn apply(&self, which: Which, editor: &mut dyn Editor) -> Applied {
        let mut applied = Applied::default();
        for (target, key, value) in self.matching(which) {
            if key.field().is_none() && key != Key::Vram {
                continue;
            }
            match profile::write(editor, key, &value) {
                Ok(()) => {
                    let count = match target {
                        Target::Type(_) => &mut applied.by_type,
                        Target::Mdev(_) => &mut applied.by_mdev,
                        Target::Vm(_) => &mut applied.by_vm,
                    };
                    *count = count.saturating_add(1);
                }
                Err(why) => applied.skipped = applied.skipped.or(Some((key, why))),
            }
        }
        applied
    }

    /// The value of `key` that is in force for one vGPU, where it is set.
    ///
    /// `framebuffer` and `framebuffer_reservation` don't show what `vram` sets.
    pub fn value(&self, which: Which, key: Key) -> Option<Value<'a>> {
        self.matching(which).filter(|(_, k, _)| *k == key).last().map(|(_, _, value)| value)
    }

    /// Whether the type `nvidia-N` is to be kept off the list of types.
    pub fn hides(&self, vgpu_type: u32) -> bool {
        let which = Which { vgpu_type, mdev: None };
        self.value(which, Key::Hidden) == Some(Value::Number(1))
    }
}
