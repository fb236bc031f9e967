#include "runner/exec/git_server.h"

#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_credential.h"
#include "runner/exec/transfer.h"

enum { REST_BYTES = 64 * 1024 };

void git_server_open(struct git_server *out, const struct exec *x, const char *url,
		     const struct git_credential *credential)
{
	const struct spec_limits *limits = &x->spec.limits;
	struct transfers_opts opts = {
		.x = x,
		.limit_ms = limits->git_timeout_ms,
		.stall_ms = limits->git_stall_ms,
		.limit_bytes = limits->git_bytes,
		.allow = x->spec.allow_addresses,
		.allow_len = x->spec.allow_addresses_len,
	};

	*out = (struct git_server){ .x = x, .url = url, .credential = credential };
	out->transfers = transfers_create(&opts);
}

void git_server_close(struct git_server *s)
{
	transfers_destroy(s->transfers);
	s->transfers = NULL;
}

/* ---- errors ---- */

static const struct {
	const char *net, *git;
} translations[] = {
	{ "net_unreachable", "git_network" }, { "net_stalled", "git_timeout" },
	{ "net_timeout", "git_timeout" },     { "net_too_large", "git_too_large" },
	{ "net_protocol", "git_protocol" },
};

/* Servers that want people to sign in send git there as well. */
static bool leads_to_sign_in(const struct err *err)
{
	static const char *const places[] = { "signin", "sign_in", "sign-in", "login" };

	for (size_t i = 0; err_is(err, "redirect_denied") && i < ARRAY_LEN(places); i++) {
		if (strcasestr(err->msg, places[i]))
			return true;
	}
	return false;
}

static bool has_token(const struct git_server *s)
{
	return secret_is_set(&s->credential->token);
}

static int translate(const struct git_server *s, struct err *failure, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(translations); i++) {
		if (!err_is(failure, translations[i].net))
			continue;
		snprintf(failure->word, sizeof failure->word, "%s", translations[i].git);
		break;
	}
	if (leads_to_sign_in(failure))
		return err_set(err, ERR_DENIED, "git_auth",
			       "the server sends us to a page to sign in instead of git: %s",
			       has_token(s) ? "it does not accept the token"
					    : "it wants a token, and there is none for this "
					      "repository");
	if (err)
		*err = *failure;
	return -1;
}

static int unauthorized(const struct git_server *s, struct err *err)
{
	if (!has_token(s))
		return err_set(err, ERR_DENIED, "git_auth",
			       "the server wants credentials (status 401) and there is no token "
			       "for this repository");
	return err_set(err, ERR_DENIED, "git_auth",
		       "the server does not accept the token (status 401): it has expired, was "
		       "revoked or is not right");
}

static int forbidden(const struct git_server *s, struct err *err)
{
	if (!has_token(s))
		return err_set(err, ERR_DENIED, "git_auth",
			       "the server forbids reading this repository without a token "
			       "(status 403)");
	return err_set(err, ERR_DENIED, "git_auth",
		       "the server knows the token, but it may not read this repository "
		       "(status 403)");
}

static int not_found(const struct git_server *s, int status, struct err *err)
{
	if (!has_token(s))
		return err_set(err, ERR_NOTFOUND, "git_not_found",
			       "there is no such repository (status %d), or it is private and "
			       "there is no token for it",
			       status);
	return err_set(err, ERR_NOTFOUND, "git_not_found",
		       "there is no such repository (status %d), or the token may not see it: many "
		       "servers answer so for a missing permission",
		       status);
}

static int check_status(const struct git_server *s, int status, struct err *err)
{
	switch (status) {
	case 200:
	case 203: return 0; /* 203: a page to sign in, which check_type() tells */
	case 401: return unauthorized(s, err);
	case 403: return forbidden(s, err);
	case 404:
	case 410: return not_found(s, status, err);
	case 429:
		return err_set(err, ERR_DENIED, "git_auth",
			       "the server wants no more requests from us for now (status 429)");
	}
	return err_set(err, status >= 500 ? ERR_UNAVAILABLE : ERR_DENIED, "git_network",
		       "the server answers with status %d", status);
}

/* A page for people comes with 200 or 203 where credentials are missing. */
static int check_type(const struct transfer *response, const char *wanted, struct err *err)
{
	const char *type = transfer_header(response, "content-type");

	if (type && strncmp(type, wanted, strlen(wanted)) == 0)
		return 0;
	return err_set(err, ERR_DENIED, "git_auth",
		       "the server answers with %.80s instead of git: a page to sign in, or not "
		       "the address of a repository",
		       type ? type : "something unknown");
}

/* ---- requests ---- */

static int read_answer(void *data, void *bytes, size_t size, size_t *n, struct err *err)
{
	struct git_answer *a = data;
	struct err failure = { 0 };

	if (transfer_read(a->response, bytes, size, n, &failure) < 0)
		return translate(a->server, &failure, err);
	return 0;
}

static int ask(struct git_answer *out, struct git_server *s, struct transfer_request *request,
	       const char *type, struct err *err)
{
	struct err failure = { 0 };

	if (has_token(s)) {
		request->username = s->credential->username;
		request->password = &s->credential->token;
	}
	*out = (struct git_answer){ .server = s };
	if (transfer_open(&out->response, s->transfers, request, &failure) < 0)
		return translate(s, &failure, err);
	if (check_status(s, transfer_status(out->response), err) < 0 ||
	    check_type(out->response, type, err) < 0) {
		git_answer_close(out);
		return -1;
	}
	out->lines = git_pkt_open(read_answer, out);
	return 0;
}

static char *url_of(const struct git_server *s, const char *path)
{
	struct str base = str_from(s->url);

	while (str_ends(base, "/"))
		base.len--;
	return xasprintf(STR_FMT "/%s", STR_ARG(base), path);
}

int git_server_get(struct git_answer *out, struct git_server *s, struct err *err)
{
	static const char type[] = "application/x-git-upload-pack-advertisement";
	cleanup_free char *url = url_of(s, "info/refs?service=git-upload-pack");
	cleanup_strvec struct strvec headers = { 0 };
	struct transfer_request request = { .method = "GET", .url = url };

	strvec_pushf(&headers, "Accept: %s", type);
	strvec_push(&headers, "Git-Protocol: version=2");
	request.headers = headers;
	return ask(out, s, &request, type, err);
}

int git_server_post(struct git_answer *out, struct git_server *s, struct str body, bool v2,
		    struct err *err)
{
	static const char type[] = "application/x-git-upload-pack-result";
	cleanup_free char *url = url_of(s, "git-upload-pack");
	cleanup_strvec struct strvec headers = { 0 };
	struct transfer_request request = { .method = "POST", .url = url, .body = body };

	strvec_push(&headers, "Content-Type: application/x-git-upload-pack-request");
	strvec_pushf(&headers, "Accept: %s", type);
	if (v2)
		strvec_push(&headers, "Git-Protocol: version=2");
	request.headers = headers;
	return ask(out, s, &request, type, err);
}

void git_answer_drain(struct git_answer *a)
{
	struct buf rest = BUF_LIMIT(REST_BYTES);

	transfer_read_all(a->response, &rest, NULL);
	buf_release(&rest);
}

void git_answer_close(struct git_answer *a)
{
	transfer_close(a->response);
	git_pkt_close(a->lines);
	*a = (struct git_answer){ 0 };
}
