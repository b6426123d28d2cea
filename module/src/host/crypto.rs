// SPDX-License-Identifier: GPL-2.0
//! [`BoardCrypto`] for programs on the host: `vgpu-unlock inspect`, tests and benchmarks.

use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::Aes128;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::logic::capability::crypto::{Block, BoardCrypto, Signature};
use crate::logic::capability::Key;

/// The RustCrypto crates with one board's key.
pub struct HostCrypto {
    cipher: Aes128,
    mac: Hmac<Sha256>,
}

impl Default for HostCrypto {
    fn default() -> Self {
        Self::new(&Key::default())
    }
}

impl HostCrypto {
    /// Starts with `key`.
    pub fn new(key: &Key) -> Self {
        // An HMAC's key and an AES-128 key of 16 bytes are of a length that both take.
        let block = Block::from(*key);
        let mut padded = [0; 64];
        padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        Self {
            cipher: Aes128::new(&block.into()),
            mac: <Hmac<Sha256> as KeyInit>::new(&padded.into()),
        }
    }
}

impl BoardCrypto for HostCrypto {
    fn set_key(&mut self, key: &Key) {
        *self = Self::new(key);
    }

    fn encrypt(&mut self, block: &mut Block) {
        self.cipher.encrypt_block(block.into());
    }

    fn decrypt(&mut self, block: &mut Block) {
        self.cipher.decrypt_block(block.into());
    }

    fn sign(&mut self, message: &[u8]) -> Signature {
        let mut mac = self.mac.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}
