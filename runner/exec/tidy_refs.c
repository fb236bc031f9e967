#include "runner/exec/tidy_refs.h"

#include <git2/commit.h>
#include <git2/errors.h>
#include <git2/odb.h>
#include <git2/refs.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/tidy_walk.h"

enum { REFS_KEPT = 50 };

/* ---- refs that are too old ---- */

struct remembered {
	char *name;
	int64_t written_ms;
};

struct memory {
	struct remembered *items;
	size_t len, cap;
};

/* A ref without a file of its own is as old as one can be. */
static int64_t written_ms(git_repository *repo, const char *name)
{
	cleanup_free char *path = fs_join(git_repository_path(repo), name);
	struct stat st;

	return stat(path, &st) < 0
		       ? 0
		       : (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

static int load_memory(struct memory *out, git_repository *repo, struct err *err)
{
	git_reference_iterator *names;
	const char *name;

	if (git_reference_iterator_glob_new(&names, repo, "refs/slipway/*") < 0)
		return git_object_error(err, "the refs");
	while (git_reference_next_name(&name, names) == 0) {
		if (out->len == out->cap) {
			out->cap = out->cap ? out->cap * 2 : 64;
			out->items = xreallocarray(out->items, out->cap, sizeof *out->items);
		}
		out->items[out->len++] =
			(struct remembered){ xstrdup(name), written_ms(repo, name) };
	}
	git_reference_iterator_free(names);
	return 0;
}

static void memory_release(struct memory *m)
{
	for (size_t i = 0; i < m->len; i++)
		free(m->items[i].name);
	free(m->items);
}

static int newest_first(const void *a, const void *b)
{
	const struct remembered *x = a, *y = b;
	return (x->written_ms < y->written_ms) - (x->written_ms > y->written_ms);
}

int tidy_refs_drop_old(git_repository *repo, int64_t before_ms, struct err *err)
{
	struct memory memory = { 0 };
	int rc = load_memory(&memory, repo, err);

	if (memory.len)
		qsort(memory.items, memory.len, sizeof *memory.items, newest_first);
	for (size_t i = REFS_KEPT; rc == 0 && i < memory.len; i++) {
		const struct remembered *ref = &memory.items[i];
		if (ref->written_ms < before_ms && git_reference_remove(repo, ref->name) < 0)
			rc = err_set(err, ERR_INTERNAL, "storage", "cannot forget %s: %.200s",
				     ref->name, git_error_last()->message);
	}
	memory_release(&memory);
	return rc;
}

/* ---- where histories are cut off ---- */

/* 1 when there is no such file. */
static int read_shallow(struct tidy_oids *out, const char *path, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct str rest, line;
	git_oid id;

	if (!fs_exists(path))
		return 1;
	if (fs_read(&text, path, err) < 0)
		return -1;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (line.len == GIT_OID_HEXSZ && git_oid_fromstrn(&id, line.ptr, line.len) == 0)
			tidy_oids_add(out, &id);
	}
	return 0;
}

static int write_shallow(const char *path, const struct tidy_oids *ids, git_odb *only,
			 struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT;
	char hex[GIT_OID_HEXSZ + 1];

	for (size_t i = 0; i < ids->len; i++) {
		if (!only || git_odb_exists(only, &ids->items[i]))
			buf_addf(&text, "%s\n", git_oid_tostr(hex, sizeof hex, &ids->items[i]));
	}
	return fs_write_atomic(path, buf_str(&text), 0600, err);
}

static bool is_cut_off(git_repository *repo, git_odb *left, const git_oid *id)
{
	git_commit *commit;
	bool cut = false;

	if (git_commit_lookup(&commit, repo, id) < 0)
		return false; /* a tag, or a hole */
	for (unsigned i = 0; !cut && i < git_commit_parentcount(commit); i++)
		cut = !git_odb_exists(left, git_commit_parent_id(commit, i));
	git_commit_free(commit);
	return cut;
}

int tidy_shallow_note(git_repository *repo, git_odb *left, struct err *err)
{
	cleanup_free char *path = fs_join(git_repository_path(repo), "shallow");
	struct tidy_oids shallow = { 0 }, tips = { 0 };
	int rc = read_shallow(&shallow, path, err);
	size_t before = shallow.len;

	if (rc == 0)
		rc = tidy_walk_tips(&tips, repo, err);
	for (size_t i = 0; rc == 0 && i < tips.len; i++) {
		if (is_cut_off(repo, left, &tips.items[i]))
			tidy_oids_add(&shallow, &tips.items[i]);
	}
	if (rc == 0 && shallow.len > before)
		rc = write_shallow(path, &shallow, NULL, err);
	tidy_oids_release(&shallow);
	tidy_oids_release(&tips);
	return rc < 0 ? -1 : 0;
}

int tidy_shallow_strike(git_repository *repo, git_odb *left, struct err *err)
{
	cleanup_free char *path = fs_join(git_repository_path(repo), "shallow");
	struct tidy_oids shallow = { 0 };
	int rc = read_shallow(&shallow, path, err);

	if (rc == 0)
		rc = write_shallow(path, &shallow, left, err);
	tidy_oids_release(&shallow);
	return rc < 0 ? -1 : 0;
}
