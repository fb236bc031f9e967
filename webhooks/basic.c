#include "webhooks/basic.h"

#include "common/crypto.h"
#include "common/scope.h"

enum { CREDENTIALS_MAX_BYTES = 4096 };

static int malformed(struct err *err)
{
	return err_set(err, ERR_DENIED, "signature_malformed",
		       "Authorization wants 'Basic' and the base 64 of USER:PASSWORD, once");
}

/* Hashes have one length, whatever was sent. */
static bool is_same_ct(struct str given, struct str wanted)
{
	unsigned char a[SHA256_BYTES], b[SHA256_BYTES];

	sha256(a, given);
	sha256(b, wanted);
	return bytes_equal_ct(a, b, sizeof a);
}

/* "Basic dXNlcjpwYXNz", all of it, into "user:pass". */
static int decode(struct buf *out, const struct webhook_request *r, struct err *err)
{
	struct str text;

	if (!r->header(r->http, "Authorization", &text))
		return err_set(err, ERR_DENIED, "signature_missing",
			       "the header Authorization is missing: give the subscription the "
			       "user name and the password of this webhook");
	struct str scheme = str_slice(text, 0, str_find(text, ' ', 0));
	struct str token = str_trim(str_after(text, scheme.len));
	if (r->header_count(r->http, "Authorization") != 1 || !str_is_i(scheme, "Basic") ||
	    base64_decode(out, token) < 0)
		return malformed(err);
	/* RFC 7617: neither part holds control characters, and the first colon parts them. */
	struct str both = buf_str(out);
	return str_has_control(both) || str_find(both, ':', 0) == both.len ? malformed(err) : 0;
}

int basic_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	cleanup_buf struct buf decoded = BUF_LIMIT(CREDENTIALS_MAX_BYTES);

	if (decode(&decoded, r, err) < 0)
		return -1;
	struct str both = buf_str(&decoded);
	size_t colon = str_find(both, ':', 0);
	struct str user = str_slice(both, 0, colon), password = str_after(both, colon + 1);

	bool user_matches = is_same_ct(user, w->username ? str_from(w->username) : user);
	bool password_matches = false;
	for (size_t i = 0; i < w->passwords_len; i++)
		password_matches |= is_same_ct(password, str_from(secret_reveal(&w->passwords[i])));
	if (user_matches & password_matches)
		return 0;
	return err_set(err, ERR_DENIED, "signature_mismatch",
		       "the user name or the password is not that of this webhook");
}
