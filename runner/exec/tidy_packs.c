#include "runner/exec/tidy_packs.h"

#include <errno.h>
#include <git2/odb_backend.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/git_tree.h"

enum { PACKS_MAX = 24, GROWTH_MAX = 3, GROWTH_FROM_BYTES = 16 << 20 };

/* ---- reading ---- */

static int list_files(struct strvec *out, const char *objects, const char *folder, struct err *err)
{
	cleanup_free char *path = fs_join(objects, folder);
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return fs_fail(err, "list", path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			strvec_pushf(out, "%s/%s", folder, entry->d_name);
	}
	return 0;
}

static bool is_loose_folder(const char *name)
{
	return strlen(name) == 2 && name[strspn(name, "0123456789abcdef")] == '\0';
}

static int list_loose(struct strvec *out, const char *objects, struct err *err)
{
	cleanup_dir DIR *dir = opendir(objects);
	struct dirent *entry;

	if (!dir)
		return fs_fail(err, "list", objects);
	while ((entry = readdir(dir))) {
		if (is_loose_folder(entry->d_name) &&
		    list_files(out, objects, entry->d_name, err) < 0)
			return -1;
	}
	return 0;
}

/* So that an index comes before its pack, and goes before it: alone it would be an error. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void measure(struct tidy_packs *p, const char *index)
{
	cleanup_free char *pack =
		xasprintf("%s/%.*spack", p->objects, (int)(strlen(index) - strlen("idx")), index);
	struct stat st;

	if (stat(pack, &st) < 0)
		return;
	p->packs++;
	p->bytes += st.st_size;
	if (st.st_size < p->largest_bytes)
		return;
	p->largest_bytes = st.st_size;
	free(p->largest);
	p->largest = xstrdup(index);
}

int tidy_packs_read(struct tidy_packs *out, const char *mirror, struct err *err)
{
	struct tidy_packs p = { .objects = fs_join(mirror, "objects") };

	if (list_files(&p.leaving, p.objects, "pack", err) < 0 ||
	    list_loose(&p.leaving, p.objects, err) < 0) {
		tidy_packs_release(&p);
		return -1;
	}
	if (p.leaving.len)
		qsort(p.leaving.items, p.leaving.len, sizeof *p.leaving.items, by_name);
	STRVEC_FOREACH (name, &p.leaving) {
		if (str_ends(str_from(*name), ".idx"))
			measure(&p, *name);
	}
	*out = p;
	return 0;
}

void tidy_packs_release(struct tidy_packs *p)
{
	strvec_release(&p->leaving);
	free(p->objects);
	free(p->largest);
	*p = (struct tidy_packs){ 0 };
}

/* ---- deciding ---- */

bool tidy_packs_are_many(const struct tidy_packs *p)
{
	bool grown = p->bytes > GROWTH_FROM_BYTES && p->bytes > GROWTH_MAX * p->largest_bytes;
	return p->packs > PACKS_MAX || grown;
}

void tidy_packs_keep(struct tidy_packs *p, const char *name)
{
	cleanup_free char *start = xasprintf("pack/%s.", name);
	struct strvec leaving = { 0 };

	STRVEC_FOREACH (file, &p->leaving) {
		if (!str_starts(str_from(*file), start))
			strvec_push(&leaving, *file);
	}
	strvec_release(&p->leaving);
	p->leaving = leaving;
}

void tidy_packs_keep_largest(struct tidy_packs *p)
{
	size_t ends = strlen("pack/") + strlen(".idx");

	p->largest_stays = p->largest && p->largest_bytes >= p->bytes / 2;
	if (!p->largest_stays)
		return;
	cleanup_free char *name = xstrndup(p->largest + strlen("pack/"), strlen(p->largest) - ends);
	tidy_packs_keep(p, name);
}

/* ---- objects of some of the packs ---- */

static int add_pack(git_odb *odb, const char *index, struct err *err)
{
	git_odb_backend *backend;

	if (git_odb_backend_one_pack(&backend, index) < 0 ||
	    git_odb_add_backend(odb, backend, 1) < 0)
		return git_object_error(err, "a pack");
	return 0;
}

static int add_rest(git_odb *odb, const struct tidy_packs *p, struct err *err)
{
	cleanup_strvec struct strvec now = { 0 };

	if (list_files(&now, p->objects, "pack", err) < 0)
		return -1;
	STRVEC_FOREACH (file, &now) {
		cleanup_free char *path = fs_join(p->objects, *file);
		if (str_ends(str_from(*file), ".idx") && strvec_find(&p->leaving, *file) < 0 &&
		    add_pack(odb, path, err) < 0)
			return -1;
	}
	return 0;
}

int tidy_packs_rest(git_odb **out, const struct tidy_packs *p, const char *more, struct err *err)
{
	git_odb *odb;

	if (git_odb_new(&odb) < 0)
		return git_object_error(err, "packs");
	if (add_rest(odb, p, err) < 0 || (more && add_pack(odb, more, err) < 0)) {
		git_odb_free(odb);
		return -1;
	}
	*out = odb;
	return 0;
}

int tidy_packs_staying(git_odb **out, const struct tidy_packs *p, struct err *err)
{
	cleanup_free char *path = p->largest_stays ? fs_join(p->objects, p->largest) : NULL;
	git_odb *odb;

	if (git_odb_new(&odb) < 0)
		return git_object_error(err, "packs");
	if (path && add_pack(odb, path, err) < 0) {
		git_odb_free(odb);
		return -1;
	}
	*out = odb;
	return 0;
}

/* ---- leaving ---- */

static bool has_index(const struct tidy_packs *p, const char *file)
{
	const char *dot = strrchr(file, '.');
	cleanup_free char *index =
		dot ? xasprintf("%.*s.idx", (int)(dot - file), file) : xasprintf("%s.idx", file);

	return strvec_find(&p->leaving, index) >= 0;
}

int tidy_packs_remove_halves(struct tidy_packs *p, struct err *err)
{
	struct tidy_packs halves = { .objects = p->objects };
	struct strvec whole = { 0 };

	STRVEC_FOREACH (file, &p->leaving) {
		bool half = str_starts(str_from(*file), "pack/") && !has_index(p, *file);
		strvec_push(half ? &halves.leaving : &whole, *file);
	}
	int rc = tidy_packs_remove(&halves, err);
	strvec_release(&halves.leaving);
	strvec_release(&p->leaving);
	p->leaving = whole;
	return rc;
}

bool tidy_packs_are_there(const struct tidy_packs *p)
{
	STRVEC_FOREACH (file, &p->leaving) {
		cleanup_free char *path = fs_join(p->objects, *file);
		if (!fs_exists(path))
			return false;
	}
	return true;
}

int tidy_packs_remove(const struct tidy_packs *p, struct err *err)
{
	STRVEC_FOREACH (file, &p->leaving) {
		cleanup_free char *path = fs_join(p->objects, *file);
		if (unlink(path) < 0 && errno != ENOENT)
			return fs_fail(err, "remove", path);
	}
	return 0;
}
