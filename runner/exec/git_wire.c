#include "runner/exec/git_wire.h"

#include <git2/errors.h>
#include <git2/sys/transport.h>

#include "common/scope.h"
#include "runner/exec/git_advert.h"
#include "runner/exec/transfer.h"

/* One exchange: info/refs, or one round of git-upload-pack. */
struct stream {
	git_smart_subtransport_stream parent;
	struct git_wire *wire;
	char *url;
	bool is_advert;
	struct git_advert advert;
	struct buf request;
	struct transfer *response; /* NULL until the first read */
};

struct subtransport {
	git_smart_subtransport parent;
	struct git_wire *wire;
};

/* ---- errors ---- */

static const struct {
	const char *net, *git;
} translations[] = {
	{ "net_unreachable", "git_network" }, { "net_stalled", "git_timeout" },
	{ "net_timeout", "git_timeout" },     { "net_too_large", "git_too_large" },
	{ "net_protocol", "git_protocol" },
};

/* Keep the error for git_wire_error(); what libgit2 sees is only that there was one. */
static int fail(struct git_wire *wire)
{
	for (size_t i = 0; i < ARRAY_LEN(translations); i++) {
		if (err_is(&wire->err, translations[i].net)) {
			snprintf(wire->err.word, sizeof wire->err.word, "%s", translations[i].git);
			break;
		}
	}
	git_error_set_str(GIT_ERROR_NET, wire->err.msg);
	return -1;
}

static bool has_token(const struct git_wire *wire)
{
	return wire->token && secret_is_set(wire->token);
}

static int refused(struct git_wire *wire, int status)
{
	if (!has_token(wire))
		err_set(&wire->err, ERR_DENIED, "git_auth",
			"the server wants credentials (status %d) and there is no token for this "
			"repository",
			status);
	else
		err_set(&wire->err, ERR_DENIED, "git_auth",
			"the server refused the token (status %d): is it valid, and may it read "
			"this repository?",
			status);
	return fail(wire);
}

static int check_status(struct git_wire *wire, int status)
{
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return refused(wire, status);
	if (status == 429)
		err_set(&wire->err, ERR_DENIED, "git_auth",
			"the server wants no more requests from us for now (status 429)");
	else if (status == 404 || status == 410)
		err_set(&wire->err, ERR_NOTFOUND, "git_not_found",
			"there is no such repository (status %d)%s", status,
			has_token(wire) ? ", or the token may not see it"
					: ", or it needs a token");
	else
		err_set(&wire->err, status >= 500 ? ERR_UNAVAILABLE : ERR_DENIED, "git_network",
			"the server answers with status %d", status);
	return fail(wire);
}

/* A page for people comes with 200 (or 203) where credentials are missing. */
static int check_type(struct stream *s)
{
	const char *wanted = s->is_advert ? "application/x-git-upload-pack-advertisement"
					  : "application/x-git-upload-pack-result";
	const char *type = transfer_header(s->response, "content-type");

	if (type && strncmp(type, wanted, strlen(wanted)) == 0)
		return 0;
	err_set(&s->wire->err, ERR_DENIED, "git_auth",
		"the server answers with %.80s instead of git: a sign-in page, or not the address "
		"of a repository",
		type ? type : "something unknown");
	return fail(s->wire);
}

/* ---- a stream ---- */

static int open_response(struct stream *s)
{
	struct git_wire *wire = s->wire;
	struct transfer_request request = {
		.method = s->is_advert ? "GET" : "POST",
		.url = s->url,
		.body = buf_str(&s->request),
	};

	if (has_token(wire)) {
		request.username = wire->username;
		request.password = wire->token;
	}
	if (s->is_advert) {
		strvec_push(&request.headers,
			    "Accept: application/x-git-upload-pack-advertisement");
	} else {
		strvec_push(&request.headers,
			    "Content-Type: application/x-git-upload-pack-request");
		strvec_push(&request.headers, "Accept: application/x-git-upload-pack-result");
	}
	int rc = transfer_open(&s->response, wire->transfers, &request, &wire->err);
	strvec_release(&request.headers);
	if (rc < 0)
		return fail(wire);
	int status = transfer_status(s->response);
	if (status == 203)
		return check_type(s);
	return check_status(wire, status) < 0 ? -1 : check_type(s);
}

static int stream_read(git_smart_subtransport_stream *parent, char *bytes, size_t size, size_t *n)
{
	struct stream *s = (struct stream *)parent;

	*n = 0;
	if (!s->response && open_response(s) < 0)
		return -1;
	if (transfer_read(s->response, bytes, size, n, &s->wire->err) < 0)
		return fail(s->wire);
	if (s->is_advert &&
	    git_advert_feed(&s->advert, (struct str){ bytes, *n }, &s->wire->err) < 0)
		return fail(s->wire);
	return 0;
}

static int stream_write(git_smart_subtransport_stream *parent, const char *bytes, size_t len)
{
	struct stream *s = (struct stream *)parent;

	buf_add(&s->request, bytes, len);
	return 0;
}

static void stream_free(git_smart_subtransport_stream *parent)
{
	struct stream *s = (struct stream *)parent;

	transfer_close(s->response);
	buf_release(&s->request);
	free(s->url);
	free(s);
}

/* ---- the subtransport ---- */

static int open_stream(git_smart_subtransport_stream **out, git_smart_subtransport *parent,
		       const char *url, git_smart_service_t service)
{
	struct git_wire *wire = ((struct subtransport *)parent)->wire;
	bool is_advert = service == GIT_SERVICE_UPLOADPACK_LS;
	struct str base = str_from(url);

	if (!str_starts(base, "https://") && !str_starts(base, "http://")) {
		err_set(&wire->err, ERR_DENIED, "scheme_denied",
			"only http and https repositories can be fetched");
		return fail(wire);
	}
	while (str_ends(base, "/"))
		base.len--;
	struct stream *s = xnew(struct stream);
	s->parent = (git_smart_subtransport_stream){
		.subtransport = parent,
		.read = stream_read,
		.write = stream_write,
		.free = stream_free,
	};
	s->wire = wire;
	s->is_advert = is_advert;
	s->url = xasprintf(STR_FMT "/%s", STR_ARG(base),
			   is_advert ? "info/refs?service=git-upload-pack" : "git-upload-pack");
	*out = &s->parent;
	return 0;
}

static int close_subtransport(git_smart_subtransport *parent)
{
	(void)parent;
	return 0;
}

static void free_subtransport(git_smart_subtransport *parent)
{
	free(parent);
}

static int make_subtransport(git_smart_subtransport **out, git_transport *owner, void *param)
{
	struct subtransport *t = xnew(struct subtransport);
	(void)owner;

	t->parent = (git_smart_subtransport){
		.action = open_stream,
		.close = close_subtransport,
		.free = free_subtransport,
	};
	t->wire = param;
	*out = &t->parent;
	return 0;
}

int git_wire_transport(git_transport **out, git_remote *owner, void *payload)
{
	git_smart_subtransport_definition definition = {
		.callback = make_subtransport,
		.rpc = 1,
		.param = payload,
	};
	return git_transport_smart(out, owner, &definition);
}

int git_wire_error(const struct git_wire *wire, struct err *err)
{
	const git_error *last = git_error_last();
	const char *text = last && last->message ? last->message : "unknown";

	if (wire->err.code != ERR_NONE) {
		if (err)
			*err = wire->err;
		return -1;
	}
	if (last && last->klass == GIT_ERROR_OS)
		return err_set(err, ERR_UNAVAILABLE,
			       strstr(text, "No space left") ? "disk_full" : "storage", "%.300s",
			       text);
	/* "early EOF": a proper end of the answer where the protocol had not ended. */
	if (last && last->klass == GIT_ERROR_NET && strstr(text, "EOF"))
		return err_set(err, ERR_UNAVAILABLE, "git_network", "the server broke off: %.300s",
			       text);
	/* A ref moved between the listing and the asking: the next listing has it. */
	if (last && last->klass == GIT_ERROR_NET && strstr(text, "not our ref"))
		return err_set(err, ERR_UNAVAILABLE, "git_network", "the server answers: %.300s",
			       text);
	if (last && last->klass == GIT_ERROR_NET)
		return err_set(err, ERR_DENIED, "git_protocol", "the server answers: %.300s", text);
	/* What is missing here was lost by us: refs and packs of a mirror are written together. */
	if (last && (last->klass == GIT_ERROR_ODB || last->klass == GIT_ERROR_REFERENCE))
		return err_set(err, ERR_INTERNAL, "git_bad_object", "the mirror is damaged: %.300s",
			       text);
	return err_set(err, ERR_INVALID, "git_bad_pack",
		       "the server sent a pack that cannot be "
		       "used: %.300s",
		       text);
}
