#include "runner/exec/tidy_walk.h"

#include <git2/commit.h>
#include <git2/errors.h>
#include <git2/odb.h>
#include <git2/refs.h>
#include <git2/revwalk.h>
#include <git2/tag.h>
#include <git2/tree.h>

#include "common/mem.h"
#include "runner/exec/git_tree.h"

struct walk {
	git_repository *repo;
	git_odb *odb;
	struct tidy_oids seen;
	git_oid *trees; /* to be read: a list of our own, as their depth is for anybody to choose */
	size_t trees_len, trees_cap;
	tidy_visit *visit;
	void *data;
};

/* 1 when it is new and there, 0 when not. */
static int meet(struct walk *w, const git_oid *id, const char *name, struct err *err)
{
	if (!tidy_oids_add(&w->seen, id) ||
	    !git_odb_exists_ext(w->odb, id, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	return w->visit(id, name, w->data, err) == 0 ? 1 : -1;
}

/* ---- trees ---- */

static int meet_tree(struct walk *w, const git_oid *id, const char *name, struct err *err)
{
	int rc = meet(w, id, name, err);

	if (rc <= 0)
		return rc;
	if (w->trees_len == w->trees_cap) {
		w->trees_cap = w->trees_cap ? w->trees_cap * 2 : 64;
		w->trees = xreallocarray(w->trees, w->trees_cap, sizeof *w->trees);
	}
	w->trees[w->trees_len++] = *id;
	return 0;
}

static int meet_entry(struct walk *w, const git_tree_entry *entry, struct err *err)
{
	const git_oid *id = git_tree_entry_id(entry);
	const char *name = git_tree_entry_name(entry);

	switch (git_tree_entry_type(entry)) {
	case GIT_OBJECT_TREE: return meet_tree(w, id, name, err);
	case GIT_OBJECT_COMMIT: /* a submodule: of another repository */ return 0;
	default: return meet(w, id, name, err);
	}
}

static int read_tree(struct walk *w, const git_oid *id, struct err *err)
{
	git_tree *tree;

	if (git_tree_lookup(&tree, w->repo, id) < 0)
		return git_object_error(err, "a folder");
	int rc = 0;
	for (size_t i = 0, n = git_tree_entrycount(tree); rc >= 0 && i < n; i++)
		rc = meet_entry(w, git_tree_entry_byindex(tree, i), err);
	git_tree_free(tree);
	return rc < 0 ? -1 : 0;
}

static int read_trees(struct walk *w, struct err *err)
{
	while (w->trees_len > 0) {
		git_oid id = w->trees[--w->trees_len];
		if (read_tree(w, &id, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- commits ---- */

static int meet_commit(struct walk *w, const git_oid *id, struct err *err)
{
	git_commit *commit;
	int rc = meet(w, id, NULL, err);

	if (rc <= 0)
		return rc;
	if (git_commit_lookup(&commit, w->repo, id) < 0)
		return git_object_error(err, "a commit");
	rc = meet_tree(w, git_commit_tree_id(commit), NULL, err);
	git_commit_free(commit);
	return rc < 0 ? -1 : read_trees(w, err);
}

static int meet_history(struct walk *w, const struct tidy_oids *commits, struct err *err)
{
	git_revwalk *history;
	git_oid id;
	int rc = git_revwalk_new(&history, w->repo);

	for (size_t i = 0; rc == 0 && i < commits->len; i++)
		rc = git_revwalk_push(history, &commits->items[i]);
	while (rc == 0 && (rc = git_revwalk_next(&id, history)) == 0) {
		if (meet_commit(w, &id, err) < 0) {
			git_revwalk_free(history);
			return -1;
		}
	}
	git_revwalk_free(history);
	return rc == GIT_ITEROVER ? 0 : git_object_error(err, "the history");
}

/* ---- tips ---- */

/* Through annotated tags, however many, to what they mean. */
static int meet_tip(struct walk *w, struct tidy_oids *commits, const git_oid *tip, struct err *err)
{
	git_oid id = *tip;
	git_object_t type;
	size_t size;

	for (;;) {
		git_tag *tag;
		if (git_odb_read_header(&size, &type, w->odb, &id) < 0)
			return 0;
		if (type == GIT_OBJECT_COMMIT)
			tidy_oids_add(commits, &id);
		if (type == GIT_OBJECT_TREE)
			return meet_tree(w, &id, NULL, err) < 0 ? -1 : read_trees(w, err);
		if (type == GIT_OBJECT_BLOB)
			return meet(w, &id, NULL, err) < 0 ? -1 : 0;
		if (type != GIT_OBJECT_TAG)
			return 0;
		if (meet(w, &id, NULL, err) < 0)
			return -1;
		if (git_tag_lookup(&tag, w->repo, &id) < 0)
			return git_object_error(err, "a tag");
		id = *git_tag_target_id(tag);
		git_tag_free(tag);
	}
}

static int walk_all(struct walk *w, const struct tidy_oids *tips, struct err *err)
{
	struct tidy_oids commits = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < tips->len; i++)
		rc = meet_tip(w, &commits, &tips->items[i], err);
	if (rc == 0 && git_repository_is_shallow(w->repo) == 0 && commits.len)
		rc = meet_history(w, &commits, err);
	for (size_t i = 0; rc == 0 && i < commits.len; i++)
		rc = meet_commit(w, &commits.items[i], err);
	tidy_oids_release(&commits);
	return rc;
}

int tidy_walk(git_repository *repo, const struct tidy_oids *tips, tidy_visit *visit, void *data,
	      struct err *err)
{
	struct walk w = { .repo = repo, .visit = visit, .data = data };

	if (git_repository_odb(&w.odb, repo) < 0)
		return git_object_error(err, "the objects");
	int rc = walk_all(&w, tips, err);
	git_odb_free(w.odb);
	tidy_oids_release(&w.seen);
	free(w.trees);
	return rc;
}

int tidy_walk_tips(struct tidy_oids *out, git_repository *repo, struct err *err)
{
	git_reference_iterator *refs;
	git_reference *ref;
	int rc;

	if (git_reference_iterator_new(&refs, repo) < 0)
		return git_object_error(err, "the refs");
	while ((rc = git_reference_next(&ref, refs)) == 0) {
		if (git_reference_target(ref))
			tidy_oids_add(out, git_reference_target(ref));
		git_reference_free(ref);
	}
	git_reference_iterator_free(refs);
	return rc == GIT_ITEROVER ? 0 : git_object_error(err, "the refs");
}
