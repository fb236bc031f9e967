#include "runner/exec/git_lfs_batch.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/scope.h"

enum {
	HEADERS_MAX = 32,
	HEADERS_BYTES = 16 * 1024,
	EXPIRES_IN_MAX_S = INT32_MAX, /* batch.md says so */
};

static int bad_answer(struct err *err, const char *why)
{
	return err_set(err, ERR_DENIED, "git_protocol", "the LFS server's answer %s", why);
}

/* ---- objects ---- */

static void forget_action(struct git_lfs_object *o)
{
	if (o->href)
		explicit_bzero(o->href, strlen(o->href));
	free(o->href);
	o->href = NULL;
	STRVEC_FOREACH (header, &o->headers)
		explicit_bzero(*header, strlen(*header));
	strvec_release(&o->headers);
	o->is_authorized = false;
	o->expires_ms = INT64_MAX;
}

void git_lfs_object_release(struct git_lfs_object *o)
{
	forget_action(o);
	*o = (struct git_lfs_object){ 0 };
}

static int compare_id(const void *id, const void *object)
{
	return memcmp(id, (*(struct git_lfs_object *const *)object)->sha256, SHA256_BYTES);
}

/* Which of ours an answer means; NULL when none. */
static struct git_lfs_object *find(struct git_lfs_object *const *objects, size_t len,
				   const char *oid)
{
	unsigned char id[SHA256_BYTES];

	if (!hex_decode(id, sizeof id, str_from(oid)))
		return NULL;
	struct git_lfs_object *const *found =
		bsearch(id, objects, len, sizeof *objects, compare_id);
	return found ? *found : NULL;
}

/* ---- the request ---- */

char *git_lfs_batch_request(struct git_lfs_object *const *objects, size_t len, const char *ref)
{
	cleanup_json json_t *request = json_object();
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++) {
		cleanup_free char *oid = hex_encode(objects[i]->sha256, SHA256_BYTES);
		json_array_append_new(list, json_pack("{s:s, s:I}", "oid", oid, "size",
						      objects[i]->size));
	}
	json_object_set_new(request, "operation", json_string("download"));
	json_object_set_new(request, "transfers", json_pack("[s]", "basic"));
	if (ref) {
		json_t *named = json_object();
		json_put_string(named, "name", ref);
		json_object_set_new(request, "ref", named);
	}
	json_object_set_new(request, "objects", list);
	json_object_set_new(request, "hash_algo", json_string("sha256"));
	return json_text(request);
}

/* ---- headers of a download ---- */

/* A token of RFC 9110. */
static bool is_token(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return name.len > 0;
}

/*
 * Those that say how a message is cut or where it goes are ours to write. Servers list some of
 * them all the same ("Transfer-Encoding", for uploads), so they are left out, not refused.
 */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {
		"connection",       "content-length",      "expect", "host",    "keep-alive",
		"proxy-connection", "proxy-authorization", "te",     "trailer", "transfer-encoding",
		"upgrade",
	};
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (str_is_i(str_from(name), ours[i]))
			return true;
	}
	return false;
}

static int read_headers(struct git_lfs_object *o, json_t *header, struct err *err)
{
	const char *name;
	json_t *value;
	size_t bytes = 0;

	if (json_object_size(header) > HEADERS_MAX)
		return bad_answer(err, "wants too many headers to be sent");
	json_object_foreach (header, name, value) {
		const char *text = json_string_value(value);
		if (!text || !is_token(str_from(name)) || str_has_control(str_from(text)))
			return bad_answer(err, "wants a header to be sent that is none");
		bytes += strlen(name) + strlen(text);
		if (bytes > HEADERS_BYTES)
			return bad_answer(err, "wants too long headers to be sent");
		if (is_ours(name) || !*text)
			continue;
		o->is_authorized |= str_is_i(str_from(name), "authorization");
		strvec_pushf(&o->headers, "%s: %s", name, text);
	}
	return 0;
}

/* ---- the answer for one object ---- */

static int64_t read_expiry(const json_t *action, int64_t now_ms)
{
	const json_t *in = json_object_get(action, "expires_in");
	const char *at = json_string_value(json_object_get(action, "expires_at"));
	int64_t ms;

	if (json_is_integer(in) && json_integer_value(in) > 0 &&
	    json_integer_value(in) <= EXPIRES_IN_MAX_S)
		return now_ms + json_integer_value(in) * 1000;
	return at && clock_parse(at, &ms) == 0 ? ms : INT64_MAX;
}

static int read_action(struct git_lfs_object *o, const json_t *entry, int64_t now_ms,
		       struct err *err)
{
	json_t *actions = NULL, *action = NULL, *header = NULL;
	const char *href = NULL;

	if (json_opt_object(entry, "objects", "actions", &actions, err) < 0 ||
	    (actions && json_opt_object(actions, "actions", "download", &action, err) < 0))
		return bad_answer(err, "has actions that are none");
	if (!action)
		return err_set(err, ERR_NOTFOUND, "git_lfs",
			       "the LFS server does not say where to get %.200s", o->path);
	if (json_need_string(action, "download", "href", &href, err) < 0 ||
	    json_opt_object(action, "download", "header", &header, err) < 0)
		return bad_answer(err, "has a download action without a place, or with headers "
				       "that are none");
	forget_action(o);
	if (header && read_headers(o, header, err) < 0)
		return -1;
	o->href = xstrdup(href);
	o->expires_ms = read_expiry(action, now_ms);
	return 0;
}

/* The codes are those of HTTP. The server's own words stay out of it: they may quote anything. */
static int refused(const struct git_lfs_object *o, const json_t *error, struct err *err)
{
	cleanup_free char *oid = hex_encode(o->sha256, SHA256_BYTES);
	json_int_t code = json_integer_value(json_object_get(error, "code"));

	if (code == 404 || code == 410)
		return err_set(err, ERR_NOTFOUND, "git_lfs",
			       "the LFS server does not have the content of %.200s (%s)%s", o->path,
			       oid, code == 410 ? ": it was removed" : "");
	if (code == 401 || code == 403)
		return err_set(err, ERR_DENIED, "git_auth",
			       "the LFS server does not let us have %.200s (%s, code %d)", o->path,
			       oid, (int)code);
	bool passes = code == 429 || (code >= 500 && code <= 504 && code != 501);
	return err_set(err, passes ? ERR_UNAVAILABLE : ERR_DENIED,
		       passes ? "git_network" : "git_lfs",
		       "the LFS server refuses %.200s (%s, code %lld)", o->path, oid,
		       (long long)code);
}

static int read_entry(struct git_lfs_object *const *objects, size_t len, const json_t *entry,
		      int64_t now_ms, struct err *err)
{
	const char *oid = NULL;
	json_t *error = NULL;

	if (!json_is_object(entry) || json_need_string(entry, "objects", "oid", &oid, err) < 0 ||
	    json_opt_object(entry, "objects", "error", &error, err) < 0)
		return bad_answer(err, "has an object that is none");
	struct git_lfs_object *o = find(objects, len, oid);
	if (!o)
		return 0;
	return error ? refused(o, error, err) : read_action(o, entry, now_ms, err);
}

/* ---- the whole answer ---- */

/* Both have one value that we asked for, and which is meant where they are left out. */
static int check_kind(const json_t *answer, struct err *err)
{
	static const struct {
		const char *key, *value;
	} rows[] = { { "transfer", "basic" }, { "hash_algo", "sha256" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = rows[i].value;
		if (json_opt_string(answer, "", rows[i].key, &value, err) < 0 ||
		    strcmp(value, rows[i].value) != 0)
			return bad_answer(err, "is of a kind that we did not ask for");
	}
	return 0;
}

static int check_all_told(struct git_lfs_object *const *objects, size_t len, struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		if (!objects[i]->href)
			return err_set(err, ERR_NOTFOUND, "git_lfs",
				       "the LFS server says nothing of the content of %.200s",
				       objects[i]->path);
	}
	return 0;
}

int git_lfs_batch_read(struct git_lfs_object *const *objects, size_t len, struct str text,
		       int64_t now_ms, struct err *err)
{
	cleanup_json json_t *answer = NULL;
	json_t *list = NULL, *entry;
	size_t i;

	for (size_t o = 0; o < len; o++)
		forget_action(objects[o]);
	if (json_read(&answer, text, NULL, err) < 0 || !json_is_object(answer))
		return bad_answer(err, "is not the JSON of the batch API");
	if (check_kind(answer, err) < 0)
		return -1;
	if (json_opt_array(answer, "", "objects", &list, err) < 0 || !list)
		return bad_answer(err, "has no list of objects");
	json_array_foreach (list, i, entry) {
		if (read_entry(objects, len, entry, now_ms, err) < 0)
			return -1;
	}
	return check_all_told(objects, len, err);
}

char *git_lfs_batch_message(struct str text)
{
	cleanup_json json_t *answer = NULL;
	const char *message = NULL;

	if (json_read(&answer, text, NULL, NULL) < 0 || !json_is_object(answer))
		return NULL;
	json_opt_string(answer, "", "message", &message, NULL);
	return xstrdup(message);
}
