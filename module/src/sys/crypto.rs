// SPDX-License-Identifier: GPL-2.0
//! [`BoardCrypto`] by the kernel's own library.

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::bindings as b;
use crate::logic::capability::crypto::{Block, BoardCrypto, Signature, SIGNATURE_LEN};
use crate::logic::capability::Key;

/// AES-128 and HMAC-SHA256 with one key, which is wiped when dropped.
///
/// Invariant: holds an expanded key from the start on.
pub struct KernelCrypto(KBox<b::vu_crypto>);

impl KernelCrypto {
    /// Room for a key; it is all zero until [`BoardCrypto::set_key`]. `None` without memory.
    pub fn new() -> Option<Self> {
        // SAFETY: Plain numbers, for which zero is a value.
        let room = unsafe { core::mem::zeroed::<b::vu_crypto>() };
        let mut crypto = Self(KBox::new(room, GFP_KERNEL).ok()?);
        crypto.set_key(&Key::default());
        Some(crypto)
    }
}

impl BoardCrypto for KernelCrypto {
    fn set_key(&mut self, key: &Key) {
        // SAFETY: Reads the 16 bytes of `key`. Fails for other lengths only.
        unsafe { b::vu_crypto_set_key(&mut *self.0, key.as_ptr()) };
    }

    fn encrypt(&mut self, block: &mut Block) {
        // SAFETY: Reads and writes one block of 16 bytes.
        unsafe { b::vu_crypto_encrypt(&*self.0, block.as_mut_ptr()) };
    }

    fn decrypt(&mut self, block: &mut Block) {
        // SAFETY: As above.
        unsafe { b::vu_crypto_decrypt(&*self.0, block.as_mut_ptr()) };
    }

    fn sign(&mut self, message: &[u8]) -> Signature {
        let mut signature = [0; SIGNATURE_LEN];
        // SAFETY: Reads the message and writes the 32 bytes of the signature.
        unsafe {
            b::vu_crypto_sign(&*self.0, message.as_ptr(), message.len(), signature.as_mut_ptr())
        };
        signature
    }
}

impl Drop for KernelCrypto {
    fn drop(&mut self) {
        // SAFETY: Writes over all of it, and nothing reads it any more.
        unsafe { b::vu_crypto_wipe(&mut *self.0) };
    }
}
