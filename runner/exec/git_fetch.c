#include "runner/exec/git_fetch.h"

#include <git2/commit.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/object.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_mirror.h"
#include "runner/exec/git_pack.h"
#include "runner/exec/git_refs.h"
#include "runner/exec/git_server.h"
#include "runner/exec/runlog.h"

enum {
	ATTEMPTS = 3,
	FIRST_PAUSE_MS = 250,
	ABBREVIATION_MIN = 4,
	SHORT_HISTORY = 64, /* commits of a branch that are tried before all of it */
};

/* An exchange with a server. */
struct fetch {
	struct git_mirror *mirror;
	struct git_server *server;
	const struct git_wanted *wanted;
	struct git_advert advert;
	struct git_refs listed; /* the answer to the latest listing */
	struct git_pack_received received;
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

static bool is_hex(const char *text)
{
	return text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

/* ---- refs ---- */

static int hello(struct fetch *f, struct err *err)
{
	struct git_answer answer;

	if (git_server_get(&answer, f->server, err) < 0)
		return -1;
	int rc = git_advert_read(&f->advert, answer.lines, err);
	if (rc == 0)
		git_answer_drain(&answer);
	git_answer_close(&answer);
	return rc;
}

/* The refs that begin so; with versions 0 and 1 of the protocol, all that were advertised. */
static int list(const struct git_refs **out, struct fetch *f, const char *const *prefixes,
		size_t len, struct err *err)
{
	cleanup_buf struct buf request = BUF_INIT;
	struct git_answer answer;

	*out = &f->advert.refs;
	if (!f->advert.v2)
		return 0;
	*out = &f->listed;
	git_refs_release(&f->listed);
	git_refs_request(&request, prefixes, len);
	if (git_server_post(&answer, f->server, buf_str(&request), true, err) < 0)
		return -1;
	int rc = git_refs_read(&f->listed, answer.lines, err);
	if (rc == 0)
		git_answer_drain(&answer);
	git_answer_close(&answer);
	return rc;
}

static int list_all(const struct git_refs **out, struct fetch *f, struct err *err)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/" };

	return list(out, f, prefixes, ARRAY_LEN(prefixes), err);
}

/* *out is NULL when there is no such ref. */
static int find_ref(const struct git_ref **out, struct fetch *f, const char *text, struct err *err)
{
	cleanup_free char *head = xasprintf("refs/heads/%s", text);
	cleanup_free char *tag = xasprintf("refs/tags/%s", text);
	cleanup_free char *any = xasprintf("refs/%s", text);
	const char *const prefixes[] = { text, head, tag, any };
	const struct git_refs *refs;

	if (list(&refs, f, prefixes, ARRAY_LEN(prefixes), err) < 0)
		return -1;
	*out = git_ref_find(refs, text);
	return 0;
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

static int no_such_ref(struct fetch *f, const char *ref, struct err *err)
{
	cleanup_strvec struct strvec names = { 0 };
	const struct git_refs *refs;

	if (list_all(&refs, f, err) < 0)
		return -1;
	if (refs->len == 0)
		return err_set(err, ERR_NOTFOUND, "dockerfile_missing",
			       "the repository is empty, it has no commit");
	for (size_t i = 0; i < refs->len; i++)
		strvec_push(&names, short_name(refs->items[i].name));
	const char *nearest = str_nearest(str_from(ref), (const char *const *)names.items);
	return err_set(err, ERR_NOTFOUND, "ref_not_found",
		       "the repository has no branch, tag or commit %.200s%s%.100s%s", ref,
		       nearest ? " (did you mean " : "", nearest ? nearest : "",
		       nearest ? "?)" : "");
}

/* ---- packs ---- */

static int download(struct fetch *f, const git_oid *id, int depth, struct err *err)
{
	struct git_pack_wanted wanted = { .depth = depth };

	git_oids_add(&wanted.ids, id);
	int rc = git_pack_fetch(&f->received, f->mirror, f->server, &f->advert, &wanted, err);
	git_oids_release(&wanted.ids);
	return rc;
}

static int download_all(struct fetch *f, struct git_mirror *into, bool commits_only,
			struct err *err)
{
	struct git_pack_wanted wanted = { .depth = GIT_DEPTH_ALL, .commits_only = commits_only };
	const struct git_refs *refs;

	if (list_all(&refs, f, err) < 0)
		return -1;
	for (size_t i = 0; i < refs->len; i++) {
		struct str name = str_from(refs->items[i].name);
		if (str_starts(name, "refs/heads/") || str_starts(name, "refs/tags/"))
			git_oids_add(&wanted.ids, &refs->items[i].id);
	}
	int rc = wanted.ids.len
			 ? git_pack_fetch(&f->received, into, f->server, &f->advert, &wanted, err)
			 : 0;
	git_oids_release(&wanted.ids);
	return rc;
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

/* The commit that an id of the mirror stands for: itself, or what a tag points at. */
static int peel(git_oid *out, const struct fetch *f, const git_oid *id, const char *name,
		struct err *err)
{
	git_object *object = NULL, *commit = NULL;
	int rc = -1;

	if (git_object_lookup(&object, f->mirror->repo, id, GIT_OBJECT_ANY) < 0)
		err_set(err, ERR_INVALID, "git_bad_pack",
			"the server did not send what %.200s points at", name);
	else if (git_object_peel(&commit, object, GIT_OBJECT_COMMIT) < 0)
		err_set(err, ERR_INVALID, "ref_not_found", "%.200s is not a commit", name);
	else
		rc = 0;
	if (rc == 0)
		*out = *git_object_id(commit);
	git_object_free(commit);
	git_object_free(object);
	return rc;
}

static int by_ref(struct fetch *f, struct git_found *out, const struct git_ref *ref,
		  struct err *err)
{
	cleanup_free char *name = xstrdup(ref->target ? ref->target : ref->name);
	git_oid commit, id = ref->id;

	if (!git_mirror_has(f->mirror, &id) && download(f, &id, 1, err) < 0) {
		/* It moved between the listing and the asking: the next listing has it. */
		if (err_is(err, "git_refused"))
			err_set(err, ERR_UNAVAILABLE, "git_network",
				"%.200s has just been moved on the server", name);
		return -1;
	}
	if (peel(&commit, f, &id, name, err) < 0)
		return -1;
	return found_commit(f, out, &commit, name, err);
}

static bool may_ask_for(const struct fetch *f, const git_oid *commit)
{
	const struct git_refs *refs = &f->advert.refs;

	for (size_t i = 0; i < refs->len; i++) {
		if (git_oid_equal(&refs->items[i].id, commit))
			return true;
	}
	return f->advert.any_want;
}

/* Deeper and deeper, where a server gives only what refs point at, and the histories of these. */
static int search_history(struct fetch *f, const git_oid *commit, const struct git_ref *branch,
			  struct err *err)
{
	static const int depths[] = { SHORT_HISTORY, GIT_DEPTH_ALL };
	git_oid tip = branch ? branch->id : (git_oid){ 0 };

	for (size_t i = 0; branch && i < ARRAY_LEN(depths); i++) {
		if (!f->advert.shallow && depths[i] != GIT_DEPTH_ALL)
			continue;
		if (download(f, &tip, depths[i], err) < 0)
			return -1;
		if (git_mirror_has(f->mirror, commit))
			return 0;
	}
	return download_all(f, f->mirror, false, err);
}

/* A full name of the ref that was pushed to needs no listing. */
static int name_ref(char **name, const struct git_ref **branch, struct fetch *f, struct err *err)
{
	const char *ref = f->wanted->ref;

	*branch = NULL;
	*name = NULL;
	if (!ref || is_hex(ref))
		return 0;
	if (str_starts(str_from(ref), "refs/")) {
		*name = xstrdup(ref);
		*branch = git_ref_find(&f->advert.refs, ref);
		return 0;
	}
	if (find_ref(branch, f, ref, err) < 0)
		return -1;
	*name = *branch ? xstrdup((*branch)->name) : NULL;
	return 0;
}

static int bring_commit(struct fetch *f, const git_oid *commit, const struct git_ref *branch,
			struct err *err)
{
	const struct git_mirror *mirror = f->mirror;
	char hex[GIT_OID_HEXSZ + 1];

	if (git_mirror_has(mirror, commit))
		return 0;
	if (may_ask_for(f, commit) && download(f, commit, 1, err) < 0 &&
	    !err_is(err, "git_refused"))
		return -1;
	/* Git itself gives whatever it has to whoever asks in version 2. */
	bool is_final = f->advert.v2 && f->advert.is_git;
	if (!git_mirror_has(mirror, commit) && !is_final &&
	    search_history(f, commit, branch, err) < 0)
		return -1;
	if (git_mirror_has(mirror, commit))
		return 0;
	return err_set(err, ERR_NOTFOUND, "commit_gone",
		       "the repository no longer has the commit %s",
		       git_oid_tostr(hex, sizeof hex, commit));
}

static int by_commit(struct fetch *f, struct git_found *out, const git_oid *commit, struct err *err)
{
	const struct git_ref *branch;
	cleanup_free char *name = NULL;

	if (name_ref(&name, &branch, f, err) < 0 || bring_commit(f, commit, branch, err) < 0)
		return -1;
	return found_commit(f, out, commit, name, err);
}

/* The commits of all histories, which is the only way to know that no other begins so. */
static int find_abbreviated(git_oid *out, struct fetch *f, const char *text, struct err *err)
{
	struct git_mirror scratch;
	git_commit *commit = NULL;
	git_oid prefix;
	int rc;

	if (git_mirror_scratch(&scratch, f->server->x, err) < 0)
		return -1;
	git_oid_fromstrn(&prefix, text, strlen(text));
	rc = download_all(f, &scratch, true, err);
	int found = rc < 0 ? -1
			   : git_commit_lookup_prefix(&commit, scratch.repo, &prefix, strlen(text));
	if (rc == 0 && found == GIT_EAMBIGUOUS)
		rc = err_set(err, ERR_INVALID, "ref_invalid",
			     "several commits begin with %s: give more digits", text);
	else if (rc == 0 && found < 0)
		rc = no_such_ref(f, text, err);
	if (rc == 0)
		*out = *git_commit_id(commit);
	git_commit_free(commit);
	git_mirror_close(&scratch);
	return rc;
}

static int by_abbreviation(struct fetch *f, struct git_found *out, const char *text,
			   struct err *err)
{
	git_oid commit;

	if (find_abbreviated(&commit, f, text, err) < 0 || bring_commit(f, &commit, NULL, err) < 0)
		return -1;
	return found_commit(f, out, &commit, NULL, err);
}

/* ---- the whole ---- */

static int by_text(struct fetch *f, struct git_found *out, const char *text, struct err *err)
{
	const struct git_ref *ref;
	size_t len = strlen(text);
	git_oid commit;

	if (find_ref(&ref, f, text, err) < 0)
		return -1;
	if (ref)
		return by_ref(f, out, ref, err);
	if (is_hex(text) && len == GIT_OID_HEXSZ && git_oid_fromstr(&commit, text) == 0)
		return by_commit(f, out, &commit, err);
	if (is_hex(text) && len >= ABBREVIATION_MIN && len < GIT_OID_HEXSZ)
		return by_abbreviation(f, out, text, err);
	if (no_such_ref(f, text, err) < 0 && !f->wanted->ref && err_is(err, "ref_not_found"))
		return err_set(err, ERR_NOTFOUND, "ref_not_found",
			       "the repository's default branch does not exist: name a branch");
	return -1;
}

static int fetch_wanted(struct fetch *f, struct git_found *out, struct err *err)
{
	git_oid commit;

	if (hello(f, err) < 0)
		return -1;
	/* What we have is cut off, which only a server that knows this can add to. */
	if (!f->advert.shallow && f->mirror->shallow.len && git_mirror_reset(f->mirror, err) < 0)
		return -1;
	if (f->wanted->commit && git_oid_fromstr(&commit, f->wanted->commit) == 0)
		return by_commit(f, out, &commit, err);
	return by_text(f, out, f->wanted->ref ? f->wanted->ref : "HEAD", err);
}

static int attempt(struct git_found *out, struct git_mirror *mirror, struct git_server *server,
		   const struct git_wanted *wanted, struct err *err)
{
	struct fetch f = { .mirror = mirror, .server = server, .wanted = wanted };

	int rc = fetch_wanted(&f, out, err);
	if (rc == 0 && f.received.objects == 0)
		runlog_say(server->x->log, "Nothing new: the commit was fetched before");
	else if (rc == 0)
		runlog_say(server->x->log, "Received %lld objects, %lld bytes",
			   (long long)f.received.objects, (long long)f.received.bytes);
	git_refs_release(&f.listed);
	git_advert_release(&f.advert);
	return rc;
}

int git_fetch(struct git_found *out, struct git_mirror *mirror, struct git_server *server,
	      const struct git_wanted *wanted, struct err *err)
{
	struct err failure = { 0 };
	int64_t pause_ms = FIRST_PAUSE_MS;

	for (int i = 1; attempt(out, mirror, server, wanted, &failure) < 0; i++, pause_ms *= 2) {
		bool may_help = failure.code == ERR_UNAVAILABLE && err_is(&failure, "git_network");
		if (!may_help || i == ATTEMPTS) {
			if (err)
				*err = failure;
			return -1;
		}
		runlog_say(server->x->log, "%s; trying again", failure.msg);
		if (exec_pause(server->x, pause_ms, err) < 0)
			return -1;
	}
	return 0;
}
