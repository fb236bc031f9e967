#include "runner/exec/git_lfs_server.h"

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "context/policy.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_bring.h"
#include "runner/exec/git_lfs_store.h"
#include "runner/exec/git_lfs_url.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"
#include "runner/exec/transfer.h"

enum {
	ANSWER_BYTES = 4 * 1024 * 1024,
	PIECE_BYTES = 64 * 1024,
	TRIES_AGAIN = 3,
	FIRST_PAUSE_MS = 250,
	PROGRESS_MS = 5000,    /* between two lines of the log */
	SECRET_MIN_BYTES = 16, /* of a header's value; "BlockBlob" is none */
	MASKED_MAX = 200,      /* values: each one makes the log a little slower */
};

struct git_lfs_server {
	struct exec *x;
	const struct git_brought *from;
	struct transfers *transfers;
	struct policy policy;
	char *batch_url;
	int masked;
	int64_t received_bytes, said_ms;
};

struct git_lfs_server *git_lfs_server_open(const struct git_brought *from, struct exec *x)
{
	const struct spec *spec = &x->spec;
	struct git_lfs_server *s = xnew(struct git_lfs_server);
	cleanup_free char *url = git_lfs_server_url(str_from(from->url));
	struct transfers_opts opts = {
		.x = x,
		.limit_ms = spec->limits.git_timeout_ms,
		.stall_ms = spec->limits.git_stall_ms,
		.allow = spec->allow_addresses,
		.allow_len = spec->allow_addresses_len,
	};

	*s = (struct git_lfs_server){
		.x = x,
		.from = from,
		.transfers = transfers_create(&opts),
		.policy = source_policy(x),
		.batch_url = xasprintf("%s/objects/batch", url),
		.said_ms = clock_monotonic_ms(),
	};
	return s;
}

void git_lfs_server_close(struct git_lfs_server *s)
{
	if (!s)
		return;
	transfers_destroy(s->transfers);
	free(s->batch_url);
	free(s);
}

/* ---- errors ---- */

static const struct {
	const char *net, *git;
} translations[] = {
	{ "net_unreachable", "git_network" }, { "net_stalled", "git_timeout" },
	{ "net_timeout", "git_timeout" },     { "net_too_large", "git_protocol" },
	{ "net_protocol", "git_protocol" },
};

static int translate(struct err *err)
{
	for (size_t i = 0; err && i < ARRAY_LEN(translations); i++) {
		if (err_is(err, translations[i].net)) {
			snprintf(err->word, sizeof err->word, "%s", translations[i].git);
			break;
		}
	}
	return err_wrap(err, "Git LFS");
}

static bool has_credential(const struct git_lfs_server *s)
{
	return secret_is_set(&s->from->credential.token);
}

static int wants_credentials(const struct git_lfs_server *s, int status, struct err *err)
{
	return err_set(err, ERR_DENIED, "git_auth",
		       has_credential(s)
			       ? "the LFS server refused the token (status %d): is it valid, and "
				 "may it read the files of this repository?"
			       : "the LFS server wants credentials (status %d) and there is no "
				 "token for this repository",
		       status);
}

static int not_now(int status, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE, "git_network", "the LFS server answers with status %d",
		       status);
}

static bool passes(int status)
{
	return status == 429 || (status >= 500 && status != 501 && status != 505 && status < 507);
}

static void use_credential(const struct git_lfs_server *s, struct transfer_request *request)
{
	if (!has_credential(s))
		return;
	request->username = s->from->credential.username;
	request->password = &s->from->credential.token;
}

/* 0 when *failure is of the kind that passes, and time for another try has come. */
static int wait_to_try_again(const struct git_lfs_server *s, int tried, struct err *failure)
{
	if (tried > TRIES_AGAIN || !err_is(failure, "git_network"))
		return -1;
	runlog_say(s->x->log, "%s; trying again", failure->msg);
	return exec_pause(s->x, (int64_t)FIRST_PAUSE_MS << (tried - 1), failure);
}

/* ---- asking ---- */

/* In the log, which masks what it may not show: the server's own words. */
static void say_message(const struct git_lfs_server *s, struct str body)
{
	cleanup_free char *message = git_lfs_batch_message(body);

	if (message)
		runlog_say(s->x->log, "The LFS server says: %.200s", message);
}

static int check_status(const struct git_lfs_server *s, int status, const char *path,
			struct err *err)
{
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return wants_credentials(s, status, err);
	if (status == 404 || status == 405 || status == 410 || status == 501)
		return err_set(err, ERR_NOTFOUND, "git_lfs",
			       "the server has no LFS for this repository (status %d), and %.200s "
			       "is only a pointer to a file in it",
			       status, path);
	if (passes(status))
		return not_now(status, err);
	return err_set(err, ERR_DENIED, "git_lfs",
		       "the LFS server refuses to say where %.200s is (status %d)", path, status);
}

/* A page for people comes with 200 (or 203) where credentials are missing. */
static int check_type(struct transfer *response, struct err *err)
{
	const char *type = transfer_header(response, "content-type");
	bool is_page = type && strncasecmp(type, "text/html", strlen("text/html")) == 0;
	int status = transfer_status(response);

	if (status != 203 && !(status == 200 && is_page))
		return 0;
	return err_set(err, ERR_DENIED, "git_auth",
		       "the server answers with %.80s instead of Git LFS: a sign-in page, or not "
		       "the address of a repository",
		       type ? type : "something unknown");
}

/* What the server wants to have back is nobody else's to read, in whatever it is printed. */
static void mask_headers(struct git_lfs_server *s, const struct git_lfs_object *o)
{
	STRVEC_FOREACH (header, &o->headers) {
		struct str value = str_from(strchr(*header, ':') + 2);
		struct str alone = str_after(value, str_find(value, ' ', 0) + 1); /* "Basic …" */
		struct secret secret = { 0 };
		if (value.len < SECRET_MIN_BYTES || s->masked++ >= MASKED_MAX)
			continue;
		secret_set(&secret, value);
		runlog_mask(s->x->log, &secret);
		secret_set(&secret, alone);
		runlog_mask(s->x->log, &secret);
		secret_release(&secret);
	}
}

static int read_answer(struct git_lfs_server *s, struct transfer *response,
		       struct git_lfs_object *const *objects, size_t len, struct err *err)
{
	cleanup_buf struct buf body = BUF_LIMIT(ANSWER_BYTES);
	int status = transfer_status(response);

	if (check_type(response, err) < 0)
		return -1;
	if (transfer_read_all(response, &body, err) < 0)
		return translate(err);
	if (status != 200)
		say_message(s, buf_str(&body));
	int rc = check_status(s, status, objects[0]->path, err);
	if (rc == 0)
		rc = git_lfs_batch_read(objects, len, buf_str(&body), clock_now_ms(), err);
	if (body.ptr)
		explicit_bzero(body.ptr, body.cap);
	return rc;
}

static int ask_once(struct git_lfs_server *s, struct git_lfs_object *const *objects, size_t len,
		    struct err *err)
{
	cleanup_free char *body = git_lfs_batch_request(objects, len, s->from->ref);
	struct transfer_request request = {
		.method = "POST",
		.url = s->batch_url,
		.body = str_from(body),
	};
	struct transfer *response = NULL;

	use_credential(s, &request);
	strvec_push(&request.headers, "Accept: application/vnd.git-lfs+json");
	strvec_push(&request.headers, "Content-Type: application/vnd.git-lfs+json");
	int rc = transfer_open(&response, s->transfers, &request, err);
	strvec_release(&request.headers);
	if (rc < 0)
		return translate(err);
	rc = read_answer(s, response, objects, len, err);
	transfer_close(response);
	return rc;
}

int git_lfs_server_ask(struct git_lfs_server *s, struct git_lfs_object *const *objects, size_t len,
		       struct err *err)
{
	struct err failure = { 0 };

	for (int tried = 1; ask_once(s, objects, len, &failure) < 0; tried++) {
		if (wait_to_try_again(s, tried, &failure) == 0)
			continue;
		if (err)
			*err = failure;
		return -1;
	}
	for (size_t i = 0; i < len; i++)
		mask_headers(s, objects[i]);
	return 0;
}

/* ---- downloading ---- */

static int check_download(const struct git_lfs_server *s, int status,
			  const struct git_lfs_object *o, struct err *err)
{
	if (status == 200)
		return 0;
	if (passes(status))
		return not_now(status, err);
	cleanup_free char *oid = hex_encode(o->sha256, SHA256_BYTES);
	if (status == 401 || status == 403) {
		wants_credentials(s, status, err);
		return err_wrap(err, "%.100s", o->path);
	}
	return err_set(err, ERR_NOTFOUND, "git_lfs",
		       "the content of %.200s (%s) is not where the LFS server says (status %d)",
		       o->path, oid, status);
}

static int damaged(const struct git_lfs_object *o, const char *how, struct err *err)
{
	cleanup_free char *oid = hex_encode(o->sha256, SHA256_BYTES);
	return err_set(err, ERR_DENIED, "git_lfs",
		       "the LFS server sent damaged content for %.200s (%s): %s", o->path, oid,
		       how);
}

static void say_progress(struct git_lfs_server *s)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - s->said_ms < PROGRESS_MS)
		return;
	s->said_ms = now_ms;
	runlog_say(s->x->log, "Git LFS: %lld MB fetched", (long long)(s->received_bytes / 1000000));
}

/* Into `fd`, up to the size that the pointer says; the id of what came in *id. */
static int receive(struct git_lfs_server *s, struct transfer *response,
		   const struct git_lfs_object *o, int fd, struct sha256 *hash, struct err *err)
{
	cleanup_free char *piece = xmalloc(PIECE_BYTES);
	int64_t bytes = 0;
	size_t n = 0;

	do {
		if (transfer_read(response, piece, PIECE_BYTES, &n, err) < 0)
			return translate(err);
		bytes += (int64_t)n;
		s->received_bytes += (int64_t)n;
		if (bytes > o->size)
			return damaged(o, "it is longer than the pointer says", err);
		sha256_update(hash, (struct str){ piece, n });
		if (fs_write_all(fd, (struct str){ piece, n }, err) < 0)
			return -1;
		say_progress(s);
	} while (n > 0);
	return bytes < o->size ? damaged(o, "it is shorter than the pointer says", err) : 0;
}

static int receive_and_check(struct git_lfs_server *s, struct transfer *response,
			     const struct git_lfs_object *o, int fd, struct err *err)
{
	unsigned char id[SHA256_BYTES];
	struct sha256 *hash = sha256_create();

	int rc = receive(s, response, o, fd, hash, err);
	sha256_finish(hash, id);
	if (rc == 0 && memcmp(id, o->sha256, sizeof id) != 0)
		rc = damaged(o, "its SHA-256 is another one", err);
	return rc;
}

/* The credential only below the repository, and only where the server wants nothing else there. */
static int open_download(struct transfer **out, struct git_lfs_server *s,
			 const struct git_lfs_object *o, struct err *err)
{
	struct transfer_request request = {
		.method = "GET",
		.url = o->href,
		.headers = o->headers,
	};

	if (git_lfs_check_href(str_from(o->href), &s->policy, err) < 0)
		return err_wrap(err, "%.100s", o->path);
	if (!o->is_authorized && git_lfs_is_below(str_from(s->from->url), str_from(o->href)))
		use_credential(s, &request);
	return transfer_open(out, s->transfers, &request, err) < 0 ? translate(err) : 0;
}

static int download_once(struct git_lfs_server *s, const struct git_lfs_store *store,
			 const struct git_lfs_object *o, struct err *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;
	struct transfer *response = NULL;

	if (open_download(&response, s, o, err) < 0)
		return -1;
	int rc = check_download(s, transfer_status(response), o, err);
	if (rc == 0)
		rc = git_lfs_store_begin(store, &fd, &path, err);
	if (rc == 0)
		rc = receive_and_check(s, response, o, fd, err);
	transfer_close(response);
	return rc == 0 ? git_lfs_store_add(store, path, o, err) : -1;
}

int git_lfs_server_download(struct git_lfs_server *s, const struct git_lfs_store *store,
			    struct git_lfs_object *o, struct err *err)
{
	struct err failure = { 0 };

	for (int tried = 1; download_once(s, store, o, &failure) < 0; tried++) {
		if (wait_to_try_again(s, tried, &failure) == 0)
			continue;
		if (err)
			*err = failure;
		return -1;
	}
	o->is_here = true;
	return 0;
}
