// SPDX-License-Identifier: GPL-2.0
//! [`BoardCrypto`] by the kernel's own library.

use core::ptr::NonNull;

use super::bindings as b;
use crate::logic::capability::crypto::{Block, BoardCrypto, Signature, SIGNATURE_LEN};
use crate::logic::capability::Key;

/// AES-128 and HMAC-SHA256 with one key, which is wiped when dropped.
///
/// Invariant: holds an expanded key from the start on.
pub struct KernelCrypto(NonNull<b::vu_crypto>);

// SAFETY: Plain numbers behind a pointer that is ours alone.
unsafe impl Send for KernelCrypto {}

impl KernelCrypto {
    /// Room for a key; it is all zero until [`BoardCrypto::set_key`]. `None` without memory.
    pub fn new() -> Option<Self> {
        // SAFETY: Allocates.
        let mut crypto = Self(NonNull::new(unsafe { b::vu_crypto_new() })?);
        crypto.set_key(&Key::default());
        Some(crypto)
    }
}

impl BoardCrypto for KernelCrypto {
    fn set_key(&mut self, key: &Key) {
        // SAFETY: Reads the 16 bytes of `key`. Fails for other lengths only.
        unsafe { b::vu_crypto_set_key(self.0.as_ptr(), key.as_ptr()) };
    }

    fn encrypt(&mut self, block: &mut Block) {
        // SAFETY: Reads and writes one block of 16 bytes.
        unsafe { b::vu_crypto_encrypt(self.0.as_ptr(), block.as_mut_ptr()) };
    }

    fn decrypt(&mut self, block: &mut Block) {
        // SAFETY: As above.
        unsafe { b::vu_crypto_decrypt(self.0.as_ptr(), block.as_mut_ptr()) };
    }

    fn sign(&mut self, message: &[u8]) -> Signature {
        let mut signature = [0; SIGNATURE_LEN];
        // SAFETY: Reads the message and writes the 32 bytes of the signature.
        unsafe {
            b::vu_crypto_sign(
                self.0.as_ptr(),
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
            )
        };
        signature
    }
}

impl Drop for KernelCrypto {
    fn drop(&mut self) {
        // SAFETY: Allocated by `new`, and nobody uses it any more.
        unsafe { b::vu_crypto_free(self.0.as_ptr()) };
    }
}
