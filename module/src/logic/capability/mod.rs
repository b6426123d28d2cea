// SPDX-License-Identifier: GPL-2.0
//! Capability tables: which boards may do what, signed and encrypted in the driver's `.rodata`.
//!
//! The driver holds arrays of [triples](tables::TRIPLE): pointers to a *magic* (16 bytes), to
//! *blocks* (a count byte, then that many AES-128-ECB encrypted blocks of 16 bytes) and to a
//! *signature* (HMAC-SHA256 over count and blocks). Magic and key are a board's own; the driver
//! reads both from the board (BAR3) while a vGPU starts, and then looks for the vGPU entries that
//! bear the magic. An unlisted board has none. Unlocking gives it those of its sibling, in place of
//! triples that nobody needs.
//!
//! - [`image`]: the driver's `.rodata`, and following pointers in it
//! - [`tables`]: finding the arrays
//! - [`entry`]: one entry's plain text, encryption and signature
//! - [`unlock`]: from a board's magic and key to the entries that are to be written
//! - [`watch`]: recognising magic and key as the driver reads them

pub mod crypto;
pub mod entry;
pub mod image;
pub mod tables;
pub mod unlock;
pub mod watch;

/// Bytes of a magic, and of a key.
pub const MAGIC_LEN: usize = 16;

/// What the driver recognises a board's entries by.
pub type Magic = [u8; MAGIC_LEN];

/// What a board's entries are encrypted and signed with.
pub type Key = [u8; MAGIC_LEN];
