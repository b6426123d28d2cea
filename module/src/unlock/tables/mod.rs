// SPDX-License-Identifier: GPL-2.0
//! The driver's capability tables: watching for a board's magic and key, writing its entries, and
//! putting back what was there.
//!
//! Everything that takes memory or time is done when we attach, or when a board comes. What is left when
//! the driver has read a key needs neither, because it happens inside the driver's own copy of that key: a
//! little cryptography and three words an entry.

mod keys;
mod slot;
mod unlocker;
mod watched;

pub use keys::Keys;
pub use slot::Outcome;
pub use unlocker::Unlocker;
pub use watched::Watched;
