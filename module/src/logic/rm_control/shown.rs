// SPDX-License-Identifier: GPL-2.0
//! What the fields of a vGPU type say in a call's parameters, for status and tests.

use super::layout::{self, Layout};
use crate::logic::profile::Field;

/// What a vGPU type's field says in a call's parameters, for status and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A number.
    Number(u64),
    /// Text, up to its NUL.
    Text(&'a [u8]),
}

/// The fields of the vGPU type in a call's parameters, in their order; nothing where the command or
/// the length is none that has one. The UTF-16 field is left out.
pub fn fields(cmd: u32, params: &[u8]) -> impl Iterator<Item = (Field, Shown<'_>)> {
    let layout = layout::of(cmd, params.len());
    layout.into_iter().flat_map(Layout::fields).filter_map(move |(field, (offset, len))| {
        let bytes = params.get(offset..)?.get(..len)?;
        let shown = match (field, len) {
            (Field::AdapterNameUnicode, _) => return None,
            (_, 4) => Shown::Number(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            (_, 8) => Shown::Number(u64::from_le_bytes(bytes.try_into().ok()?)),
            _ => Shown::Text(bytes.split(|&c| c == 0).next()?),
        };
        Some((field, shown))
    })
}
