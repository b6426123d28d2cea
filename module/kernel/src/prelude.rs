// SPDX-License-Identifier: GPL-2.0
//! What most files want.

pub use crate::alloc::{flags::*, KBox, KVec};
pub use crate::error::{Error, Result};
pub use crate::{module, Module, ThisModule};
