// SPDX-License-Identifier: GPL-2.0
//! Reads the module's grammar.

use vgpu_unlock::host::ReadOverrides;
use vgpu_unlock::params::{ParseError, overrides::target::Target};
use vgpu_unlock::profile::Key;

use super::write::Value;

/// Every setting of a text in its order, with the section it stands in.
///
/// # Errors
/// The first thing that is wrong.
pub fn settings(text: &str) -> Result<Vec<(Target, Key, Value)>, ParseError> {
    let read = ReadOverrides::parse(text.as_bytes())?;
    Ok(read.view().settings().map(|(target, key, value)| (target, key, value.into())).collect())
}
