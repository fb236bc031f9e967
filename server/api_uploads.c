/*
 * POST /listBuildSourceUploadUrl, then PUT /v1/uploads/{id}?expires=…&sig=…: the source archive,
 * streamed to <data_dir>/sources/<id>.tar.gz. The URL is the credential: unguessable, for an hour.
 * Writing to the disk happens on libuv's pool, one piece at a time; the sender waits meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <uv.h>

#include "common/clock.h"
#include "common/crypto.h"
#include "common/scope.h"
#include "config/config.h"
#include "server/api.h"
#include "server/disk.h"

enum { URL_LIFE_MS = 3600000, SIGNATURE_DIGITS = 2 * SHA256_BYTES };

static char *sign(const struct app *app, struct str id, int64_t expires_ms)
{
	cleanup_free char *text = xasprintf("%.*s/%lld", STR_ARG(id), (long long)expires_ms);
	unsigned char mac[SHA256_BYTES];

	hmac_sha256(mac, (struct str){ (const char *)app->upload_key, sizeof app->upload_key },
		    str_from(text));
	return hex_encode(mac, sizeof mac);
}

void api_uploads_url(struct call *c)
{
	struct err err = { 0 };

	if (disk_check_floor(c->app, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	cleanup_free char *id = random_token(16);
	int64_t expires_ms = clock_now_ms() + URL_LIFE_MS;
	cleanup_free char *signature = sign(c->app, str_from(id), expires_ms);
	cleanup_free char *origin = call_origin(c);
	json_t *answer = json_pack("{s:o,s:o}", "uploadUrl",
				   json_sprintf("%s/v1/uploads/%s?expires=%lld&sig=%s", origin, id,
						(long long)expires_ms, signature),
				   "relativePath", json_sprintf("source/%s.tar.gz", id));
	call_respond(c, 200, answer);
}

/* One upload under way. It lives until the request has ended and no file operation is open. */
struct upload {
	struct call *call; /* a reference */
	char *path, *part; /* the end, and where it is written meanwhile */
	uv_file file;
	uv_fs_t fs;
	struct buf piece; /* what is being written */
	uint64_t size;
	bool busy, ended, complete;
	struct err err;
};

static void upload_close(struct upload *u)
{
	uv_fs_t fs;

	if (u->file >= 0)
		uv_fs_close(NULL, &fs, u->file, NULL);
	if (u->part)
		unlink(u->part);
	u->call->data = NULL;
	free(u->path);
	free(u->part);
	buf_release(&u->piece);
	call_unref(u->call);
	free(u);
}

static void fail(struct upload *u)
{
	if (u->call->req)
		http_respond_err(u->call->req, &u->err);
	upload_close(u);
}

static void set_error(struct upload *u, ssize_t result)
{
	bool full = result == UV_ENOSPC || result == UV_E2BIG;

	err_set(&u->err, ERR_UNAVAILABLE, full ? "disk_full" : "storage",
		"the upload cannot be stored: %s", uv_strerror((int)result));
}

/* "Tue, 24 Nov 2026 12:00:00 GMT": Azure's blob clients parse it. */
static void date_now(char *out, size_t size)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static void answer(struct upload *u)
{
	struct http_req *req = u->call->req;

	if (req) {
		char when[40];
		cleanup_free char *etag = xasprintf("\"%llu\"", (unsigned long long)u->size);
		date_now(when, sizeof when);
		http_reply_header(req, "ETag", etag);
		http_reply_header(req, "Last-Modified", when);
		http_respond(req, 201, "application/json; charset=utf-8", STR(""));
	}
	upload_close(u);
}

static void on_synced(uv_fs_t *fs)
{
	struct upload *u = fs->data;
	ssize_t result = fs->result;

	uv_fs_req_cleanup(fs);
	if (result < 0 || rename(u->part, u->path) < 0) {
		set_error(u, result < 0 ? result : UV_EIO);
		fail(u);
		return;
	}
	free(u->part);
	u->part = NULL;
	answer(u);
}

/* After a piece was written, or after the body's end: whatever comes later. */
static void advance(struct upload *u)
{
	if (u->busy)
		return;
	if (u->ended && (!u->complete || u->err.code != ERR_NONE)) {
		if (u->err.code != ERR_NONE)
			fail(u);
		else
			upload_close(u); /* the connection has answered, or is gone */
	} else if (u->ended) {
		u->busy = true;
		u->fs.data = u;
		uv_fs_fsync(u->call->app->loop, &u->fs, u->file, on_synced);
	} else if (u->call->req) {
		http_body_resume(u->call->req);
	}
}

static void on_written(uv_fs_t *fs)
{
	struct upload *u = fs->data;
	ssize_t result = fs->result;

	uv_fs_req_cleanup(fs);
	u->busy = false;
	if (result < 0 || (size_t)result != u->piece.len) {
		set_error(u, result < 0 ? result : UV_ENOSPC);
		u->ended = true;
	} else {
		u->size += u->piece.len;
	}
	buf_clear(&u->piece);
	advance(u);
}

static void on_piece(struct http_req *req, struct str bytes, void *app)
{
	struct call *c = http_data(req);
	struct upload *u = c->data;

	if (!u || u->ended)
		return;
	http_body_pause(req);
	buf_addstr(&u->piece, bytes);
	u->busy = true;
	u->fs.data = u;
	uv_buf_t piece = uv_buf_init(u->piece.ptr, (unsigned)u->piece.len);
	uv_fs_write(((struct app *)app)->loop, &u->fs, u->file, &piece, 1, (int64_t)u->size,
		    on_written);
}

static void on_end(struct http_req *req, bool complete, void *app)
{
	struct call *c = http_data(req);
	struct upload *u = c->data;

	(void)app;
	if (!u || u->ended)
		return;
	u->ended = true;
	u->complete = complete;
	advance(u);
}

static bool url_is_valid(const struct call *c)
{
	struct str expires, signature;
	uint64_t expires_ms;

	if (!http_query(c->req, "expires", &expires) || !http_query(c->req, "sig", &signature) ||
	    !str_to_u64(expires, INT64_MAX, &expires_ms) || (int64_t)expires_ms < clock_now_ms())
		return false;
	cleanup_free char *wanted = sign(c->app, str_from(c->name), (int64_t)expires_ms);
	return signature.len == SIGNATURE_DIGITS &&
	       bytes_equal_ct(signature.ptr, wanted, SIGNATURE_DIGITS);
}

void api_uploads_put(struct call *c)
{
	if (!url_is_valid(c)) {
		http_respond_error(
			c->req, 403, "forbidden", NULL,
			"this upload URL is not valid any more: ask for a new one with listBuildSourceUploadUrl");
		return;
	}
	struct upload *u = xnew(struct upload);
	*u = (struct upload){
		.call = call_ref(c),
		.path = xasprintf("%s/sources/%s.tar.gz", c->app->data_dir, c->name),
		.part = xasprintf("%s/sources/%s.part", c->app->data_dir, c->name),
	};
	u->file = open(u->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->file < 0) {
		err_set_errno(&u->err, errno == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE,
			      errno == EEXIST ? "conflict" : "storage", errno,
			      "the upload cannot be stored");
		if (errno == EEXIST) {
			free(u->part); /* it is somebody else's */
			u->part = NULL;
		}
		fail(u);
		return;
	}
	c->data = u;
	http_body_stream(c->req, (uint64_t)c->app->config->limits.upload_bytes, on_piece, on_end);
}
