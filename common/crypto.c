#include "common/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"

/* libcrypto only fails here when it is broken or out of memory: neither can be survived. */
static void must(bool ok)
{
	if (!ok) {
		static const char text[] = "slipway: libcrypto failed\n";
		ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
		(void)ignored;
		abort();
	}
}

void sha256(unsigned char out[SHA256_BYTES], struct str data)
{
	must(EVP_Digest(data.ptr, data.len, out, NULL, EVP_sha256(), NULL) == 1);
}

struct sha256 {
	EVP_MD_CTX *context;
};

struct sha256 *sha256_create(void)
{
	struct sha256 *h = xnew(struct sha256);

	h->context = EVP_MD_CTX_new();
	must(h->context && EVP_DigestInit_ex2(h->context, EVP_sha256(), NULL) == 1);
	return h;
}

void sha256_update(struct sha256 *h, struct str piece)
{
	must(EVP_DigestUpdate(h->context, piece.ptr, piece.len) == 1);
}

void sha256_finish(struct sha256 *h, unsigned char out[SHA256_BYTES])
{
	if (!h)
		return;
	if (out)
		must(EVP_DigestFinal_ex(h->context, out, NULL) == 1);
	EVP_MD_CTX_free(h->context);
	free(h);
}

struct hmac {
	EVP_MAC_CTX *context;
};

struct hmac *hmac_sha256_create(struct str key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	struct hmac *h = xnew(struct hmac);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	h->context = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context holds its own reference */
	/* An empty key must not be NULL, which would mean "keep the key there is". */
	must(h->context && EVP_MAC_init(h->context, (const unsigned char *)(key.len ? key.ptr : ""),
					key.len, params) == 1);
	return h;
}

void hmac_update(struct hmac *h, struct str piece)
{
	must(EVP_MAC_update(h->context, (const unsigned char *)piece.ptr, piece.len) == 1);
}

void hmac_finish(struct hmac *h, unsigned char out[SHA256_BYTES])
{
	size_t len = 0;

	if (!h)
		return;
	if (out)
		must(EVP_MAC_final(h->context, out, &len, SHA256_BYTES) == 1);
	EVP_MAC_CTX_free(h->context);
	free(h);
}

void hmac_sha256(unsigned char out[SHA256_BYTES], struct str key, struct str data)
{
	struct hmac *h = hmac_sha256_create(key);
	hmac_update(h, data);
	hmac_finish(h, out);
}

bool bytes_equal_ct(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void random_bytes(void *out, size_t len)
{
	must(len <= INT32_MAX && RAND_bytes(out, (int)len) == 1);
}

/* Sizes of a box: version, nonce, ciphertext as long as the plain text, tag. */
enum { BOX_VERSION = 1, NONCE_BYTES = 12, TAG_BYTES = 16, HEAD_BYTES = 1 + NONCE_BYTES };

/* False when the bytes to open are not authentic; nothing else can fail. */
static bool gcm(bool encrypt, const unsigned char key[SEAL_KEY_BYTES], const unsigned char *nonce,
		struct str aad, struct str in, unsigned char *out, unsigned char *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, end = 0;

	must(c && in.len <= INT32_MAX && aad.len <= INT32_MAX);
	must(EVP_CipherInit_ex2(c, EVP_aes_256_gcm(), key, nonce, encrypt, NULL) == 1);
	must(EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)aad.ptr, (int)aad.len) == 1);
	must(EVP_CipherUpdate(c, out, &n, (const unsigned char *)in.ptr, (int)in.len) == 1);
	if (!encrypt)
		must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1);
	bool authentic = EVP_CipherFinal_ex(c, out + n, &end) == 1;
	if (encrypt)
		must(authentic &&
		     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1);
	EVP_CIPHER_CTX_free(c);
	return authentic;
}

void seal(struct buf *out, const unsigned char key[SEAL_KEY_BYTES], struct str aad,
	  struct str plain)
{
	size_t len = HEAD_BYTES + plain.len + TAG_BYTES;
	must(buf_reserve(out, len) == 0);
	unsigned char *box = (unsigned char *)out->ptr + out->len;

	box[0] = BOX_VERSION;
	random_bytes(box + 1, NONCE_BYTES);
	gcm(true, key, box + 1, aad, plain, box + HEAD_BYTES, box + HEAD_BYTES + plain.len);
	buf_grown(out, len);
}

int unseal(struct buf *out, const unsigned char key[SEAL_KEY_BYTES], struct str aad, struct str box,
	   struct err *err)
{
	const unsigned char *bytes = (const unsigned char *)box.ptr;

	if (box.len < HEAD_BYTES + TAG_BYTES || bytes[0] != BOX_VERSION)
		return err_set(err, ERR_INTERNAL, "secret_key",
			       "a stored secret is damaged or from a newer version");
	size_t len = box.len - HEAD_BYTES - TAG_BYTES;
	if (buf_reserve(out, len) < 0)
		return err_set(err, ERR_LIMIT, "secret_key", "a stored secret is too long");
	unsigned char tag[TAG_BYTES];
	memcpy(tag, bytes + box.len - TAG_BYTES, TAG_BYTES);
	if (!gcm(false, key, bytes + 1, aad, str_slice(box, HEAD_BYTES, HEAD_BYTES + len),
		 (unsigned char *)out->ptr + out->len, tag)) {
		explicit_bzero(out->ptr + out->len, len); /* what came out is not to be trusted */
		return err_set(err, ERR_INTERNAL, "secret_key",
			       "a stored secret cannot be opened: it was sealed with another key, "
			       "or changed");
	}
	buf_grown(out, len);
	return 0;
}

static int make_key(unsigned char key[SEAL_KEY_BYTES], const char *path, struct err *err)
{
	unsigned char fresh[SEAL_KEY_BYTES];

	random_bytes(fresh, sizeof fresh);
	if (fs_write_atomic(path, (struct str){ (char *)fresh, sizeof fresh }, 0600, err) < 0)
		return -1;
	memcpy(key, fresh, sizeof fresh);
	explicit_bzero(fresh, sizeof fresh);
	return 0;
}

int seal_key_load(unsigned char key[SEAL_KEY_BYTES], const char *path, struct err *err)
{
	unsigned char bytes[SEAL_KEY_BYTES + 1];
	struct stat st;
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return make_key(key, path, err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_INTERNAL, "secret_key", errno,
				     "cannot open the key file %.200s", path);
	if (!fs_is_private(path, &st))
		return err_set(err, ERR_DENIED, "secret_key",
			       "the key file %.200s can be read by others: make it 0600", path);
	if (read(fd, bytes, sizeof bytes) != SEAL_KEY_BYTES)
		return err_set(err, ERR_INVALID, "secret_key",
			       "the key file %.200s must hold exactly %d bytes", path,
			       SEAL_KEY_BYTES);
	memcpy(key, bytes, SEAL_KEY_BYTES);
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}
