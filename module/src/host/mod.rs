// SPDX-License-Identifier: GPL-2.0
//! For programs on the host: cryptography, and what they ask of the module's types that the module itself has
//! no use for. Kbuild never sees this room.

#[cfg(feature = "host")]
mod crypto;
mod driver;
mod params;

#[cfg(feature = "host")]
pub use crypto::HostCrypto;
pub use driver::{KNOWN_BRANCHES, PATCHER};
pub use params::{ReadOverrides, MAX_PARAMS};
