#include "runner/exec/tidy_list.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "common/str.h"

/* ---- sizes and times ---- */

int64_t tidy_disk_usage(const char *path)
{
	cleanup_free char *root = xstrdup(path);
	char *const roots[] = { root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV, NULL);
	int64_t blocks = 0;
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		bool counted = entry->fts_info == FTS_D || entry->fts_info == FTS_F ||
			       entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE ||
			       entry->fts_info == FTS_DEFAULT;
		if (counted)
			blocks += entry->fts_statp->st_blocks;
	}
	if (walk)
		fts_close(walk);
	return blocks * 512;
}

/* 0 when it is missing. */
static int64_t time_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_dir(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder that do not begin with a dot, sorted. */
static int list_names(struct strvec *out, const char *path, struct err *err)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir && errno != ENOENT)
		return fs_fail(err, "list", path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			strvec_push(out, entry->d_name);
	}
	if (out->len)
		qsort(out->items, out->len, sizeof *out->items, by_name);
	return 0;
}

static struct str key_of(const char *name)
{
	return str_slice(str_from(name), 0, str_find(str_from(name), '.', 0));
}

/* ---- items ---- */

static struct tidy_item *add(struct tidy_list *list, enum tidy_kind kind, const char *key,
			     const char *path)
{
	if (list->len == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->items = xreallocarray(list->items, list->cap, sizeof *list->items);
	}
	struct tidy_item *item = &list->items[list->len++];
	*item = (struct tidy_item){
		.kind = kind,
		.key = xstrdup(key),
		.path = xstrdup(path),
		.bytes = tidy_disk_usage(path),
		.used_ms = time_of(path),
	};
	return item;
}

/* The folder's own time tells too: a run that writes to its slot notes there what it holds. */
static int add_checkouts(struct tidy_list *list, const char *key, struct err *err)
{
	cleanup_free char *folder = xasprintf("%s/%s.checkouts", list->dir, key);
	cleanup_strvec struct strvec names = { 0 };

	if (list_names(&names, folder, err) < 0)
		return -1;
	STRVEC_FOREACH (name, &names) {
		cleanup_free char *path = fs_join(folder, *name);
		cleanup_free char *lock = xasprintf("%s.lock", path);
		if (!is_dir(path))
			continue;
		struct tidy_item *item = add(list, TIDY_CHECKOUT, key, path);
		item->used_ms = later(item->used_ms, time_of(lock));
	}
	return 0;
}

static int add_lfs_files(struct tidy_list *list, const char *key, struct err *err)
{
	cleanup_free char *folder = xasprintf("%s/%s.lfs", list->dir, key);
	cleanup_strvec struct strvec parts = { 0 };

	if (list_names(&parts, folder, err) < 0)
		return -1;
	STRVEC_FOREACH (part, &parts) {
		cleanup_free char *inner = fs_join(folder, *part);
		cleanup_strvec struct strvec names = { 0 };
		if (is_dir(inner) && list_names(&names, inner, err) < 0)
			return -1;
		STRVEC_FOREACH (name, &names) {
			cleanup_free char *path = fs_join(inner, *name);
			add(list, TIDY_LFS_FILE, key, path);
		}
	}
	return 0;
}

/* A lock alone, or parts without their mirror, are what a removal that was killed leaves. */
static int add_key(struct tidy_list *list, const char *key, struct err *err)
{
	cleanup_free char *path = fs_join(list->dir, key);
	cleanup_free char *lock = xasprintf("%s.lock", path);
	size_t first = list->len;
	int64_t used_ms = time_of(lock);

	if (add_checkouts(list, key, err) < 0 || add_lfs_files(list, key, err) < 0)
		return -1;
	for (size_t i = first; i < list->len; i++)
		used_ms = later(used_ms, list->items[i].used_ms);
	struct tidy_item *mirror = add(list, TIDY_MIRROR, key, path);
	if (used_ms)
		mirror->used_ms = used_ms;
	return 0;
}

/* Of the same moment, a mirror comes after its parts. */
static int by_use(const void *a, const void *b)
{
	const struct tidy_item *x = a, *y = b;

	if (x->used_ms != y->used_ms)
		return x->used_ms < y->used_ms ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

int tidy_list_read(struct tidy_list *out, const char *dir, struct err *err)
{
	struct tidy_list list = { .dir = xstrdup(dir) };
	cleanup_strvec struct strvec names = { 0 };
	cleanup_free char *last = NULL;
	int rc = list_names(&names, dir, err);

	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		struct str key = key_of(names.items[i]);
		if (last && str_is(key, last))
			continue;
		free(last);
		last = str_dup(key);
		rc = add_key(&list, last, err);
	}
	if (rc < 0) {
		tidy_list_release(&list);
		return -1;
	}
	if (list.len)
		qsort(list.items, list.len, sizeof *list.items, by_use);
	*out = list;
	return 0;
}

int64_t tidy_list_bytes(const struct tidy_list *list)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < list->len; i++)
		bytes += list->items[i].gone ? 0 : list->items[i].bytes;
	return bytes;
}

void tidy_list_release(struct tidy_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->items[i].key);
		free(list->items[i].path);
	}
	free(list->items);
	free(list->dir);
	*list = (struct tidy_list){ 0 };
}
