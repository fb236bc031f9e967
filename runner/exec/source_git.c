/* A git context: mirror, fetch, check, write. */
#include <git2/commit.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "context/clean.h"
#include "context/ignore.h"
#include "context/policy.h"
#include "model/repository.h"
#include "runner/exec/git_context.h"
#include "runner/exec/git_fetch.h"
#include "runner/exec/git_mirror.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/git_wire.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"
#include "runner/exec/transfer.h"

/* What goes with a token that came without a user name. Any name will do where none is listed. */
static const struct {
	const char *host, *username;
} token_users[] = {
	{ "https://github.com/", "x-access-token" },
	{ "https://gitlab.com/", "oauth2" },
	{ "https://bitbucket.org/", "x-token-auth" },
};

static const char *username_for(const struct exec *x, const char *url)
{
	if (x->spec.git_username)
		return x->spec.git_username;
	for (size_t i = 0; i < ARRAY_LEN(token_users); i++) {
		if (str_starts(str_from(url), token_users[i].host))
			return token_users[i].username;
	}
	return "slipway";
}

/* ---- before anything is fetched ---- */

static int check_policy(const struct exec *x, const struct context *c, struct err *err)
{
	if (source_check_url(x, c, err) < 0)
		return -1;
	if (c->ref && policy_check_ref(str_from(c->ref), err) < 0)
		return -1;
	return c->folder ? policy_check_folder(str_from(c->folder), err) : 0;
}

/*
 * What is private to one credential must not be found by another: the name of a mirror depends on
 * both, and only we can make it.
 */
static int mirror_key(char **out, const struct exec *x, const struct context *c, struct err *err)
{
	const struct secret *token = &x->spec.build.context_token;
	cleanup_free char *identity = NULL;
	unsigned char hash[SHA256_BYTES];
	struct buf text = BUF_INIT;

	if (repository_identity(&identity, str_from(c->repository), err) < 0)
		return -1;
	buf_adds(&text, identity);
	buf_addc(&text, '\0');
	if (secret_is_set(token))
		buf_addf(&text, "%s:%s", username_for(x, c->repository), secret_reveal(token));
	sha256(hash, buf_str(&text));
	explicit_bzero(text.ptr, text.cap);
	buf_release(&text);
	*out = hex_encode(hash, sizeof hash);
	return 0;
}

/* ---- fetching ---- */

static int fetch_over_wire(struct git_found *found, struct git_mirror *mirror, struct exec *x,
			   const struct git_wanted *wanted, struct err *err)
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
	struct git_wire wire = {
		.x = x,
		.transfers = transfers_create(&opts),
		.username = username_for(x, wanted->url),
		.token = &x->spec.build.context_token,
	};

	int rc = git_fetch(found, mirror, &wire, wanted, err);
	transfers_destroy(wire.transfers);
	return rc;
}

/* An exact commit that is there already needs no network. */
static bool is_here(struct git_found *found, const struct git_mirror *mirror,
		    const struct git_wanted *wanted)
{
	git_oid commit;

	if (!wanted->commit || git_oid_fromstr(&commit, wanted->commit) < 0 ||
	    !git_mirror_has(mirror, &commit))
		return false;
	found->commit = commit;
	found->ref = xstrdup(wanted->ref);
	return true;
}

static int fetch_commit(struct git_found *found, struct git_mirror *mirror, struct exec *x,
			const struct git_wanted *wanted, struct err *err)
{
	if (is_here(found, mirror, wanted))
		return 0;
	runlog_say(x->log, "Fetching %s %s", wanted->url,
		   wanted->commit ? wanted->commit
		   : wanted->ref  ? wanted->ref
				  : "(default branch)");
	if (git_mirror_begin_fetch(mirror, x, err) < 0 ||
	    fetch_over_wire(found, mirror, x, wanted, err) < 0)
		return -1;
	return git_mirror_end_fetch(mirror, x, err);
}

/* ---- from the tree to the context ---- */

static int read_dockerfile(struct source *out, const struct exec *x, const git_tree *tree,
			   const char *path, struct err *err)
{
	cleanup_buf struct buf content = BUF_LIMIT((size_t)x->spec.limits.dockerfile_bytes);
	struct err why = { 0 };

	if (git_tree_read(&content, tree, path, &why) == 0) {
		out->dockerfile = source_keep_dockerfile(x, buf_str(&content), err);
		return out->dockerfile ? 0 : -1;
	}
	if (err_is(&why, "too_large"))
		return err_set(err, ERR_LIMIT, "dockerfile_limit", "%s", why.msg);
	if (err_is(&why, "not_found"))
		return err_set(err, ERR_NOTFOUND, "dockerfile_missing",
			       "there is no %.200s in the context", path);
	if (err_is(&why, "not_a_file"))
		return err_set(err, ERR_NOTFOUND, "dockerfile_missing", "%s", why.msg);
	if (err)
		*err = why;
	return -1;
}

/* One ignore file of the tree. ERR_NOTFOUND when it is not there. */
static int read_ignore_file(struct ignore **out, const struct exec *x, const git_tree *tree,
			    const char *path, struct err *err)
{
	const struct spec_limits *limits = &x->spec.limits;
	struct ignore_limits ceilings = {
		.bytes = (size_t)limits->ignore_bytes,
		.rules = (size_t)limits->ignore_rules,
	};
	cleanup_buf struct buf text = BUF_LIMIT((size_t)limits->ignore_bytes);

	if (git_tree_read(&text, tree, path, err) == 0)
		return ignore_read(out, buf_str(&text), path, &ceilings, err);
	if (err_is(err, "too_large"))
		snprintf(err->word, sizeof err->word, "ignore_too_large");
	if (err_is(err, "not_a_file"))
		snprintf(err->word, sizeof err->word, "ignore_invalid");
	return -1;
}

/* An ignore file beside the Dockerfile, with its name, wins over the one of the context. */
static int read_ignore(struct ignore **out, const struct exec *x, const git_tree *tree,
		       const char *dockerfile, struct err *err)
{
	cleanup_free char *own = xasprintf("%s.dockerignore", dockerfile);
	const char *const paths[] = { own, ".dockerignore" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err why = { 0 };
		if (read_ignore_file(out, x, tree, paths[i], &why) == 0)
			return 0;
		if (err_is(&why, "not_found"))
			continue;
		if (err)
			*err = why;
		return -1;
	}
	*out = NULL;
	return 0;
}

static int write_context(struct source *out, struct exec *x, const git_tree *tree,
			 int64_t commit_time_s, struct err *err)
{
	const char *wanted = x->spec.build.dockerfile ? x->spec.build.dockerfile : "Dockerfile";
	cleanup_free char *dockerfile = path_clean(str_from(wanted));
	struct ignore *ignore = NULL;

	if (git_tree_check(tree, x, err) < 0 ||
	    read_dockerfile(out, x, tree, dockerfile, err) < 0 ||
	    read_ignore(&ignore, x, tree, dockerfile, err) < 0)
		return -1;
	out->dir = fs_join(x->work, "context");
	int rc = git_context_write(out->dir, tree, commit_time_s, ignore, x, err);
	ignore_destroy(ignore);
	return rc;
}

/* "/service/./a" is "service/a", and the root is "". */
static char *clean_folder(const char *folder)
{
	struct str text = str_from(folder);

	while (str_starts(text, "/"))
		text = str_after(text, 1);
	char *clean = path_clean(text);
	if (strcmp(clean, ".") == 0)
		clean[0] = '\0';
	return clean;
}

static int open_tree(git_tree **tree, int64_t *time_s, const struct git_mirror *mirror,
		     const git_oid *id, const char *folder, struct err *err)
{
	cleanup_free char *clean = clean_folder(folder);
	git_commit *commit = NULL;

	if (git_commit_lookup(&commit, mirror->repo, id) < 0)
		return git_object_error(err, "the commit");
	*time_s = git_commit_time(commit);
	git_commit_free(commit);
	return git_tree_open(tree, mirror->repo, id, clean, err);
}

/* ---- the whole ---- */

static void note_ref(struct source *out, const char *ref)
{
	struct str name = str_from(ref);

	if (str_starts(name, "refs/tags/"))
		out->git_tag = xstrdup(ref + strlen("refs/tags/"));
	else if (str_starts(name, "refs/heads/"))
		out->branch = xstrdup(ref + strlen("refs/heads/"));
	else if (str_starts(name, "refs/"))
		out->branch = xstrdup(ref + strlen("refs/"));
}

static int fetch_and_write(struct source *out, struct git_mirror *mirror, struct exec *x,
			   const struct context *c, struct err *err)
{
	const struct build *build = &x->spec.build;
	struct git_wanted wanted = {
		.url = c->repository,
		.ref = build->ref ? build->ref : c->ref,
		.commit = build->commit,
	};
	struct git_found found = { 0 };
	char hex[GIT_OID_HEXSZ + 1];
	git_tree *tree = NULL;
	int64_t time_s = 0;

	if (fetch_commit(&found, mirror, x, &wanted, err) < 0)
		return -1;
	out->commit = xstrdup(git_oid_tostr(hex, sizeof hex, &found.commit));
	note_ref(out, found.ref);
	free(found.ref);
	runlog_say(x->log, "Commit %s", out->commit);
	int rc = open_tree(&tree, &time_s, mirror, &found.commit, c->folder, err);
	if (rc == 0)
		rc = write_context(out, x, tree, time_s, err);
	git_tree_free(tree);
	return rc;
}

/* A mirror that was damaged (by a power cut) is thrown away, and all is fetched once more. */
static int heal(struct source *out, struct git_mirror *mirror, struct exec *x,
		const struct context *c, struct err *err)
{
	cleanup_free char *written = fs_join(x->work, "context");

	runlog_say(x->log, "%s: fetching all of it again", err->msg);
	source_release(out);
	if (fs_remove_tree(written, err) < 0 || git_mirror_begin_fetch(mirror, x, err) < 0 ||
	    git_mirror_reset(mirror, err) < 0)
		return -1;
	return fetch_and_write(out, mirror, x, c, err);
}

int source_fetch_git(struct source *out, struct exec *x, const struct context *c, struct err *err)
{
	cleanup_free char *key = NULL;
	struct git_mirror mirror;

	if (check_policy(x, c, err) < 0 || mirror_key(&key, x, c, err) < 0 ||
	    git_mirror_open(&mirror, x, key, err) < 0)
		return -1;
	int rc = fetch_and_write(out, &mirror, x, c, err);
	if (rc < 0 && err_is(err, "git_bad_object"))
		rc = heal(out, &mirror, x, c, err);
	git_mirror_close(&mirror);
	return rc;
}
