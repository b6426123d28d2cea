// SPDX-License-Identifier: GPL-2.0
//! What a layout says: which field lies where.

use crate::logic::profile::Field;
use crate::logic::rm_control::command;

/// Where one field lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which.
    pub field: Field,
    /// Bytes from the start of the parameters.
    pub offset: u16,
    /// Length in bytes.
    pub len: u16,
}

/// A field at a place.
pub(super) const fn at(field: Field, offset: u16, len: u16) -> Slot {
    Slot { field, offset, len }
}

/// The parameters of a command that hands out a vGPU type.
#[derive(Debug)]
pub struct Layout {
    /// Command.
    pub cmd: u32,
    /// Lengths of the parameters that have this layout. Longer ones have fields appended.
    pub sizes: &'static [u16],
    /// Bytes in front of the type within the parameters.
    pub(super) base: u16,
    slots: &'static [Slot],
}

impl Layout {
    /// Where `field` lies, as offset into the parameters and length; `None` where the structure has
    /// no such field.
    pub fn place(&self, field: Field) -> Option<(usize, usize)> {
        let slot = self.slots.iter().find(|slot| slot.field == field)?;
        Some(self.placed(slot))
    }

    /// The fields that it has, in their order, each with its place.
    pub fn fields(&self) -> impl Iterator<Item = (Field, (usize, usize))> + '_ {
        self.slots.iter().map(|slot| (slot.field, self.placed(slot)))
    }

    fn placed(&self, slot: &Slot) -> (usize, usize) {
        (usize::from(self.base).saturating_add(slot.offset.into()), slot.len.into())
    }
}

/// A layout of a type asked for by number: the number asked for, and the type behind it.
pub(super) const fn by_number(sizes: &'static [u16], slots: &'static [Slot]) -> Layout {
    Layout { cmd: command::VGPU_CONFIG_GET_VGPU_TYPE_INFO, sizes, base: 8, slots }
}

/// A layout of a vGPU's type.
pub(super) const fn of_vgpu(sizes: &'static [u16], slots: &'static [Slot]) -> Layout {
    Layout { cmd: command::HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO, sizes, base: 0, slots }
}
