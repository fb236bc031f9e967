/* A git context: mirror, fetch, check, write. */
#include <unistd.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/clean.h"
#include "context/ignore.h"
#include "context/policy.h"
#include "runner/exec/git_bring.h"
#include "runner/exec/git_context.h"
#include "runner/exec/git_tally.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"

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
static int read_ignore_file(struct ignore **out, struct buf *text, const struct exec *x,
			    const git_tree *tree, const char *path, struct err *err)
{
	const struct spec_limits *limits = &x->spec.limits;
	struct ignore_limits ceilings = {
		.bytes = (size_t)limits->ignore_bytes,
		.rules = (size_t)limits->ignore_rules,
	};

	text->limit = ceilings.bytes;
	if (git_tree_read(text, tree, path, err) == 0)
		return ignore_read(out, buf_str(text), path, &ceilings, err);
	if (err_is(err, "too_large"))
		snprintf(err->word, sizeof err->word, "ignore_too_large");
	if (err_is(err, "not_a_file"))
		snprintf(err->word, sizeof err->word, "ignore_invalid");
	return -1;
}

/* What the ignore file of a tree says. */
struct ignored {
	struct ignore *rules; /* or NULL */
	struct buf text;
	char *own; /* path of the file when it belongs to the Dockerfile, or NULL */
};

static void ignored_release(struct ignored *i)
{
	ignore_destroy(i->rules);
	buf_release(&i->text);
	free(i->own);
}

/* An ignore file beside the Dockerfile, with its name, wins over the one of the context. */
static int read_ignore(struct ignored *out, const struct exec *x, const git_tree *tree,
		       const char *dockerfile, struct err *err)
{
	cleanup_free char *own = xasprintf("%s.dockerignore", dockerfile);
	struct err why = { 0 };

	int rc = read_ignore_file(&out->rules, &out->text, x, tree, own, &why);
	if (rc == 0)
		out->own = xstrdup(own);
	else if (err_is(&why, "not_found"))
		rc = read_ignore_file(&out->rules, &out->text, x, tree, ".dockerignore", &why);
	if (rc == 0 || err_is(&why, "not_found"))
		return 0;
	if (err)
		*err = why;
	return -1;
}

static int write_context(struct source *out, struct exec *x, struct git_context *context,
			 struct err *err)
{
	const char *wanted = x->spec.build.dockerfile ? x->spec.build.dockerfile : "Dockerfile";
	cleanup_free char *dockerfile = path_clean(str_from(wanted));
	struct ignored ignored = { 0 };

	int rc = read_dockerfile(out, x, context->tree, dockerfile, err);
	if (rc == 0)
		rc = read_ignore(&ignored, x, context->tree, dockerfile, err);
	if (rc == 0) {
		context->ignore = ignored.rules;
		context->ignore_text = buf_str(&ignored.text);
		context->ignore_path = ignored.own ? ignored.own : "";
		rc = git_context_make(out, x, context, err);
	}
	ignored_release(&ignored);
	return rc;
}

/* Of a tree that may not be, that is what to say, whatever else is wrong with it. */
static void prefer_tree_error(struct err *err, const git_tree *tree, const struct exec *x)
{
	struct git_tally tally = { 0 };
	struct err other = { 0 };

	if (err && git_tally_update(&tally, NULL, tree, 1, x, &other) < 0)
		*err = other;
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

static int write_folder(struct source *out, struct exec *x, struct git_brought *from,
			const char *folder, struct err *err)
{
	cleanup_free char *clean = clean_folder(folder);
	struct git_context context = { .from = from, .folder = clean };
	git_tree *root = NULL, *tree = NULL;

	int rc = git_tree_open(&root, from->mirror.repo, &from->commit, "", err);
	if (rc == 0)
		rc = git_tree_open(&tree, from->mirror.repo, &from->commit, clean, err);
	context.root = root;
	context.tree = tree;
	if (rc == 0) {
		rc = write_context(out, x, &context, err);
		if (rc < 0 && !out->dir)
			prefer_tree_error(err, tree, x);
	}
	git_tree_free(tree);
	git_tree_free(root);
	return rc;
}

static void tell_commit(struct source *out, const struct exec *x, const struct git_brought *from)
{
	char hex[GIT_OID_HEXSZ + 1];

	out->commit = xstrdup(git_oid_tostr(hex, sizeof hex, &from->commit));
	note_ref(out, from->ref);
	runlog_say(x->log, "Commit %s", out->commit);
}

/* A mirror that was damaged (by a power cut) is thrown away, and all is fetched once more. */
static int heal(struct source *out, struct git_brought *from, struct exec *x,
		const struct git_wanted *wanted, struct err *err)
{
	cleanup_free char *written = fs_join(x->work, "context");

	runlog_say(x->log, "%s: fetching all of it again", err->msg);
	if (out->dockerfile)
		unlink(out->dockerfile);
	source_release(out);
	if (fs_remove_tree(written, err) < 0)
		return -1;
	return git_bring_again(from, x, wanted, err);
}

int source_fetch_git(struct source *out, struct exec *x, const struct context *c, struct err *err)
{
	const struct build *build = &x->spec.build;
	struct git_wanted wanted = {
		.url = c->repository,
		.ref = build->ref ? build->ref : c->ref,
		.commit = build->commit,
	};
	struct git_brought from;

	if (source_check_credentials(c, err) < 0 ||
	    (c->folder && policy_check_folder(str_from(c->folder), err) < 0) ||
	    git_bring(&from, x, &wanted, err) < 0)
		return -1;
	tell_commit(out, x, &from);
	int rc = write_folder(out, x, &from, c->folder, err);
	if (rc < 0 && err_is(err, "git_bad_object")) {
		rc = heal(out, &from, x, &wanted, err);
		if (rc == 0) {
			tell_commit(out, x, &from);
			rc = write_folder(out, x, &from, c->folder, err);
		}
	}
	git_brought_release(&from);
	return rc;
}
