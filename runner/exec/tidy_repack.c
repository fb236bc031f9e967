#include "runner/exec/tidy_repack.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/pack.h>
#include <git2/sys/repository.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/tidy_lock.h"
#include "runner/exec/tidy_packs.h"
#include "runner/exec/tidy_refs.h"
#include "runner/exec/tidy_walk.h"

enum {
	REF_KEPT_DAYS = 30,
	DAY_MS = 86400000,
	LOCK_PATIENCE_MS = 30000, /* for a mirror that was idle when we began */
	LOCK_POLL_MS = 50,
};

/* What bounds the memory of libgit2's packing: some objects to compare with, none of them large. */
static const char packing[] = "[pack]\n"
			      "\tdeltaCacheSize = 16m\n"
			      "\twindowMemory = 48m\n"
			      "[core]\n"
			      "\tbigFileThreshold = 16m\n";

struct repack {
	char *mirror, *lock;
	char *fresh; /* folder of the new pack */
	char *name;  /* "pack-…" of the new pack, or NULL when there was nothing to put in it */
	struct tidy_packs packs;
	struct tidy_oids tips;
};

static int storage_error(struct err *err, const char *doing)
{
	const git_error *last = git_error_last();
	const char *text = last && last->message ? last->message : "unknown";

	return err_set(err, ERR_UNAVAILABLE,
		       strstr(text, "No space left") ? "disk_full" : "storage", "cannot %s: %.300s",
		       doing, text);
}

static int open_mirror(git_repository **out, const struct repack *r, struct err *err)
{
	return git_repository_open_bare(out, r->mirror) < 0 ? git_object_error(err, "the mirror")
							    : 0;
}

/* ---- 1. what there is (locked) ---- */

static int take_stock(struct repack *r, git_repository *repo, struct err *err)
{
	int64_t before_ms = clock_now_ms() - (int64_t)REF_KEPT_DAYS * DAY_MS;

	if (tidy_refs_drop_old(repo, before_ms, err) < 0)
		return -1;
	tidy_packs_keep_largest(&r->packs);
	return tidy_walk_tips(&r->tips, repo, err);
}

static int look(struct repack *r, struct err *err)
{
	cleanup_fd int lock = tidy_lock(r->lock);
	git_repository *repo;

	if (lock < 0)
		return TIDY_REPACK_BUSY;
	if (tidy_packs_read(&r->packs, r->mirror, err) < 0 ||
	    tidy_packs_remove_halves(&r->packs, err) < 0)
		return -1;
	if (!tidy_packs_are_many(&r->packs))
		return TIDY_AS_IT_IS;
	if (open_mirror(&repo, r, err) < 0)
		return -1;
	int rc = take_stock(r, repo, err);
	git_repository_free(repo);
	return rc < 0 ? -1 : TIDY_REPACKED;
}

/* ---- 2. the new pack (not locked) ---- */

struct packing {
	git_packbuilder *builder;
	git_odb *staying;
};

static int pack_object(const git_oid *id, const char *name, void *data, struct err *err)
{
	struct packing *p = data;

	if (git_odb_exists_ext(p->staying, id, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	if (git_packbuilder_insert(p->builder, id, name) < 0)
		return git_object_error(err, "an object");
	return 0;
}

static int write_pack(struct repack *r, git_packbuilder *builder, struct err *err)
{
	if (git_packbuilder_object_count(builder) == 0)
		return 0;
	if (git_packbuilder_write(builder, r->fresh, 0400, NULL, NULL) < 0)
		return storage_error(err, "write a pack");
	r->name = xasprintf("pack-%s", git_packbuilder_name(builder));
	return 0;
}

static int pack_from(struct repack *r, git_repository *repo, struct err *err)
{
	struct packing p = { 0 };
	int rc = -1;

	if (tidy_packs_staying(&p.staying, &r->packs, err) < 0)
		return -1;
	if (git_packbuilder_new(&p.builder, repo) < 0)
		git_object_error(err, "the mirror");
	else if (tidy_walk(repo, &r->tips, pack_object, &p, err) == 0)
		rc = write_pack(r, p.builder, err);
	git_packbuilder_free(p.builder);
	git_odb_free(p.staying);
	return rc;
}

/* libgit2 takes its bounds from the repository's configuration: from one of ours. */
static int bound_packing(git_repository *repo, const struct repack *r, struct err *err)
{
	cleanup_free char *path = fs_join(r->fresh, "config");
	git_config *config = NULL;
	int rc = -1;

	if (fs_write_atomic(path, str_from(packing), 0600, err) < 0)
		return -1;
	if (git_config_new(&config) < 0 ||
	    git_config_add_file_ondisk(config, path, GIT_CONFIG_LEVEL_LOCAL, NULL, 0) < 0 ||
	    git_repository_set_config(repo, config) < 0)
		storage_error(err, "configure the packing");
	else
		rc = 0;
	git_config_free(config);
	return rc;
}

static int make_pack(struct repack *r, struct err *err)
{
	git_repository *repo;

	if (fs_mkdirs(r->fresh, 0700, err) < 0 || open_mirror(&repo, r, err) < 0)
		return -1;
	int rc = bound_packing(repo, r, err);
	if (rc == 0)
		rc = pack_from(r, repo, err);
	git_repository_free(repo);
	return rc;
}

/* ---- 3. in place of the old ones (locked) ---- */

struct proof {
	git_odb *rest;
};

static int prove_object(const git_oid *id, const char *name, void *data, struct err *err)
{
	const struct proof *p = data;
	char hex[GIT_OID_HEXSZ + 1];
	(void)name;

	if (git_odb_exists_ext(p->rest, id, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	return err_set(err, ERR_INTERNAL, "git_bad_object",
		       "the new pack would lose %s: the mirror is left as it is",
		       git_oid_tostr(hex, sizeof hex, id));
}

/*
 * All that the refs reach now is there without what is to leave: also what a fetch brought while
 * the new pack was being written. The indexer has read every object of that pack and found its id
 * to be right.
 */
static int prove(git_repository *repo, git_odb *rest, struct err *err)
{
	struct proof p = { rest };
	struct tidy_oids tips = { 0 };
	int rc = tidy_walk_tips(&tips, repo, err);

	if (rc == 0)
		rc = tidy_walk(repo, &tips, prove_object, &p, err);
	tidy_oids_release(&tips);
	return rc;
}

static int sync_folder(const char *path, struct err *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? fs_fail(err, "sync", path) : 0;
}

static int move_file(const struct repack *r, const char *suffix, struct err *err)
{
	cleanup_free char *from = xasprintf("%s/%s.%s", r->fresh, r->name, suffix);
	cleanup_free char *folder = fs_join(r->packs.objects, "pack");
	cleanup_free char *to = xasprintf("%s/%s.%s", folder, r->name, suffix);

	if (rename(from, to) < 0)
		return fs_fail(err, "move into place", from);
	return sync_folder(folder, err);
}

/* A pack counts from the moment that its index is there. */
static int move_pack(const struct repack *r, struct err *err)
{
	if (!r->name)
		return 0;
	return move_file(r, "pack", err) < 0 ? -1 : move_file(r, "idx", err);
}

static int change_places(struct repack *r, git_repository *repo, git_odb *rest, struct err *err)
{
	if (prove(repo, rest, err) < 0 || tidy_shallow_note(repo, rest, err) < 0 ||
	    move_pack(r, err) < 0 || tidy_packs_remove(&r->packs, err) < 0)
		return -1;
	return tidy_shallow_strike(repo, rest, err);
}

static int install_locked(struct repack *r, struct err *err)
{
	cleanup_free char *index = r->name ? xasprintf("%s/%s.idx", r->fresh, r->name) : NULL;
	git_repository *repo;
	git_odb *rest;

	if (!tidy_packs_are_there(&r->packs))
		return TIDY_REPACK_BUSY; /* made anew, by a run that found it damaged */
	if (r->name)
		tidy_packs_keep(&r->packs, r->name);
	if (open_mirror(&repo, r, err) < 0)
		return -1;
	int rc = tidy_packs_rest(&rest, &r->packs, index, err);
	if (rc == 0) {
		rc = change_places(r, repo, rest, err);
		git_odb_free(rest);
	}
	git_repository_free(repo);
	return rc < 0 ? -1 : TIDY_REPACKED;
}

static int install(struct repack *r, struct err *err)
{
	int64_t until_ms = clock_monotonic_ms() + LOCK_PATIENCE_MS;
	cleanup_fd int lock = -1;

	while ((lock = tidy_lock(r->lock)) < 0) {
		if (clock_monotonic_ms() >= until_ms)
			return TIDY_REPACK_BUSY;
		usleep(LOCK_POLL_MS * 1000);
	}
	return install_locked(r, err);
}

/* ---- the whole ---- */

int tidy_repack(const char *dir, const char *key, struct err *err)
{
	struct repack r = {
		.mirror = fs_join(dir, key),
		.lock = xasprintf("%s/%s.lock", dir, key),
		.fresh = xasprintf("%s/%s.fresh-%d", dir, key, (int)getpid()),
	};

	int rc = look(&r, err);
	if (rc == TIDY_REPACKED) {
		rc = make_pack(&r, err) < 0 ? -1 : install(&r, err);
		fs_remove_tree(r.fresh, NULL);
	}
	tidy_packs_release(&r.packs);
	tidy_oids_release(&r.tips);
	free(r.mirror);
	free(r.lock);
	free(r.fresh);
	free(r.name);
	return rc;
}
