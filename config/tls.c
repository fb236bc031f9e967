/* The certificate and its key (check.h): told at the start, not at the first handshake. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "config/check.h"
#include "config/config.h"

static int refuse(struct err *err, const char *path, const char *what)
{
	return err_set(err, ERR_INVALID, "config_tls", "%.200s: %s", path, what);
}

static FILE *open_pem(const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		err_set_errno(err, ERR_INVALID, "config_tls", errno, "cannot open %.200s", path);
	return f;
}

/* An encrypted key must not make us ask a terminal. */
static int no_passphrase(char *out, int size, int writing, void *data)
{
	(void)out, (void)size, (void)writing, (void)data;
	return -1;
}

static int load_certificate(X509 **out, const char *path, struct err *err)
{
	FILE *f = open_pem(path, err);
	if (!f)
		return -1;
	*out = PEM_read_X509(f, NULL, no_passphrase, NULL);
	fclose(f);
	ERR_clear_error();
	return *out ? 0 : refuse(err, path, "holds no certificate in PEM form");
}

static int load_key(EVP_PKEY **out, const char *path, struct err *err)
{
	struct stat st;
	FILE *f = open_pem(path, err);
	if (!f)
		return -1;
	int rc = 0;
	if (fstat(fileno(f), &st) < 0 || !fs_is_private(path, &st))
		rc = refuse(err, path, "can be read by others: make it 0600");
	else if (!(*out = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL)))
		rc = refuse(err, path, "holds no private key in PEM form, or an encrypted one");
	fclose(f);
	ERR_clear_error();
	return rc;
}

static int check_dates(const X509 *certificate, const char *path, struct err *err)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		return refuse(err, path, "the certificate has expired");
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		return refuse(err, path, "the certificate is not valid yet");
	return 0;
}

static int check_key(const X509 *certificate, const char *path, struct err *err)
{
	EVP_PKEY *key = NULL;
	if (load_key(&key, path, err) < 0)
		return -1;
	bool belongs = X509_check_private_key(certificate, key) == 1;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return belongs ? 0 : refuse(err, path, "is not the key of the certificate");
}

int check_tls(const struct config *c, const struct source *s, struct err *err)
{
	if (!c->tls_certificate && !c->tls_key)
		return 0;
	if (!c->tls_certificate || !c->tls_key) {
		err_set(err, ERR_INVALID, "config_tls", "certificate and key go together");
		return source_locate(s, "tls", err);
	}
	X509 *certificate = NULL;
	int rc = load_certificate(&certificate, c->tls_certificate, err);
	if (rc == 0)
		rc = check_dates(certificate, c->tls_certificate, err);
	if (rc < 0)
		source_locate(s, "tls.certificate", err);
	if (rc == 0 && (rc = check_key(certificate, c->tls_key, err)) < 0)
		source_locate(s, "tls.key", err);
	X509_free(certificate);
	return rc;
}
