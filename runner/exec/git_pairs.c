#include "runner/exec/git_pairs.h"

#include <git2/oid.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static int compare(const void *a, const void *b)
{
	return strcmp(git_tree_entry_name(*(const git_tree_entry *const *)a),
		      git_tree_entry_name(*(const git_tree_entry *const *)b));
}

/* Most trees are in this order already: only a folder "a" and a file "a.b" stand otherwise. */
static bool is_sorted(const struct git_entries *e)
{
	for (size_t i = 1; i < e->len; i++) {
		if (compare(&e->list[i - 1], &e->list[i]) > 0)
			return false;
	}
	return true;
}

static int check_names_differ(const struct git_entries *e, struct err *err)
{
	for (size_t i = 1; i < e->len; i++) {
		if (compare(&e->list[i - 1], &e->list[i]) == 0)
			return err_set(err, ERR_INVALID, "git_unsafe_tree",
				       "two entries of a folder have one name: %.200s",
				       git_tree_entry_name(e->list[i]));
	}
	return 0;
}

static int open_entries(struct git_entries *out, const git_tree *tree, struct err *err)
{
	size_t len = tree ? git_tree_entrycount(tree) : 0;

	*out = (struct git_entries){ .len = len };
	if (len == 0)
		return 0;
	out->list = xreallocarray(NULL, len, sizeof *out->list);
	for (size_t i = 0; i < len; i++)
		out->list[i] = git_tree_entry_byindex(tree, i);
	if (!is_sorted(out))
		qsort(out->list, len, sizeof *out->list, compare);
	return check_names_differ(out, err);
}

int git_pairs_open(struct git_pairs *out, const git_tree *before, const git_tree *after,
		   struct err *err)
{
	struct git_pairs pairs = { 0 };

	if (open_entries(&pairs.before, before, err) < 0 ||
	    open_entries(&pairs.after, after, err) < 0) {
		git_pairs_close(&pairs);
		return -1;
	}
	*out = pairs;
	return 0;
}

static const git_tree_entry *peek(const struct git_entries *e)
{
	return e->next < e->len ? e->list[e->next] : NULL;
}

/* Take the first name of either side, with what both sides have of that name. */
static bool take(struct git_pairs *pairs, struct git_pair *out)
{
	const git_tree_entry *before = peek(&pairs->before), *after = peek(&pairs->after);

	if (!before && !after)
		return false;
	int order = !before ? 1 : !after ? -1 : compare(&before, &after);
	*out = (struct git_pair){
		.name = git_tree_entry_name(order <= 0 ? before : after),
		.before = order <= 0 ? before : NULL,
		.after = order >= 0 ? after : NULL,
	};
	pairs->before.next += order <= 0;
	pairs->after.next += order >= 0;
	return true;
}

static bool is_same(const struct git_pair *pair)
{
	return pair->before && pair->after &&
	       git_tree_entry_filemode(pair->before) == git_tree_entry_filemode(pair->after) &&
	       git_oid_equal(git_tree_entry_id(pair->before), git_tree_entry_id(pair->after));
}

bool git_pairs_next(struct git_pairs *pairs, struct git_pair *out)
{
	while (take(pairs, out)) {
		if (!is_same(out))
			return true;
	}
	return false;
}

void git_pairs_close(struct git_pairs *pairs)
{
	free(pairs->before.list);
	free(pairs->after.list);
	*pairs = (struct git_pairs){ 0 };
}

bool git_entry_is_folder(const git_tree_entry *entry)
{
	return entry && git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE;
}

bool git_entry_is_gitlink(const git_tree_entry *entry)
{
	return entry && git_tree_entry_filemode(entry) == GIT_FILEMODE_COMMIT;
}
