// SPDX-License-Identifier: GPL-2.0
//! All mutations, by what of the module they break.

mod answers;
mod driver;
mod hooks;
mod types;

use super::Mutation;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
    [driver::ALL, hooks::ALL, answers::ALL, types::ALL].into_iter().flatten()
}
