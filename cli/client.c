#include "cli/client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/socket_path.h"
#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "common/secret.h"

enum {
	ANSWER_LIMIT_BYTES = 64 << 20, /* a listing of many runs */
	CONNECT_TIMEOUT_S = 10,
	ANSWER_TIMEOUT_S = 120,
};

struct client {
	CURL *curl;
	char *target; /* socket path or base URL without a slash at its end */
	bool is_unix;
	bool verbose;
	struct secret token;
	struct err trouble; /* a wrong setting, told by the first request */
	long status;
};

static void load_token(struct client *c, const char *token_file)
{
	const char *token = getenv("SLIPWAY_TOKEN");

	if (token_file) {
		cleanup_free char *reference = xasprintf("file:%s", token_file);
		secret_load(&c->token, reference, false, &c->trouble);
	} else if (token && *token) {
		secret_set(&c->token, str_from(token));
	}
}

struct client *client_create(const char *server, const char *token_file, bool verbose)
{
	struct client *c = xnew(struct client);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	c->curl = curl_easy_init();
	c->verbose = verbose;
	if (!server || !*server)
		server = getenv("SLIPWAY_SERVER");
	if (server && *server) {
		struct str url = str_from(server);
		while (str_ends(url, "/"))
			url.len--;
		c->target = str_dup(url);
		if (!str_starts(url, "http://") && !str_starts(url, "https://"))
			err_set(&c->trouble, ERR_INVALID, "usage",
				"--server wants a URL such as https://ci.example.org, not '%.80s'",
				server);
		load_token(c, token_file);
	} else {
		c->is_unix = true;
		c->target = socket_path();
	}
	return c;
}

void client_destroy(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	secret_release(&c->token);
	free(c->target);
	free(c);
}

int client_status(const struct client *c)
{
	return (int)c->status;
}

const char *client_path_of(const struct client *c, const char *url)
{
	struct str all = str_from(url);

	size_t own = strlen(c->target);

	if (!c->is_unix && str_starts(all, c->target) && url[own] == '/')
		return url + own;
	if (!str_starts(all, "http://") && !str_starts(all, "https://"))
		return url;
	size_t host = str_find(all, '/', 0) + 2;
	return url + str_find(all, '/', host);
}

/* One exchange: the answer's body either collects in `body` or, when it is a success, flows out. */
struct exchange {
	struct client *client;
	const char *method, *url;
	struct buf body;
	bool (*write)(struct str bytes, void *data);
	ssize_t (*read)(char *into, size_t room, void *data);
	void *data;
	uint64_t *offset;
	bool stopped, broken;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata)
{
	struct exchange *x = userdata;
	struct str piece = { bytes, size * count };

	curl_easy_getinfo(x->client->curl, CURLINFO_RESPONSE_CODE, &x->client->status);
	if (x->write && x->client->status < 300) {
		if (!x->write(piece, x->data)) {
			x->stopped = true;
			return 0;
		}
		*x->offset += piece.len;
		return piece.len;
	}
	return buf_addstr(&x->body, piece) < 0 ? 0 : piece.len;
}

/* About once a second, also while nothing comes: so that a quiet stream can be left. */
static int on_tick(void *userdata, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct exchange *x = userdata;

	(void)a, (void)b, (void)c, (void)d;
	x->stopped = x->stopped || !x->write((struct str){ "", 0 }, x->data);
	return x->stopped;
}

static size_t on_upload(char *into, size_t size, size_t count, void *userdata)
{
	struct exchange *x = userdata;
	ssize_t n = x->read(into, size * count, x->data);

	if (n < 0) {
		x->broken = true;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)n;
}

/* The error body of the service: {"error":{"code","message"}}. */
static int refused(struct client *c, const struct exchange *x, struct err *err)
{
	static const struct {
		long status;
		enum err_code code;
	} codes[] = {
		{ 401, ERR_DENIED },      { 403, ERR_DENIED },  { 404, ERR_NOTFOUND },
		{ 409, ERR_CONFLICT },    { 408, ERR_TIMEOUT }, { 503, ERR_UNAVAILABLE },
		{ 429, ERR_UNAVAILABLE },
	};
	enum err_code code = c->status >= 500 ? ERR_INTERNAL : ERR_INVALID;
	cleanup_json json_t *answer = json_loadb(buf_str(&x->body).ptr, x->body.len, 0, NULL);
	const json_t *error = json_object_get(answer, "error");
	const char *word = json_string_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].status == c->status)
			code = codes[i].code;
	}
	if (!message)
		return err_set(err, code, "http", "%s answered with status %ld", c->target,
			       c->status);
	return err_set(err, code, word ? word : "http", "%s", message);
}

static int unreachable(struct client *c, CURLcode rc, struct err *err)
{
	if (c->is_unix)
		return err_set(
			err, ERR_UNAVAILABLE, "unreachable",
			"cannot reach the service at %s (%s). Is it running? Start it with 'slipway serve', or "
			"say where it is with --server or SLIPWAY_SOCKET",
			c->target, curl_easy_strerror(rc));
	return err_set(err, ERR_UNAVAILABLE, "unreachable", "cannot reach the service at %s: %s",
		       c->target, curl_easy_strerror(rc));
}

static char *full_url(const struct client *c, const char *path)
{
	if (!c->is_unix)
		return xasprintf("%s%s", c->target, path);
	return xasprintf("http://slipway%s", path);
}

static void prepare(struct client *c, const char *method, const char *url, struct exchange *x)
{
	CURL *curl = c->curl;

	curl_easy_reset(curl);
	c->status = 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, c->is_unix ? "*" : NULL);
	if (c->is_unix)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->target);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "slipway/" SLIPWAY_VERSION);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	if (secret_is_set(&c->token)) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, secret_reveal(&c->token));
	}
	x->client = c;
	x->method = method;
	x->url = url;
	x->body.limit = ANSWER_LIMIT_BYTES;
}

static int perform(struct client *c, struct exchange *x, struct err *err)
{
	if (c->trouble.code != ERR_NONE) {
		*err = c->trouble;
		return -1;
	}
	CURLcode rc = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
	if (c->verbose)
		cli_say("%s %s: %ld", x->method, x->url, c->status);
	if (x->broken)
		return -1; /* the reader has said why */
	if (x->stopped)
		return 0;
	/* A refusal in the middle of an upload may come with a reset: the answer tells more. */
	if (rc != CURLE_OK && c->status < 400)
		return unreachable(c, rc, err);
	if (c->status >= 300)
		return refused(c, x, err);
	return 0;
}

int client_json(struct client *c, const char *method, const char *path, const json_t *body,
		json_t **out, struct err *err)
{
	struct exchange x = { 0 };
	cleanup_free char *url = full_url(c, path);
	cleanup_free char *text = body ? json_text(body) : NULL;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	int rc;

	prepare(c, method, url, &x);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)ANSWER_TIMEOUT_S);
	if (text || strcmp(method, "POST") == 0) {
		curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text ? text : "");
	}
	rc = perform(c, &x, err);
	if (rc == 0 && out)
		*out = NULL;
	if (rc == 0 && out && x.body.len)
		rc = json_read(out, buf_str(&x.body), &(struct json_limits){ .nodes = 50000000 },
			       err);
	curl_slist_free_all(headers);
	buf_release(&x.body);
	return rc;
}

int client_stream(struct client *c, const char *path, uint64_t *offset,
		  bool (*write)(struct str bytes, void *data), void *data, struct err *err)
{
	struct exchange x = { .write = write, .data = data, .offset = offset };
	cleanup_free char *url = full_url(c, path);
	cleanup_free char *range = xasprintf("%llu-", (unsigned long long)*offset);

	prepare(c, "GET", url, &x);
	if (*offset)
		curl_easy_setopt(c->curl, CURLOPT_RANGE, range);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_tick);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, &x);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	int rc = perform(c, &x, err);
	if (rc < 0 && c->status == 416)
		rc = 0; /* nothing after the offset */
	buf_release(&x.body);
	return rc;
}

int client_upload(struct client *c, const char *path,
		  ssize_t (*read)(char *into, size_t room, void *data), void *data, struct err *err)
{
	struct exchange x = { .read = read, .data = data };
	cleanup_free char *url = full_url(c, path);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/gzip");

	prepare(c, "PUT", url, &x);
	curl_easy_setopt(c->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c->curl, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(c->curl, CURLOPT_READDATA, &x);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	int rc = perform(c, &x, err);
	curl_slist_free_all(headers);
	buf_release(&x.body);
	return rc;
}
