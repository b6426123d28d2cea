// SPDX-License-Identifier: GPL-2.0
//! What the tables need of cryptography. The kernel's own library does it in the module, well-kept
//! crates do it on the host.

use super::Key;

/// Bytes of an AES block.
pub const BLOCK_LEN: usize = 16;

/// Bytes of an HMAC-SHA256.
pub const SIGNATURE_LEN: usize = 32;

/// One AES block.
pub type Block = [u8; BLOCK_LEN];

/// One HMAC-SHA256.
pub type Signature = [u8; SIGNATURE_LEN];

/// AES-128 and HMAC-SHA256 with one board's key.
pub trait BoardCrypto {
    /// Makes `key` the one that everything below uses.
    fn set_key(&mut self, key: &Key);
    /// Encrypts one block in place (AES-128-ECB).
    fn encrypt(&mut self, block: &mut Block);
    /// Decrypts one block in place (AES-128-ECB).
    fn decrypt(&mut self, block: &mut Block);
    /// HMAC-SHA256 of `message`.
    fn sign(&mut self, message: &[u8]) -> Signature;
}
