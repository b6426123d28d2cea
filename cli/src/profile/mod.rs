// SPDX-License-Identifier: GPL-2.0
//! Overrides of vGPU types on the host's side: taken over from files, written down, explained.

mod explain;
mod import;
mod literal;
mod read;
mod remark;
mod suggest;
mod value;
mod write;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod field_cases;

pub use explain::{Branch, Question, explain, shown_error};
pub use import::{BoardMemory, Import, Place, decode, section_target};
pub use literal::size as written_size;
pub use read::settings;
pub use suggest::size as suggest_size;
pub use write::{
    MAX_PARAMETER, Section, Value, overrides, overrides_toml, target as written_target, toml_value,
    value as written_value,
};

/// Where the overrides are.
pub const OVERRIDES: &str = "/etc/vgpu_unlock/overrides.toml";
