// SPDX-License-Identifier: GPL-2.0
/* AES-128 and HMAC-SHA256 with one key, from the kernel's lib/crypto. */
#include <crypto/aes.h>
#ifdef VU_HAVE_SHA2_H
#include <crypto/sha2.h>
#else
#include <crypto/sha.h>
#endif
#include <linux/slab.h>
#include <linux/string.h>

#include "shim.h"

struct vu_crypto {
#ifdef VU_HAVE_AES_PREPAREKEY
	struct aes_key aes;
#else
	struct crypto_aes_ctx aes;
#endif
	u8 key[AES_KEYSIZE_128];
};

struct vu_crypto *vu_crypto_new(void)
{
	return kzalloc(sizeof(struct vu_crypto), GFP_KERNEL);
}

void vu_crypto_free(struct vu_crypto *crypto)
{
	memzero_explicit(crypto, sizeof(*crypto));
	kfree(crypto);
}

int vu_crypto_set_key(struct vu_crypto *crypto, const u8 *key)
{
	memcpy(crypto->key, key, sizeof(crypto->key));
#ifdef VU_HAVE_AES_PREPAREKEY
	return aes_preparekey(&crypto->aes, key, sizeof(crypto->key));
#else
	return aes_expandkey(&crypto->aes, key, sizeof(crypto->key));
#endif
}

void vu_crypto_encrypt(const struct vu_crypto *crypto, u8 *block)
{
	aes_encrypt(&crypto->aes, block, block);
}

void vu_crypto_decrypt(const struct vu_crypto *crypto, u8 *block)
{
	aes_decrypt(&crypto->aes, block, block);
}

#ifdef VU_HAVE_HMAC_SHA256
void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature)
{
	hmac_sha256_usingrawkey(crypto->key, sizeof(crypto->key), message, len, signature);
}
#else
/* RFC 2104 over the kernel's SHA-256, where lib/crypto has no HMAC yet (before 6.17). */
static void vu_keyed_sha256(const struct vu_crypto *crypto, u8 pad, const u8 *data, size_t len,
			    u8 *digest)
{
	u8 block[SHA256_BLOCK_SIZE];
	struct sha256_state sha;
	size_t i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < sizeof(crypto->key); i++)
		block[i] ^= crypto->key[i];
	sha256_init(&sha);
	sha256_update(&sha, block, sizeof(block));
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest);
	memzero_explicit(block, sizeof(block));
}

void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature)
{
	u8 inner[SHA256_DIGEST_SIZE];

	vu_keyed_sha256(crypto, 0x36, message, len, inner);
	vu_keyed_sha256(crypto, 0x5c, inner, sizeof(inner), signature);
	memzero_explicit(inner, sizeof(inner));
}
#endif
