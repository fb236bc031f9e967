#include "tests/lib/saved_request.h"

#include "common/crypto.h"
#include "common/scope.h"

void saved_request_header(struct saved_request *r, const char *name, const char *value)
{
	strvec_push(&r->names, name);
	strvec_push(&r->values, value);
}

char *saved_request_signature(const struct saved_request *r, const char *secret)
{
	unsigned char mac[SHA256_BYTES];

	hmac_sha256(mac, str_from(secret), buf_str(&r->body));
	cleanup_free char *hex = hex_encode(mac, sizeof mac);
	return xasprintf("sha256=%s", hex);
}

void saved_request_sign(struct saved_request *r, const char *secret)
{
	cleanup_free char *signature = saved_request_signature(r, secret);

	saved_request_header(r, "X-Hub-Signature-256", signature);
}

static bool header(const void *http, const char *name, struct str *out)
{
	const struct saved_request *r = http;

	for (size_t i = 0; i < r->names.len; i++) {
		if (!str_is_i(str_from(r->names.items[i]), name))
			continue;
		*out = str_trim(str_from(r->values.items[i]));
		return true;
	}
	return false;
}

static size_t header_count(const void *http, const char *name)
{
	const struct saved_request *r = http;
	size_t n = 0;

	STRVEC_FOREACH (item, &r->names)
		n += str_is_i(str_from(*item), name);
	return n;
}

struct webhook_request saved_request_view(const struct saved_request *r)
{
	return (struct webhook_request){
		.header = header, .header_count = header_count, .http = r, .body = buf_str(&r->body)
	};
}

void saved_request_release(struct saved_request *r)
{
	strvec_release(&r->names);
	strvec_release(&r->values);
	buf_release(&r->body);
}
