/*
 * files: the files that a configuration test needs, in the folder of the test
 * (tests/unit/folder.h).
 */
#pragma once
#include "tests/unit/folder.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/scope.h"
#include "config/config.h"

/* Write `text` as slipway.yaml with this mode; returns its path, owned by the caller. */
static inline char *files_config(void **state, const char *text, unsigned mode)
{
	return folder_file(state, "slipway.yaml", text, mode);
}

static inline void files_pem(void **state, const char *name, unsigned mode,
			     int (*write)(BIO *out, void *what), void *what)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes;

	assert_int_equal(write(out, what), 1);
	long n = BIO_get_mem_data(out, &bytes);
	cleanup_free char *text = xstrndup(bytes, (size_t)n);
	free(folder_file(state, name, text, mode));
	BIO_free(out);
}

static inline int files_write_certificate(BIO *out, void *x)
{
	return PEM_write_bio_X509(out, x);
}

static inline int files_write_key(BIO *out, void *key)
{
	return PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
}

/* NAME.pem and NAME.key (of this mode): a certificate valid from `begin_s` to `end_s` from now. */
static inline void files_certificate(void **state, const char *name, long begin_s, long end_s,
				     unsigned key_mode)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(x), begin_s);
	X509_gmtime_adj(X509_getm_notAfter(x), end_s);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"test", -1, -1, 0);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	cleanup_free char *pem = xasprintf("%s.pem", name), *private = xasprintf("%s.key", name);
	files_pem(state, pem, 0644, files_write_certificate, x);
	files_pem(state, private, key_mode, files_write_key, key);
	X509_free(x);
	EVP_PKEY_free(key);
}
