#include "runner/exec/git_fetch.h"

#include <git2/commit.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/object.h>

#include "common/clock.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_mirror.h"
#include "runner/exec/git_wire.h"
#include "runner/exec/runlog.h"
#include "runner/exec/transfer.h"

enum {
	ATTEMPTS = 3,
	FIRST_PAUSE_MS = 250,
	ABBREVIATION_MIN = 4,
};

/* A connection under way. */
struct fetch {
	struct git_mirror *mirror;
	struct git_wire *wire;
	const struct git_wanted *wanted;
	git_remote *remote;
	const git_remote_head **heads;
	size_t heads_len;
	int64_t received_bytes;
	unsigned received_objects;
};

void git_fetch_configure(int64_t pack_objects, int64_t object_bytes)
{
	/* Nobody's configuration but ours: no system, global or XDG files. */
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
				      GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	if (pack_objects)
		git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)pack_objects);
	if (object_bytes)
		git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, (size_t)object_bytes);
}

/* ---- which ref ---- */

static const git_remote_head *find_exact(const git_remote_head *const *heads, size_t len,
					 const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < len; i++) {
		if (strncmp(heads[i]->name, prefix, n) == 0 &&
		    strcmp(heads[i]->name + n, name) == 0)
			return heads[i];
	}
	return NULL;
}

const git_remote_head *git_ref_find(const git_remote_head *const *heads, size_t len,
				    const char *text)
{
	static const char *const prefixes[] = { "", "refs/heads/", "refs/tags/", "refs/" };
	const git_remote_head *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(prefixes) && !found; i++)
		found = find_exact(heads, len, prefixes[i], text);
	return found;
}

static bool is_hex(const char *text)
{
	return text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

static const char *short_name(const char *ref)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_starts(str_from(ref), prefixes[i]))
			return ref + strlen(prefixes[i]);
	}
	return ref;
}

static int no_such_ref(const struct fetch *f, const char *ref, struct err *err)
{
	cleanup_strvec struct strvec names = { 0 };

	for (size_t i = 0; i < f->heads_len; i++)
		strvec_push(&names, short_name(f->heads[i]->name));
	const char *nearest =
		names.items ? str_nearest(str_from(ref), (const char *const *)names.items) : NULL;
	return err_set(err, ERR_NOTFOUND, "ref_not_found",
		       "the repository has no branch, tag or commit %.200s%s%.100s%s", ref,
		       nearest ? " (did you mean " : "", nearest ? nearest : "",
		       nearest ? "?)" : "");
}

/* ---- talking to the server ---- */

static int on_progress(const git_indexer_progress *stats, void *data)
{
	struct git_wire *wire = data;
	(void)stats;

	return transfers_may_go_on(wire->transfers, &wire->err);
}

/* "Counting objects": the server is alive although it has nothing to send yet. */
static int on_message(const char *text, int len, void *data)
{
	struct git_wire *wire = data;
	(void)text;
	(void)len;

	transfers_touch(wire->transfers);
	return 0;
}

static void set_callbacks(git_remote_callbacks *callbacks, struct git_wire *wire)
{
	callbacks->transport = git_wire_transport;
	callbacks->transfer_progress = on_progress;
	callbacks->sideband_progress = on_message;
	callbacks->payload = wire;
}

static int connect_remote(struct fetch *f, struct err *err)
{
	git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;

	set_callbacks(&options.callbacks, f->wire);
	if (git_remote_create_anonymous(&f->remote, f->mirror->repo, f->wanted->url) < 0 ||
	    git_remote_connect_ext(f->remote, GIT_DIRECTION_FETCH, &options) < 0 ||
	    git_remote_ls(&f->heads, &f->heads_len, f->remote) < 0)
		return git_wire_error(f->wire, err);
	return 0;
}

static int download(struct fetch *f, const struct strvec *specs, struct err *err)
{
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	git_strarray list = { specs->items, specs->len };

	set_callbacks(&options.callbacks, f->wire);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	if (git_remote_download(f->remote, &list, &options) < 0)
		return git_wire_error(f->wire, err);
	const git_indexer_progress *stats = git_remote_stats(f->remote);
	f->received_bytes += (int64_t)stats->received_bytes;
	f->received_objects += stats->received_objects;
	return 0;
}

static int download_ref(struct fetch *f, const git_remote_head *head, struct err *err)
{
	cleanup_strvec struct strvec specs = { 0 };

	/* With a target, which is not written, so that any name is taken literally. */
	strvec_pushf(&specs, "%s:refs/slipway/incoming", head->name);
	return download(f, &specs, err);
}

/* All branches and tags, and a note of each, so that the next time only what is new comes. */
static int download_all(struct fetch *f, struct err *err)
{
	cleanup_strvec struct strvec specs = { 0 };

	strvec_push(&specs, "refs/heads/*:refs/slipway/incoming/*");
	strvec_push(&specs, "refs/tags/*:refs/slipway/incoming/*");
	if (download(f, &specs, err) < 0)
		return -1;
	for (size_t i = 0; i < f->heads_len; i++) {
		const git_remote_head *head = f->heads[i];
		if (str_starts(str_from(head->name), "refs/heads/") &&
		    git_mirror_keep(f->mirror, head->name, &head->oid, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the three ways to a commit ---- */

static int found_commit(struct fetch *f, struct git_found *out, const git_oid *commit,
			const char *ref, struct err *err)
{
	if (git_mirror_keep(f->mirror, ref ? ref : "commit", commit, err) < 0)
		return -1;
	out->commit = *commit;
	out->ref = ref ? xstrdup(ref) : NULL;
	return 0;
}

static int by_ref(struct fetch *f, struct git_found *out, const git_remote_head *head,
		  struct err *err)
{
	const char *name = head->symref_target ? head->symref_target : head->name;
	git_object *object = NULL, *commit = NULL;
	int rc = -1;

	if (download_ref(f, head, err) < 0)
		return -1;
	if (git_object_lookup(&object, f->mirror->repo, &head->oid, GIT_OBJECT_ANY) < 0)
		err_set(err, ERR_INVALID, "git_bad_pack",
			"the server did not send what %.200s points at", name);
	else if (git_object_peel(&commit, object, GIT_OBJECT_COMMIT) < 0)
		err_set(err, ERR_INVALID, "ref_not_found", "%.200s is not a commit", name);
	else
		rc = found_commit(f, out, git_object_id(commit), name, err);
	git_object_free(commit);
	git_object_free(object);
	return rc;
}

static const git_remote_head *head_at(const struct fetch *f, const git_oid *commit)
{
	for (size_t i = 0; i < f->heads_len; i++) {
		if (git_oid_equal(&f->heads[i]->oid, commit) &&
		    !strstr(f->heads[i]->name, "^{}")) /* a peeled tag cannot be asked for */
			return f->heads[i];
	}
	return NULL;
}

static int download_commit(struct fetch *f, const git_oid *commit, struct err *err)
{
	cleanup_strvec struct strvec specs = { 0 };
	char hex[GIT_OID_HEXSZ + 1];

	strvec_push(&specs, git_oid_tostr(hex, sizeof hex, commit));
	return download(f, &specs, err);
}

/* After a refusal the old connection may still hold parts of an answer. */
static int reconnect(struct fetch *f, struct err *err)
{
	git_remote_free(f->remote);
	f->remote = NULL;
	f->wire->err = (struct err){ 0 };
	return connect_remote(f, err);
}

static const git_remote_head *wanted_branch(const struct fetch *f)
{
	const char *ref = f->wanted->ref;

	if (!ref || is_hex(ref))
		return NULL;
	return git_ref_find((const git_remote_head *const *)f->heads, f->heads_len, ref);
}

/* A refusal is no failure: the caller looks whether the commit came. */
static int ask_for_commit(struct fetch *f, const git_oid *commit, struct err *err)
{
	if (download_commit(f, commit, err) == 0)
		return 0;
	return f->wire->err.code != ERR_NONE ? -1 : reconnect(f, err);
}

/*
 * From the cheapest to the dearest: a ref that points at it, the commit itself (which not every
 * server gives when no ref points at it), the branch that it was pushed to, everything.
 */
static int by_commit(struct fetch *f, struct git_found *out, const git_oid *commit, struct err *err)
{
	const struct git_mirror *mirror = f->mirror;
	const git_remote_head *tip = head_at(f, commit), *branch;
	char hex[GIT_OID_HEXSZ + 1];

	if (tip && download_ref(f, tip, err) < 0)
		return -1;
	if (!git_mirror_has(mirror, commit) && ask_for_commit(f, commit, err) < 0)
		return -1;
	branch = wanted_branch(f);
	if (!git_mirror_has(mirror, commit) && branch && download_ref(f, branch, err) < 0)
		return -1;
	if (!git_mirror_has(mirror, commit) && download_all(f, err) < 0)
		return -1;
	if (!git_mirror_has(mirror, commit))
		return err_set(err, ERR_NOTFOUND, "commit_gone",
			       "the repository no longer has the commit %s",
			       git_oid_tostr(hex, sizeof hex, commit));
	return found_commit(f, out, commit, branch ? branch->name : NULL, err);
}

static int by_abbreviation(struct fetch *f, struct git_found *out, const char *text,
			   struct err *err)
{
	git_oid prefix;
	git_commit *commit = NULL;

	if (download_all(f, err) < 0)
		return -1;
	git_oid_fromstrn(&prefix, text, strlen(text));
	int rc = git_commit_lookup_prefix(&commit, f->mirror->repo, &prefix, strlen(text));
	if (rc == GIT_EAMBIGUOUS)
		return err_set(err, ERR_INVALID, "ref_invalid",
			       "several commits begin with %s: give more digits", text);
	if (rc < 0)
		return no_such_ref(f, text, err);
	rc = found_commit(f, out, git_commit_id(commit), NULL, err);
	git_commit_free(commit);
	return rc;
}

/* ---- the whole ---- */

static int fetch_wanted(struct fetch *f, struct git_found *out, struct err *err)
{
	const git_remote_head *const *heads = (const git_remote_head *const *)f->heads;
	const char *ref = f->wanted->ref ? f->wanted->ref : "HEAD";
	git_oid commit;

	if (f->heads_len == 0)
		return err_set(err, ERR_NOTFOUND, "dockerfile_missing",
			       "the repository is empty, it has no commit");
	if (f->wanted->commit && git_oid_fromstr(&commit, f->wanted->commit) == 0)
		return by_commit(f, out, &commit, err);
	const git_remote_head *head = git_ref_find(heads, f->heads_len, ref);
	if (head)
		return by_ref(f, out, head, err);
	size_t len = strlen(ref);
	if (is_hex(ref) && len == GIT_OID_HEXSZ && git_oid_fromstr(&commit, ref) == 0)
		return by_commit(f, out, &commit, err);
	if (is_hex(ref) && len >= ABBREVIATION_MIN && len < GIT_OID_HEXSZ)
		return by_abbreviation(f, out, ref, err);
	if (!f->wanted->ref)
		return err_set(err, ERR_NOTFOUND, "ref_not_found",
			       "the repository's default branch does not exist: name a branch");
	return no_such_ref(f, ref, err);
}

static int attempt(struct git_found *out, struct git_mirror *mirror, struct git_wire *wire,
		   const struct git_wanted *wanted, struct err *err)
{
	struct fetch f = { .mirror = mirror, .wire = wire, .wanted = wanted };

	wire->err = (struct err){ 0 };
	int rc = connect_remote(&f, err);
	if (rc == 0)
		rc = fetch_wanted(&f, out, err);
	if (rc == 0)
		runlog_say(wire->x->log, "Received %u objects, %lld bytes", f.received_objects,
			   (long long)f.received_bytes);
	git_remote_free(f.remote);
	return rc;
}

int git_fetch(struct git_found *out, struct git_mirror *mirror, struct git_wire *wire,
	      const struct git_wanted *wanted, struct err *err)
{
	struct err failure = { 0 };
	int64_t pause_ms = FIRST_PAUSE_MS;

	for (int i = 1; attempt(out, mirror, wire, wanted, &failure) < 0; i++, pause_ms *= 2) {
		bool may_help = failure.code == ERR_UNAVAILABLE && err_is(&failure, "git_network");
		if (!may_help || i == ATTEMPTS) {
			if (err)
				*err = failure;
			return -1;
		}
		runlog_say(wire->x->log, "%s; trying again", failure.msg);
		if (exec_pause(wire->x, pause_ms, err) < 0)
			return -1;
	}
	return 0;
}
