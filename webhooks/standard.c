#include "webhooks/standard.h"

#include "common/crypto.h"
#include "common/scope.h"

enum { KEY_MAX_BYTES = 1024 };

static const char key_prefix[] = "whsec_";
static const char version[] = "v1,";

enum part { ID, TIMESTAMP, SIGNATURE, PARTS };

static const char *const headers[PARTS] = {
	[ID] = "webhook-id",
	[TIMESTAMP] = "webhook-timestamp",
	[SIGNATURE] = "webhook-signature",
};

bool standard_is_signed(const struct webhook_request *r)
{
	return r->header_count(r->http, headers[SIGNATURE]) > 0;
}

static int read_parts(struct str parts[PARTS], const struct webhook_request *r, struct err *err)
{
	for (size_t i = 0; i < PARTS; i++) {
		if (!r->header(r->http, headers[i], &parts[i]))
			return err_set(err, ERR_DENIED, "signature_missing",
				       "the header %s is missing", headers[i]);
		if (r->header_count(r->http, headers[i]) != 1 || parts[i].len == 0)
			return err_set(err, ERR_DENIED, "signature_malformed",
				       "%s wants one value, once", headers[i]);
	}
	return 0;
}

/* False when the secret is no key of this kind. */
static bool sign(unsigned char out[SHA256_BYTES], const struct secret *secret,
		 const struct str parts[PARTS], struct str body)
{
	cleanup_buf struct buf key = BUF_LIMIT(KEY_MAX_BYTES);
	struct str text = str_from(secret_reveal(secret));

	if (!str_starts(text, key_prefix) ||
	    base64_decode(&key, str_after(text, strlen(key_prefix))) < 0 || key.len == 0)
		return false;
	struct hmac *h = hmac_sha256_create(buf_str(&key));
	explicit_bzero(key.ptr, key.len);
	hmac_update(h, parts[ID]);
	hmac_update(h, STR("."));
	hmac_update(h, parts[TIMESTAMP]);
	hmac_update(h, STR("."));
	hmac_update(h, body);
	hmac_finish(h, out);
	return true;
}

/* Is it one of the signatures? There are several while the sender replaces its key. */
static bool is_among(const unsigned char wanted[SHA256_BYTES], struct str signatures)
{
	bool found = false;
	struct str one;

	while (str_split(&signatures, ' ', &one)) {
		cleanup_buf struct buf given = BUF_LIMIT(KEY_MAX_BYTES);
		if (str_starts(one, version) &&
		    base64_decode(&given, str_after(one, strlen(version))) == 0 &&
		    given.len == SHA256_BYTES)
			found |= bytes_equal_ct(given.ptr, wanted, SHA256_BYTES);
	}
	return found;
}

int standard_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	unsigned char wanted[SHA256_BYTES];
	struct str parts[PARTS];
	bool matches = false;

	if (read_parts(parts, r, err) < 0)
		return -1;
	for (size_t i = 0; i < w->secrets_len; i++) {
		if (sign(wanted, &w->secrets[i], parts, r->body))
			matches |= is_among(wanted, parts[SIGNATURE]);
	}
	if (matches)
		return 0;
	return err_set(err, ERR_DENIED, "signature_mismatch",
		       "%s is not that of this body by one of this webhook's secrets that begin "
		       "with %s",
		       headers[SIGNATURE], key_prefix);
}
