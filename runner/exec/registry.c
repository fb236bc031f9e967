#include "runner/exec/registry.h"

#include <jansson.h>

#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/images.h"
#include "runner/exec/transfer.h"

enum {
	ANSWER_BYTES = 4 * 1024 * 1024, /* a manifest; registries allow no larger one */
	TOKEN_BYTES = 64 * 1024,
	WITHIN_MS = 30 * 1000,
};

/* What a manifest may be: a registry converts nothing when all are accepted. */
static const char accept[] = "Accept: application/vnd.oci.image.manifest.v1+json, "
			     "application/vnd.oci.image.index.v1+json, "
			     "application/vnd.docker.distribution.manifest.v2+json, "
			     "application/vnd.docker.distribution.manifest.list.v2+json";

/* A conversation with one registry. */
struct dialog {
	struct transfers *transfers;
	const struct spec_registry *registry; /* or NULL: not configured */
	const char *server;
	struct secret bearer; /* once there was a challenge */
};

/* ---- errors ---- */

static int translate(const char *server, struct err *err)
{
	static const char *const ours[] = { "net_unreachable", "net_stalled", "net_timeout",
					    "net_protocol", "net_too_large" };

	for (size_t i = 0; err && i < ARRAY_LEN(ours); i++) {
		if (!err_is(err, ours[i]))
			continue;
		snprintf(err->word, sizeof err->word, "registry_unreachable");
		err->code = ERR_UNAVAILABLE;
		return err_wrap(err, "the registry %.100s", server);
	}
	return -1;
}

static int bad_status(int status, const char *server, struct err *err)
{
	if (status == 401 || status == 403)
		return err_set(err, ERR_DENIED, status == 401 ? "registry_auth" : "registry_denied",
			       "the registry %s does not accept our credentials (status %d)",
			       server, status);
	if (status >= 500 || status == 429)
		return err_set(err, ERR_UNAVAILABLE, "registry_unreachable",
			       "the registry %s answers with status %d", server, status);
	return err_set(err, ERR_DENIED, "registry_protocol",
		       "the registry %s answers with status %d", server, status);
}

/* ---- authentication ---- */

/* 'Bearer realm="https://auth.example.org/token",service="x"': values may be quoted. */
char *registry_challenge(const char *header, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = header; (p = strcasestr(p, name)); p += len) {
		bool starts = p == header || p[-1] == ' ' || p[-1] == ',';
		if (!starts || p[len] != '=')
			continue;
		const char *value = p + len + 1;
		if (*value == '"')
			return xstrndup(value + 1, strcspn(value + 1, "\""));
		return xstrndup(value, strcspn(value, ", "));
	}
	return NULL;
}

/* "auth.example.org" of "https://auth.example.org:5001/token". */
static struct str host_of(const char *url)
{
	const char *scheme = strstr(url, "://");
	struct str rest = str_from(scheme ? scheme + 3 : url);

	rest.len = strcspn(rest.ptr, "/?#");
	if (rest.len && rest.ptr[0] == '[')
		return str_slice(rest, 0, str_find(rest, ']', 0) + 1);
	rest.len = str_find(rest, ':', 0);
	return rest;
}

bool registry_trusts_realm(const char *registry, const char *realm)
{
	struct str own = host_of(registry), other = host_of(realm);

	if (str_find(str_from(realm), '@', 0) < strlen(realm))
		return false;
	if (str_ieq(own, other))
		return true;
	/* Docker's own, whose names are related by nothing but this line. */
	if ((str_is_i(own, "docker.io") || str_is_i(own, "registry-1.docker.io")) &&
	    str_is_i(other, "auth.docker.io"))
		return true;
	bool is_domain = str_find(other, '.', 0) < other.len;
	return is_domain && own.len > other.len + 1 && own.ptr[own.len - other.len - 1] == '.' &&
	       str_ieq(str_after(own, own.len - other.len), other);
}

/* The whole body of an answer, which must be 200; `response` is closed. */
static int read_answer(struct buf *body, const struct dialog *d, struct transfer *response,
		       struct err *err)
{
	int status = transfer_status(response);
	int rc = transfer_read_all(response, body, err);

	transfer_close(response);
	if (rc < 0)
		return translate(d->server, err);
	return status == 200 ? 0 : bad_status(status, d->server, err);
}

static int read_token(struct dialog *d, const char *url, struct err *err)
{
	struct transfer_request request = { .method = "GET", .url = url };
	cleanup_buf struct buf body = BUF_LIMIT(TOKEN_BYTES);
	cleanup_json json_t *answer = NULL;
	struct transfer *response = NULL;
	const char *token = NULL;

	if (d->registry && d->registry->username) {
		request.username = d->registry->username;
		request.password = &d->registry->password;
	}
	if (transfer_open(&response, d->transfers, &request, err) < 0)
		return translate(d->server, err);
	if (read_answer(&body, d, response, err) < 0)
		return -1;
	if (json_read(&answer, buf_str(&body), NULL, err) == 0) {
		json_opt_string(answer, "", "access_token", &token, NULL);
		json_opt_string(answer, "", "token", &token, NULL);
	}
	if (!token || str_has_control(str_from(token)))
		return err_set(err, ERR_DENIED, "registry_auth",
			       "the token server of %s sent no token", d->server);
	secret_set(&d->bearer, str_from(token));
	explicit_bzero(body.ptr, body.len);
	return 0;
}

static void add_parameter(struct buf *url, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(url, "%s%s=", strchr(url->ptr, '?') ? "&" : "?", name);
	percent_encode(url, str_from(value));
}

/* Basic was sent with the first request; what is left is to fetch a token where it is wanted. */
static int answer_challenge(struct dialog *d, const char *header, struct err *err)
{
	cleanup_free char *realm = NULL, *service = NULL, *scope = NULL;
	cleanup_buf struct buf url = BUF_LIMIT(8192);
	bool insecure = d->registry && d->registry->insecure;

	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return bad_status(401, d->server, err);
	realm = registry_challenge(header, "realm");
	service = registry_challenge(header, "service");
	scope = registry_challenge(header, "scope");
	bool is_safe = realm && (strncasecmp(realm, "https://", 8) == 0 ||
				 (insecure && strncasecmp(realm, "http://", 7) == 0));
	if (!is_safe || !registry_trusts_realm(d->server, realm))
		return err_set(
			err, ERR_DENIED, "registry_auth",
			"the registry %s sends us to %.200s for a token, which is not its own",
			d->server, realm ? realm : "nowhere");
	buf_adds(&url, realm);
	add_parameter(&url, "service", service);
	add_parameter(&url, "scope", scope);
	if (url.full)
		return err_set(err, ERR_LIMIT, "registry_protocol",
			       "the registry %s sent a challenge that is too long", d->server);
	return read_token(d, url.ptr, err);
}

/* ---- requests ---- */

static int send(struct transfer **out, struct dialog *d, const char *method, const char *url,
		struct err *err)
{
	struct transfer_request request = { .method = method, .url = url };

	strvec_push(&request.headers, accept);
	if (secret_is_set(&d->bearer)) {
		strvec_pushf(&request.headers, "Authorization: Bearer %s",
			     secret_reveal(&d->bearer));
	} else if (d->registry && d->registry->username) {
		request.username = d->registry->username;
		request.password = &d->registry->password;
	}
	int rc = transfer_open(out, d->transfers, &request, err);
	STRVEC_FOREACH (header, &request.headers)
		explicit_bzero(*header, strlen(*header));
	strvec_release(&request.headers);
	return rc < 0 ? translate(d->server, err) : 0;
}

/* At most one challenge: a second 401 is an answer. */
static int ask(struct transfer **out, struct dialog *d, const char *method, const char *path,
	       struct err *err)
{
	bool insecure = d->registry && d->registry->insecure;
	bool is_docker = strcmp(d->server, "docker.io") == 0;
	cleanup_free char *url = xasprintf("%s://%s%s", insecure ? "http" : "https",
					   is_docker ? "registry-1.docker.io" : d->server, path);

	if (send(out, d, method, url, err) < 0)
		return -1;
	if (transfer_status(*out) != 401 || secret_is_set(&d->bearer))
		return 0;
	const char *header = transfer_header(*out, "www-authenticate");
	cleanup_free char *challenge = xstrdup(header);
	transfer_close(*out);
	*out = NULL;
	if (answer_challenge(d, challenge, err) < 0)
		return -1;
	return send(out, d, method, url, err);
}

static bool is_digest(const char *text)
{
	unsigned char bytes[SHA256_BYTES];
	struct str digest = str_from(text);

	return str_starts(digest, "sha256:") &&
	       hex_decode(bytes, sizeof bytes, str_after(digest, strlen("sha256:")));
}

/* The digest of what the registry sends, for a registry that does not say it. */
static int digest_of_body(char **out, struct dialog *d, const char *path, struct err *err)
{
	cleanup_buf struct buf body = BUF_LIMIT(ANSWER_BYTES);
	unsigned char hash[SHA256_BYTES];
	struct transfer *response = NULL;

	if (ask(&response, d, "GET", path, err) < 0)
		return -1;
	if (read_answer(&body, d, response, err) < 0)
		return -1;
	sha256(hash, buf_str(&body));
	cleanup_free char *hex = hex_encode(hash, sizeof hash);
	*out = xasprintf("sha256:%s", hex);
	return 0;
}

static int read_digest(char **out, struct dialog *d, const struct image *image, struct err *err)
{
	cleanup_free char *path = xasprintf("/v2/%s/manifests/%s", image->repository, image->tag);
	struct transfer *response = NULL;

	if (ask(&response, d, "HEAD", path, err) < 0)
		return -1;
	int status = transfer_status(response);
	const char *header = transfer_header(response, "docker-content-digest");
	cleanup_free char *digest = xstrdup(header);
	transfer_close(response);
	if (status == 404) {
		*out = NULL;
		return 0;
	}
	if (status != 200)
		return bad_status(status, d->server, err);
	if (!digest || !is_digest(digest))
		return digest_of_body(out, d, path, err);
	*out = digest;
	digest = NULL;
	return 0;
}

static void open_dialog(struct dialog *d, const struct exec *x, const char *server,
			const struct spec_registry *registry, int64_t within_ms)
{
	struct transfers_opts opts = {
		.x = x,
		.limit_ms = within_ms ? within_ms : WITHIN_MS,
		.limit_bytes = ANSWER_BYTES + TOKEN_BYTES,
		.any_address = true, /* the operator named this server */
		.ignore_stop = within_ms > 0,
	};

	*d = (struct dialog){
		.transfers = transfers_create(&opts),
		.server = server,
		.registry = registry,
	};
}

static void close_dialog(struct dialog *d)
{
	transfers_destroy(d->transfers);
	secret_release(&d->bearer);
}

int registry_read_digest(char **out, const struct exec *x, const struct image *image,
			 int64_t within_ms, struct err *err)
{
	struct dialog d;

	open_dialog(&d, x, image->registry, spec_registry_at(&x->spec, image->registry), within_ms);
	int rc = read_digest(out, &d, image, err);
	close_dialog(&d);
	return rc;
}

int registry_ping(const struct exec *x, const struct spec_registry *registry, int64_t within_ms,
		  struct err *err)
{
	struct transfer *response = NULL;
	struct dialog d;

	open_dialog(&d, x, registry->login_server, registry, within_ms);
	int rc = ask(&response, &d, "GET", "/v2/", err);
	if (rc == 0 && transfer_status(response) != 200)
		rc = bad_status(transfer_status(response), registry->login_server, err);
	transfer_close(response);
	close_dialog(&d);
	return rc;
}
