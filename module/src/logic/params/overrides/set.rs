// SPDX-License-Identifier: GPL-2.0
//! All overrides, and what they come to for a vGPU.

use super::read::{Section, Setting};
use super::target::{Target, Which};
use crate::logic::profile::{self, Content, Editor, Field, Key, Skipped, Value};

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

/// An editor that is told of each field once.
struct Once<'a> {
    editor: &'a mut dyn Editor,
    /// A bit a field.
    written: u64,
}

// The last one.
const _: () = assert!((Field::LicensedProductName as u32) < u64::BITS);

impl Editor for Once<'_> {
    fn set(&mut self, field: Field, content: Content<'_>) -> Result<(), Skipped> {
        let bit = 1_u64.wrapping_shl(field as u32);
        if self.written & bit == 0 {
            self.editor.set(field, content)?;
            self.written |= bit;
        }
        Ok(())
    }
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
    pub fn matching(
        &self,
        which: Which,
    ) -> impl DoubleEndedIterator<Item = (Target, Key, Value<'a>)> {
        let Self { text, sections, settings } = *self;
        (0..3).flat_map(move |rank| {
            let matching =
                sections.iter().filter(move |section| which.rank(section.target()) == Some(rank));
            matching.flat_map(move |section| section.settings(text, settings))
        })
    }

    /// Applies everything that is set for one vGPU; of what concerns the same field, the last one.
    pub fn apply(&self, which: Which, editor: &mut dyn Editor) -> Applied {
        let mut applied = Applied::default();
        // The last one first, so that no field is written twice: written to and back, it would count as changed.
        let mut once = Once { editor, written: 0 };
        for (target, key, value) in self.matching(which).rev() {
            if key.field().is_none() && key != Key::Vram {
                continue;
            }
            match profile::write(&mut once, key, &value) {
                Ok(()) => {
                    let count = match target {
                        Target::Type(_) => &mut applied.by_type,
                        Target::Mdev(_) => &mut applied.by_mdev,
                        Target::Vm(_) => &mut applied.by_vm,
                    };
                    *count = count.saturating_add(1);
                }
                Err(why) => applied.skipped = Some((key, why)),
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
