#include "runner/exec/git_tally.h"

#include <git2/odb.h>
#include <git2/repository.h>

#include "runner/exec/exec.h"
#include "runner/exec/git_pairs.h"
#include "runner/exec/git_tree.h"

struct walk {
	const struct exec *x;
	git_repository *repo;
	git_odb *odb;
	struct git_tally came, gone;
	uint64_t seen; /* entries, for asking now and then whether to go on */
};

/* ---- the ceilings ---- */

static int check_entries(int64_t entries, const struct exec *x, struct err *err)
{
	int64_t limit = x->spec.limits.git_entries;

	if (limit && entries > limit)
		return err_set(err, ERR_LIMIT, "git_too_many_files",
			       "there are more than %lld files and folders", (long long)limit);
	return 0;
}

static int check_bytes(int64_t bytes, const struct exec *x, struct err *err)
{
	int64_t limit = x->spec.limits.git_bytes;

	if (limit && bytes > limit)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the files have more than %lld bytes in all", (long long)limit);
	return 0;
}

static int check_size(int64_t bytes, const char *name, const struct exec *x, struct err *err)
{
	int64_t limit = x->spec.limits.git_object_bytes;

	if (limit && bytes > limit)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the file %.200s has %lld bytes, more than %lld", name,
			       (long long)bytes, (long long)limit);
	return 0;
}

static int check_depth(int64_t depth, const struct exec *x, struct err *err)
{
	int64_t limit = x->spec.limits.git_depth;

	if (limit && depth > limit)
		return err_set(err, ERR_LIMIT, "git_too_deep",
			       "folders are nested more than %lld deep", (long long)limit);
	return 0;
}

/* ---- one entry ---- */

static int go_on(struct walk *w, struct err *err)
{
	return ++w->seen % 256 ? 0 : exec_may_go_on(w->x, err);
}

/* From the header of the object: nothing is inflated. */
static int file_size(int64_t *out, const struct walk *w, const git_tree_entry *entry,
		     struct err *err)
{
	git_object_t type;
	size_t size;

	if (git_odb_read_header(&size, &type, w->odb, git_tree_entry_id(entry)) < 0 ||
	    type != GIT_OBJECT_BLOB || size > INT64_MAX)
		return git_object_error(err, git_tree_entry_name(entry));
	*out = (int64_t)size;
	return 0;
}

static int walk_trees(struct walk *w, const git_tree *before, const git_tree *after, int64_t depth,
		      struct err *err);

static int look_up(git_tree **out, const struct walk *w, const git_tree_entry *entry,
		   struct err *err)
{
	if (git_tree_lookup(out, w->repo, git_tree_entry_id(entry)) < 0)
		return git_object_error(err, git_tree_entry_name(entry));
	return 0;
}

/* Folders of one name; one of the two may be NULL. */
static int walk_folders(struct walk *w, const git_tree_entry *before, const git_tree_entry *after,
			int64_t depth, struct err *err)
{
	git_tree *old = NULL, *new = NULL;
	int rc = 0;

	if (before)
		rc = look_up(&old, w, before, err);
	if (rc == 0 && after)
		rc = look_up(&new, w, after, err);
	if (rc == 0)
		rc = walk_trees(w, old, new, depth + 1, err);
	git_tree_free(old);
	git_tree_free(new);
	return rc;
}

static int take_away(struct walk *w, const git_tree_entry *entry, int64_t depth, struct err *err)
{
	int64_t size = 0;

	w->gone.entries++;
	if (git_entry_is_gitlink(entry))
		return 0;
	if (git_entry_is_folder(entry))
		return walk_folders(w, entry, NULL, depth, err);
	if (file_size(&size, w, entry, err) < 0)
		return -1;
	w->gone.bytes += size;
	return 0;
}

static int add_file(struct walk *w, const git_tree_entry *entry, struct err *err)
{
	int64_t size = 0;

	if (file_size(&size, w, entry, err) < 0 ||
	    check_size(size, git_tree_entry_name(entry), w->x, err) < 0)
		return -1;
	if (size > INT64_MAX - w->came.bytes)
		return git_object_error(err, git_tree_entry_name(entry));
	w->came.bytes += size;
	return check_bytes(w->came.bytes, w->x, err);
}

static int add(struct walk *w, const git_tree_entry *entry, int64_t depth, struct err *err)
{
	w->came.entries++;
	if (check_entries(w->came.entries, w->x, err) < 0 || git_tree_check_name(entry, err) < 0)
		return -1;
	if (git_entry_is_gitlink(entry))
		return 0;
	if (git_entry_is_folder(entry))
		return walk_folders(w, NULL, entry, depth, err);
	return add_file(w, entry, err);
}

/* ---- the walk ---- */

static int walk_pair(struct walk *w, const struct git_pair *pair, int64_t depth, struct err *err)
{
	if (go_on(w, err) < 0)
		return -1;
	if (git_entry_is_folder(pair->before) && git_entry_is_folder(pair->after))
		return walk_folders(w, pair->before, pair->after, depth, err);
	if (pair->before && take_away(w, pair->before, depth, err) < 0)
		return -1;
	return pair->after ? add(w, pair->after, depth, err) : 0;
}

static int walk_trees(struct walk *w, const git_tree *before, const git_tree *after, int64_t depth,
		      struct err *err)
{
	struct git_pairs pairs;
	struct git_pair pair;
	int rc = 0;

	/* A folder is held against the ceiling before its entries are listed. */
	if (after && (check_depth(depth, w->x, err) < 0 ||
		      check_entries((int64_t)git_tree_entrycount(after), w->x, err) < 0))
		return -1;
	if (git_pairs_open(&pairs, before, after, err) < 0)
		return -1;
	while (rc == 0 && git_pairs_next(&pairs, &pair))
		rc = walk_pair(w, &pair, depth, err);
	git_pairs_close(&pairs);
	return rc;
}

/*
 * The sums are held against the ceilings at the end, since a folder that moves comes before it
 * goes; on the way there, what comes is.
 */
static int sum_up(struct git_tally *tally, const struct walk *w, struct err *err)
{
	int64_t entries = tally->entries + w->came.entries - w->gone.entries;
	int64_t bytes = tally->bytes - w->gone.bytes + w->came.bytes;

	if (check_entries(entries, w->x, err) < 0 || check_bytes(bytes, w->x, err) < 0)
		return -1;
	tally->entries = entries;
	tally->bytes = bytes;
	return 0;
}

int git_tally_update(struct git_tally *tally, const git_tree *before, const git_tree *after,
		     int64_t depth, const struct exec *x, struct err *err)
{
	struct walk w = { .x = x, .repo = git_tree_owner(after) };

	if (git_repository_odb(&w.odb, w.repo) < 0)
		return git_object_error(err, "the mirror");
	int rc = walk_trees(&w, before, after, depth, err);
	git_odb_free(w.odb);
	return rc < 0 ? -1 : sum_up(tally, &w, err);
}
