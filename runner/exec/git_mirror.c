#include "runner/exec/git_mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/commit.h>
#include <git2/errors.h>
#include <git2/refs.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"

enum {
	LOCK_POLL_MS = 10,
	HAVES_MAX = 512,    /* that a server is told of */
	SHALLOW_MAX = 4096, /* the same; a mirror that has more is untidy, and made again */
};

static int storage_error(struct err *err, const char *doing)
{
	const git_error *last = git_error_last();
	const char *text = last && last->message ? last->message : "unknown";

	return err_set(err, ERR_UNAVAILABLE,
		       strstr(text, "No space left") ? "disk_full" : "storage", "cannot %s: %.300s",
		       doing, text);
}

/* flock() has no time limit, and a run must not wait longer than it may live. */
static int wait_for(struct git_mirror *m, int how, const struct exec *x, struct err *err)
{
	int64_t until_ms = clock_monotonic_ms() + x->spec.limits.git_timeout_ms;

	while (flock(m->lock_fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set_errno(err, ERR_INTERNAL, "storage", errno,
					     "cannot lock the mirror %s", m->path);
		if (x->spec.limits.git_timeout_ms && clock_monotonic_ms() >= until_ms)
			return err_set(err, ERR_TIMEOUT, "git_timeout",
				       "other runs have been fetching this repository for %lld s",
				       (long long)(x->spec.limits.git_timeout_ms / 1000));
		if (exec_pause(x, LOCK_POLL_MS, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_named(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino;
}

/*
 * Opened and locked; again, when the mirror was tidied away with its lock before we had it: flock()
 * lets go of one kind of lock before it takes the other.
 */
static int lock(struct git_mirror *m, int how, const struct exec *x, struct err *err)
{
	cleanup_free char *path = xasprintf("%s.lock", m->path);

	for (;;) {
		if (m->lock_fd < 0)
			m->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (m->lock_fd < 0)
			return err_set_errno(err, ERR_INTERNAL, "storage", errno, "cannot open %s",
					     path);
		if (wait_for(m, how, x, err) < 0)
			return -1;
		if (is_named(m->lock_fd, path))
			return 0;
		close(m->lock_fd);
		m->lock_fd = -1;
	}
}

static int make(struct git_mirror *m, struct err *err)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;

	options.flags =
		GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_MKPATH;
	options.mode = 0700;
	if (git_repository_init_ext(&m->repo, m->path, &options) < 0)
		return storage_error(err, "make a mirror");
	return 0;
}

int git_mirror_reset(struct git_mirror *m, struct err *err)
{
	git_repository_free(m->repo);
	m->repo = NULL;
	git_oids_release(&m->haves);
	git_oids_release(&m->shallow);
	if (fs_remove_tree(m->path, err) < 0)
		return -1;
	return make(m, err);
}

int git_mirror_scratch(struct git_mirror *out, const struct exec *x, struct err *err)
{
	*out = (struct git_mirror){ .path = fs_join(x->work, "commits"), .lock_fd = -1 };
	if (git_mirror_reset(out, err) == 0)
		return 0;
	git_mirror_close(out);
	return -1;
}

int git_mirror_open(struct git_mirror *out, const struct exec *x, const char *key, struct err *err)
{
	cleanup_free char *dir = fs_join(x->spec.data_dir, "git");
	struct git_mirror m = { .path = fs_join(dir, key), .lock_fd = -1 };

	if (fs_mkdirs(dir, 0700, err) < 0 || lock(&m, LOCK_SH, x, err) < 0)
		goto fail;
	futimens(m.lock_fd, NULL);
	/* When it is new, or half made by a run that was killed: make it, alone. */
	if (git_repository_open_bare(&m.repo, m.path) < 0 &&
	    (lock(&m, LOCK_EX, x, err) < 0 ||
	     (git_repository_open_bare(&m.repo, m.path) < 0 && git_mirror_reset(&m, err) < 0)))
		goto fail;
	*out = m;
	return 0;
fail:
	git_mirror_close(&m);
	return -1;
}

void git_mirror_close(struct git_mirror *m)
{
	git_repository_free(m->repo);
	if (m->path && m->lock_fd >= 0)
		close(m->lock_fd);
	free(m->path);
	git_oids_release(&m->haves);
	git_oids_release(&m->shallow);
	*m = (struct git_mirror){ .lock_fd = -1 };
}

/* Packs are written under temporary names, which only a fetch that was killed leaves behind. */
static void remove_leftovers(const struct git_mirror *m)
{
	cleanup_free char *path = fs_join(m->path, "objects/pack");
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct str name = str_from(entry->d_name);
		bool wanted = str_ends(name, ".pack") || str_ends(name, ".idx");
		if (!wanted && entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

/* ---- what it has ---- */

bool git_mirror_has(const struct git_mirror *m, const git_oid *commit)
{
	git_commit *found = NULL;
	bool there = git_commit_lookup(&found, m->repo, commit) == 0;

	git_commit_free(found);
	return there;
}

struct have_walk {
	struct git_mirror *mirror;
	bool damaged;
};

static int take_have(git_reference *ref, void *data)
{
	struct have_walk *w = data;
	struct git_mirror *m = w->mirror;
	const git_oid *id = git_reference_target(ref);

	if (id && !git_mirror_has(m, id))
		w->damaged = true;
	else if (id && !git_oids_have(&m->haves, id))
		git_oids_add(&m->haves, id);
	git_reference_free(ref);
	return w->damaged || m->haves.len == HAVES_MAX;
}

/* What is remembered and cannot be read was lost (in a power cut): then all of it may be. */
static bool load_haves(struct git_mirror *m)
{
	struct have_walk w = { .mirror = m };

	git_oids_release(&m->haves);
	git_reference_foreach(m->repo, take_have, &w);
	return !w.damaged;
}

/* The file "shallow" as git has it (gitrepository-layout(5)): an id a line. */
static void load_shallow(struct git_mirror *m)
{
	cleanup_free char *path = fs_join(m->path, "shallow");
	cleanup_buf struct buf text = BUF_INIT;
	struct str rest, line;
	git_oid id;

	git_oids_release(&m->shallow);
	if (fs_read(&text, path, NULL) < 0)
		return; /* whole histories */
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (line.len == GIT_OID_HEXSZ && git_oid_fromstrn(&id, line.ptr, line.len) == 0)
			git_oids_add(&m->shallow, &id);
	}
}

int git_mirror_note_shallow(struct git_mirror *m, const struct git_oids *shallow,
			    const struct git_oids *unshallow, struct err *err)
{
	cleanup_free char *path = fs_join(m->path, "shallow");
	cleanup_buf struct buf text = BUF_INIT;
	char hex[GIT_OID_HEXSZ + 1];

	if (shallow->len == 0 && unshallow->len == 0)
		return 0;
	for (size_t i = 0; i < unshallow->len; i++)
		git_oids_remove(&m->shallow, &unshallow->items[i]);
	for (size_t i = 0; i < shallow->len; i++) {
		if (!git_oids_have(&m->shallow, &shallow->items[i]))
			git_oids_add(&m->shallow, &shallow->items[i]);
	}
	for (size_t i = 0; i < m->shallow.len; i++)
		buf_addf(&text, "%s\n", git_oid_tostr(hex, sizeof hex, &m->shallow.items[i]));
	return fs_write_atomic(path, buf_str(&text), 0600, err);
}

int git_mirror_begin_fetch(struct git_mirror *m, const struct exec *x, struct err *err)
{
	if (lock(m, LOCK_EX, x, err) < 0)
		return -1;
	remove_leftovers(m);
	/* Another run may have fetched, or thrown the mirror away, while the lock was open. */
	git_repository_free(m->repo);
	m->repo = NULL;
	if (git_repository_open_bare(&m->repo, m->path) < 0 || !load_haves(m))
		return git_mirror_reset(m, err);
	load_shallow(m);
	return m->shallow.len > SHALLOW_MAX ? git_mirror_reset(m, err) : 0;
}

int git_mirror_end_fetch(struct git_mirror *m, const struct exec *x, struct err *err)
{
	return lock(m, LOCK_SH, x, err);
}

void git_mirror_pause(struct git_mirror *m)
{
	flock(m->lock_fd, LOCK_UN);
}

int git_mirror_resume(struct git_mirror *m, const struct exec *x, struct err *err)
{
	return lock(m, LOCK_SH, x, err);
}

int git_mirror_keep(struct git_mirror *m, const char *name, const git_oid *commit, struct err *err)
{
	/* Hashed: a branch "a" may give way to a branch "a/b", which as files would collide. */
	unsigned char hash[SHA256_BYTES];
	sha256(hash, str_from(name));
	cleanup_free char *hex = hex_encode(hash, 16);
	cleanup_free char *ref = xasprintf("refs/slipway/%s", hex);
	git_reference *made = NULL;

	if (git_reference_create(&made, m->repo, ref, commit, 1, NULL) < 0)
		return storage_error(err, "note what was fetched");
	git_reference_free(made);
	if (!git_oids_have(&m->haves, commit))
		git_oids_add(&m->haves, commit);
	return 0;
}
