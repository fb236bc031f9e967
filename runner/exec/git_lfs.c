#include "runner/exec/git_lfs.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_bring.h"
#include "runner/exec/git_lfs_batch.h"
#include "runner/exec/git_lfs_server.h"
#include "runner/exec/git_lfs_store.h"
#include "runner/exec/git_lfs_url.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/runlog.h"

enum { CONFIG_BYTES = 64 * 1024 };

/* The contents that the pointers mean, each one once, in the order of their ids. */
struct contents {
	struct git_lfs_object *items;
	size_t len;
	int64_t bytes; /* of all files, also of those that share one */
};

/* ---- what is wanted ---- */

static int check_pointer(const struct git_pointer *p, const struct spec_limits *limits,
			 struct err *err)
{
	if (p->extended)
		return err_set(err, ERR_INVALID, "git_lfs",
			       "%.200s went to Git LFS through an extension, which only the "
			       "git-lfs of its authors can undo",
			       p->path);
	if (limits->git_object_bytes && p->size > limits->git_object_bytes)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "%.200s in Git LFS has %lld bytes: more than the %lld that "
			       "limits.git_object_bytes allows",
			       p->path, (long long)p->size, (long long)limits->git_object_bytes);
	return 0;
}

/* What pointers promise is known before anything is fetched. */
static int check_pointers(const struct git_left *left, const struct spec_limits *limits,
			  int64_t *bytes, struct err *err)
{
	for (size_t i = 0; i < left->pointers_len; i++) {
		if (check_pointer(&left->pointers[i], limits, err) < 0)
			return -1;
		if (__builtin_add_overflow(*bytes, left->pointers[i].size, bytes) ||
		    (limits->git_bytes && *bytes > limits->git_bytes))
			return err_set(err, ERR_LIMIT, "git_too_large",
				       "the files in Git LFS have more than the %lld bytes "
				       "together that limits.git_bytes allows",
				       (long long)limits->git_bytes);
	}
	return 0;
}

static int compare_objects(const void *a, const void *b)
{
	const struct git_lfs_object *one = a, *other = b;
	return memcmp(one->sha256, other->sha256, sizeof one->sha256);
}

/* Of equal ones the first stays. They are equal only when their pointers agree on the size. */
static int drop_repeated(struct contents *c, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->len; i++) {
		struct git_lfs_object *last = kept ? &c->items[kept - 1] : NULL;
		if (!last || compare_objects(last, &c->items[i]) != 0)
			c->items[kept++] = c->items[i];
		else if (last->size != c->items[i].size)
			return err_set(err, ERR_INVALID, "git_lfs",
				       "the pointers %.150s and %.150s name the same content in "
				       "Git LFS with different sizes",
				       last->path, c->items[i].path);
	}
	c->len = kept;
	return 0;
}

static int collect(struct contents *c, const struct git_left *left,
		   const struct spec_limits *limits, struct err *err)
{
	if (check_pointers(left, limits, &c->bytes, err) < 0)
		return -1;
	c->items = xcalloc(left->pointers_len, sizeof *c->items);
	for (size_t i = 0; i < left->pointers_len; i++) {
		const struct git_pointer *p = &left->pointers[i];
		struct git_lfs_object *o = &c->items[c->len++];
		*o = (struct git_lfs_object){ .size = p->size, .path = p->path };
		memcpy(o->sha256, p->sha256, sizeof o->sha256);
	}
	qsort(c->items, c->len, sizeof *c->items, compare_objects);
	return drop_repeated(c, err);
}

static void contents_release(struct contents *c)
{
	for (size_t i = 0; i < c->len; i++)
		git_lfs_object_release(&c->items[i]);
	free(c->items);
}

static bool is_here(const struct contents *c, const struct git_pointer *p)
{
	struct git_lfs_object wanted = { 0 };

	memcpy(wanted.sha256, p->sha256, sizeof wanted.sha256);
	const struct git_lfs_object *found =
		bsearch(&wanted, c->items, c->len, sizeof *c->items, compare_objects);
	return found && found->is_here;
}

/* ---- what is here ---- */

/* "12 MB": for people, as disks are counted. */
static char *size_text(int64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	size_t unit = 0;

	while (bytes >= 10000 && unit + 1 < ARRAY_LEN(units)) {
		bytes = (bytes + 500) / 1000;
		unit++;
	}
	return xasprintf("%lld %s", (long long)bytes, units[unit]);
}

static int look(struct contents *c, const struct git_lfs_store *store, const struct git_left *left,
		struct err *err)
{
	cleanup_free char *size = size_text(c->bytes);
	size_t here = 0;

	for (size_t i = 0; i < c->len; i++) {
		if (git_lfs_store_look(store, &c->items[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < left->pointers_len; i++)
		here += is_here(c, &left->pointers[i]);
	runlog_say(store->x->log, "Git LFS: %zu file%s, %s (%zu already here)", left->pointers_len,
		   left->pointers_len == 1 ? "" : "s", size, here);
	return 0;
}

/* ---- what is not ---- */

static size_t gather(struct git_lfs_object **out, size_t max, const struct contents *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->len && n < max; i++) {
		if (!c->items[i].is_here)
			out[n++] = &c->items[i];
	}
	return n;
}

/* The first one is fetched whatever its time: so each answer brings us further. */
static int fetch_batch(struct git_lfs_server *server, const struct git_lfs_store *store,
		       struct git_lfs_object **batch, size_t n, struct err *err)
{
	if (git_lfs_server_ask(server, batch, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && batch[i]->expires_ms <= clock_now_ms())
			return 0;
		if (git_lfs_server_download(server, store, batch[i], err) < 0)
			return -1;
	}
	return 0;
}

/* An .lfsconfig may name another server. Say so, for what we do then looks like a mistake. */
static void note_other_server(const struct git_brought *from, const struct exec *x)
{
	cleanup_free char *ours = git_lfs_server_url(str_from(from->url));
	cleanup_buf struct buf text = BUF_LIMIT(CONFIG_BYTES);
	git_tree *tree = NULL;

	if (git_tree_open(&tree, from->mirror.repo, &from->commit, "", NULL) < 0)
		return;
	if (git_tree_read(&text, tree, ".lfsconfig", NULL) < 0)
		buf_clear(&text);
	git_tree_free(tree);
	struct str other = git_lfs_config_url(buf_str(&text));
	if (other.len && !str_is(other, ours))
		runlog_say(x->log,
			   "The repository's .lfsconfig names an LFS server of its own, which is "
			   "not asked: files come from %s only",
			   ours);
}

static int fetch_missing(struct contents *c, const struct git_lfs_store *store,
			 const struct git_brought *from, struct exec *x, struct err *err)
{
	struct git_lfs_object *batch[GIT_LFS_BATCH_MAX];
	size_t n = gather(batch, ARRAY_LEN(batch), c);
	int rc = 0;

	if (n == 0)
		return 0;
	note_other_server(from, x);
	struct git_lfs_server *server = git_lfs_server_open(from, x);
	for (; rc == 0 && n > 0; n = gather(batch, ARRAY_LEN(batch), c))
		rc = fetch_batch(server, store, batch, n, err);
	git_lfs_server_close(server);
	return rc;
}

/* ---- the whole ---- */

static int write_files(int root_fd, const struct git_lfs_store *store, const struct git_left *left,
		       int64_t time_s, struct err *err)
{
	for (size_t i = 0; i < left->pointers_len; i++) {
		if (exec_may_go_on(store->x, err) < 0 ||
		    git_lfs_store_write(store, root_fd, &left->pointers[i], time_s, err) < 0)
			return -1;
	}
	return 0;
}

int git_lfs_write(int root_fd, const struct git_brought *from, const struct git_left *left,
		  int64_t time_s, struct exec *x, struct err *err)
{
	struct contents contents = { 0 };
	struct git_lfs_store store;

	if (left->pointers_len == 0)
		return 0;
	git_lfs_store_init(&store, from->mirror.path, x);
	int rc = collect(&contents, left, &x->spec.limits, err);
	if (rc == 0)
		rc = look(&contents, &store, left, err);
	if (rc == 0)
		rc = fetch_missing(&contents, &store, from, x, err);
	if (rc == 0)
		rc = write_files(root_fd, &store, left, time_s, err);
	contents_release(&contents);
	git_lfs_store_release(&store);
	return rc;
}
