#include "runner/exec/tidy_collect.h"

#include <errno.h>
#include <stdio.h>

#include "common/fs.h"
#include "common/scope.h"
#include "common/str.h"
#include "runner/exec/tidy_list.h"
#include "runner/exec/tidy_lock.h"

struct collection {
	struct tidy_list *list;
	int64_t bytes;       /* of what is left */
	int64_t wanted_most; /* bytes that may be left */
	int64_t floor_bytes; /* that the file system must have free; 0: whatever it has */
	int taken;           /* folders renamed, which numbers them */
};

enum { REMOVED, BUSY };

static void mark_gone(struct collection *c, struct tidy_item *item)
{
	if (item->gone)
		return;
	item->gone = true;
	c->bytes -= item->bytes;
}

/* ---- taking away ---- */

/* Under a name that nobody looks for. What is not there is no failure. */
static int take(struct strvec *taken, struct collection *c, const char *key, const char *path,
		struct err *err)
{
	cleanup_free char *to =
		xasprintf("%s/%s.gone-%d-%d", c->list->dir, key, (int)getpid(), c->taken++);

	if (rename(path, to) == 0)
		strvec_push(taken, to);
	else if (errno != ENOENT)
		return fs_fail(err, "take away", path);
	return 0;
}

static int remove_taken(const struct strvec *taken, struct err *err)
{
	int rc = 0;

	STRVEC_FOREACH (path, taken) {
		if (fs_remove_tree(*path, err) < 0)
			rc = -1;
	}
	return rc;
}

/* ---- the three kinds: REMOVED, BUSY or -1 ---- */

static int remove_lfs_file(struct collection *c, struct tidy_item *item, struct err *err)
{
	cleanup_free char *lock = xasprintf("%s/%s.lock", c->list->dir, item->key);
	cleanup_fd int fd = tidy_lock(lock);

	if (fd < 0)
		return BUSY;
	if (unlink(item->path) < 0 && errno != ENOENT)
		return fs_fail(err, "remove", item->path);
	mark_gone(c, item);
	return REMOVED;
}

static int remove_checkout(struct collection *c, struct tidy_item *item, struct err *err)
{
	cleanup_free char *lock = xasprintf("%s.lock", item->path);
	cleanup_strvec struct strvec taken = { 0 };
	int fd = tidy_lock(lock);

	if (fd < 0)
		return BUSY;
	int rc = take(&taken, c, item->key, item->path, err);
	if (rc == 0) {
		unlink(lock);
		mark_gone(c, item);
	}
	close(fd);
	return rc < 0 ? -1 : remove_taken(&taken, err);
}

struct locks {
	int *fds;
	size_t len;
};

static void locks_release(struct locks *locks)
{
	for (size_t i = 0; i < locks->len; i++)
		close(locks->fds[i]);
	free(locks->fds);
}

static bool locks_take(struct locks *locks, const char *path)
{
	int fd = tidy_lock(path);

	if (fd < 0)
		return false;
	locks->fds = xreallocarray(locks->fds, locks->len + 1, sizeof *locks->fds);
	locks->fds[locks->len++] = fd;
	return true;
}

/* All checkouts of a mirror, also those that came after the list was made. */
static bool locks_take_checkouts(struct locks *locks, const char *folder)
{
	cleanup_dir DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *path = fs_join(folder, entry->d_name);
		if (str_ends(str_from(entry->d_name), ".lock") && !locks_take(locks, path))
			return false;
	}
	return true;
}

/* The lock goes last, while it is held. */
static int take_mirror(struct strvec *taken, struct collection *c, const struct tidy_item *mirror,
		       const char *checkouts, struct err *err)
{
	cleanup_free char *lock = xasprintf("%s.lock", mirror->path);
	cleanup_free char *lfs = xasprintf("%s.lfs", mirror->path);

	if (take(taken, c, mirror->key, mirror->path, err) < 0 ||
	    take(taken, c, mirror->key, checkouts, err) < 0 ||
	    take(taken, c, mirror->key, lfs, err) < 0)
		return -1;
	unlink(lock);
	for (size_t i = 0; i < c->list->len; i++) {
		if (strcmp(c->list->items[i].key, mirror->key) == 0)
			mark_gone(c, &c->list->items[i]);
	}
	return REMOVED;
}

/* With all of its parts. */
static int remove_mirror(struct collection *c, struct tidy_item *item, struct err *err)
{
	cleanup_free char *lock = xasprintf("%s.lock", item->path);
	cleanup_free char *checkouts = xasprintf("%s.checkouts", item->path);
	cleanup_strvec struct strvec taken = { 0 };
	struct locks locks = { 0 };
	int rc = BUSY;

	if (locks_take(&locks, lock) && locks_take_checkouts(&locks, checkouts))
		rc = take_mirror(&taken, c, item, checkouts, err);
	locks_release(&locks);
	return remove_taken(&taken, err) < 0 ? -1 : rc;
}

static int (*const removers[])(struct collection *c, struct tidy_item *item, struct err *err) = {
	[TIDY_LFS_FILE] = remove_lfs_file,
	[TIDY_CHECKOUT] = remove_checkout,
	[TIDY_MIRROR] = remove_mirror,
};

/* ---- how far ---- */

/* What cannot be asked is not short: nothing is removed for it. */
static int64_t free_bytes(const struct collection *c)
{
	uint64_t bytes;

	if (fs_free_bytes(c->list->dir, &bytes, NULL) < 0 || bytes > INT64_MAX)
		return INT64_MAX;
	return (int64_t)bytes;
}

static bool is_enough(const struct collection *c)
{
	return c->bytes <= c->wanted_most && (!c->floor_bytes || free_bytes(c) >= c->floor_bytes);
}

static void set_goal(struct collection *c, const struct tidy_order *order)
{
	c->bytes = tidy_list_bytes(c->list);
	c->wanted_most = INT64_MAX;
	if (c->bytes > order->git_bytes)
		c->wanted_most = order->git_bytes - order->git_bytes / 10;
	if (free_bytes(c) < order->min_free_bytes)
		c->floor_bytes = order->min_free_bytes + order->min_free_bytes / 10;
}

/* Of a mirror that is gone, by a removal that was killed. */
static void remove_lone_locks(struct collection *c)
{
	for (size_t i = 0; i < c->list->len; i++) {
		struct tidy_item *item = &c->list->items[i];
		if (item->kind == TIDY_MIRROR && item->bytes == 0 && !fs_exists(item->path))
			remove_mirror(c, item, NULL);
	}
}

int tidy_collect(struct tidy_answer *answer, struct tidy_list *list, const struct tidy_order *order,
		 struct err *err)
{
	struct collection c = { .list = list };
	int rc = 0;

	set_goal(&c, order);
	int64_t before = c.bytes;
	remove_lone_locks(&c);
	for (size_t i = 0; i < list->len && !is_enough(&c); i++) {
		struct tidy_item *item = &list->items[i];
		if (item->gone)
			continue;
		int became = removers[item->kind](&c, item, rc < 0 ? NULL : err);
		answer->removed += became == REMOVED;
		answer->busy += became == BUSY;
		rc = became < 0 ? -1 : rc;
	}
	answer->freed_bytes += before - c.bytes;
	return rc;
}

int tidy_leftovers_remove(const char *dir_path, struct err *err)
{
	cleanup_dir DIR *dir = opendir(dir_path);
	struct dirent *entry;
	int rc = 0;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *path = fs_join(dir_path, entry->d_name);
		bool ours = strstr(entry->d_name, ".gone-") || strstr(entry->d_name, ".fresh-");
		if (ours && fs_remove_tree(path, err) < 0)
			rc = -1;
	}
	return rc;
}
