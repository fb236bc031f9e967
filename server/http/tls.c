#include "server/http/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

/* A context is OpenSSL's own; the names only say what it is to us. */
static SSL_CTX *ssl_context(struct tls_context *ctx)
{
	return (SSL_CTX *)ctx;
}

static SSL *ssl(const struct tls *t)
{
	return (SSL *)(uintptr_t)t;
}

static int fail(struct err *err, const char *fmt, const char *path)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	err_set(err, ERR_INVALID, "config_tls", "tls: %s %.200s%s%s", fmt, path, reason ? ": " : "",
		reason ? reason : "");
	ERR_clear_error();
	return -1;
}

static int check_key_file(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set_errno(err, ERR_INVALID, "config_tls", errno,
				     "tls: the key file %.200s cannot be read", path);
	if (st.st_mode & S_IRWXO)
		return err_set(err, ERR_INVALID, "config_tls",
			       "tls: everybody may read the key file %.200s; make it 0640 or 0600",
			       path);
	return 0;
}

static int check_dates(SSL_CTX *ctx, const char *path, struct err *err)
{
	const X509 *leaf = SSL_CTX_get0_certificate(ctx);

	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
		return err_set(err, ERR_INVALID, "config_tls",
			       "tls: the certificate %.200s has expired; renew it", path);
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		return err_set(err, ERR_INVALID, "config_tls",
			       "tls: the certificate %.200s is not valid yet; is the clock right?",
			       path);
	return 0;
}

static int load_pair(SSL_CTX *ctx, const char *certificate, const char *key, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return fail(err, "cannot use the certificate", certificate);
	if (check_key_file(key, err) < 0)
		return -1;
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return fail(err, "this key does not go with the certificate:", key);
	return check_dates(ctx, certificate, err);
}

/* HTTP/1.1 is what is spoken; a client that offers a list without it is told so. */
static int choose_protocol(SSL *s, const unsigned char **out, unsigned char *outlen,
			   const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)s, (void)arg;

	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof ours - 1, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void restrict_context(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
}

int tls_context_create(struct tls_context **out, const char *certificate, const char *key,
		       struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return fail(err, "cannot prepare", "OpenSSL");
	restrict_context(ctx);
	if (load_pair(ctx, certificate, key, err) < 0) {
		SSL_CTX_free(ctx);
		return -1;
	}
	*out = (struct tls_context *)ctx;
	return 0;
}

void tls_context_destroy(struct tls_context *ctx)
{
	SSL_CTX_free(ssl_context(ctx));
}

struct tls *tls_create(struct tls_context *ctx)
{
	SSL *s = SSL_new(ssl_context(ctx));
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	if (!s || !in || !out)
		abort(); /* out of memory, as in mem.h */
	SSL_set_bio(s, in, out);
	SSL_set_accept_state(s);
	return (struct tls *)s;
}

void tls_destroy(struct tls *t)
{
	SSL_free(ssl(t));
}

void tls_input(struct tls *t, struct str bytes)
{
	BIO_write(SSL_get_rbio(ssl(t)), bytes.ptr, (int)bytes.len);
}

enum tls_result tls_next(struct tls *t, char *out, size_t cap, size_t *len)
{
	ERR_clear_error();
	int n = SSL_read_ex(ssl(t), out, cap, len);
	if (n == 1)
		return TLS_DATA;
	switch (SSL_get_error(ssl(t), n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return TLS_MORE;
	case SSL_ERROR_ZERO_RETURN: return TLS_END;
	default: ERR_clear_error(); return TLS_FAILED;
	}
}

bool tls_waiting(const struct tls *t)
{
	return SSL_pending(ssl(t)) > 0 || BIO_pending(SSL_get_rbio(ssl(t))) > 0;
}

int tls_seal(struct tls *t, struct str plain, struct buf *out)
{
	enum { RECORD_BYTES = 16384 };

	/* Record by record, so that OpenSSL's own buffer stays as small as one. */
	while (plain.len > 0) {
		struct str piece = str_slice(plain, 0, RECORD_BYTES);
		size_t n;
		ERR_clear_error();
		if (SSL_write_ex(ssl(t), piece.ptr, piece.len, &n) != 1)
			return -1;
		plain = str_after(plain, n);
		tls_output(t, out);
	}
	return 0;
}

void tls_output(struct tls *t, struct buf *out)
{
	BIO *bio = SSL_get_wbio(ssl(t));
	size_t pending = BIO_ctrl_pending(bio), n;

	if (pending == 0)
		return;
	buf_reserve(out, pending);
	if (BIO_read_ex(bio, out->ptr + out->len, pending, &n) == 1)
		buf_grown(out, n);
}

void tls_finish(struct tls *t)
{
	ERR_clear_error();
	if (SSL_is_init_finished(ssl(t)))
		SSL_shutdown(ssl(t));
	ERR_clear_error();
}
