/*
 * crypto: the few primitives that we need, all from libcrypto, and text forms of bytes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

enum { SHA256_BYTES = 32, SEAL_KEY_BYTES = 32 };

void sha256(unsigned char out[SHA256_BYTES], struct str data);
void hmac_sha256(unsigned char out[SHA256_BYTES], struct str key, struct str data);

/* SHA-256 of bytes that arrive in pieces. create, update…, finish (which frees it). */
struct sha256;
struct sha256 *sha256_create(void);
void sha256_update(struct sha256 *h, struct str piece);
void sha256_finish(struct sha256 *h,
		   unsigned char out[SHA256_BYTES]); /* out may be NULL: only free */

/* HMAC over a body that arrives in pieces. create, update…, finish (which frees it). */
struct hmac;
struct hmac *hmac_sha256_create(struct str key);
void hmac_update(struct hmac *h, struct str piece);
void hmac_finish(struct hmac *h, unsigned char out[SHA256_BYTES]); /* out may be NULL: only free */

/* Same bytes? Takes the same time wherever they differ. */
bool bytes_equal_ct(const void *a, const void *b, size_t len);

void random_bytes(void *out, size_t len); /* from the system; dies if there is none */
char *random_token(size_t bytes); /* lower-case base 32 of random bytes, for URLs and file names */

/* "00ff…", lower case, owned by the caller. */
char *hex_encode(const void *data, size_t len);
/* Exactly `len` bytes from 2*len digits of either case; false otherwise. */
bool hex_decode(void *out, size_t len, struct str text);

char *base64_encode(struct str data);
int base64_decode(struct buf *out,
		  struct str text); /* standard alphabet, padding optional; -1 when malformed */

/* application/x-www-form-urlencoded and paths: %HH (and '+' when `plus`). -1 on a bad escape. */
int percent_decode(struct buf *out, struct str text, bool plus);
void percent_encode(struct buf *out, struct str text); /* all but [A-Za-z0-9._~-] */

/*
 * Secrets at rest: AES-256-GCM, random nonce, versioned: 1 byte version, 12 nonce, ciphertext, 16
 * tag. `aad` binds the box to its row (for example "run/ca1"), so that boxes cannot be swapped.
 */
void seal(struct buf *out, const unsigned char key[SEAL_KEY_BYTES], struct str aad,
	  struct str plain);
int unseal(struct buf *out, const unsigned char key[SEAL_KEY_BYTES], struct str aad, struct str box,
	   struct err *err); /* word "secret_key" */
/* Read the 0600 key file, or make it (random) when it does not exist. Durable before it returns. */
int seal_key_load(unsigned char key[SEAL_KEY_BYTES], const char *path, struct err *err);
