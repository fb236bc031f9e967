#include <dirent.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/child.h"

enum {
	RECORD_BYTES = 4 * 1024 * 1024, /* buildah.json holds the image's configuration */
	ORPHAN_MS = 60 * 60 * 1000,     /* without a record for so long, nobody works on it */
	LIMIT_MS = 60 * 1000,
	CONTAINERS_MAX = 1000,
};

/* ---- finding ---- */

/*
 * Whose working container is it? buildah keeps what it was told of control groups in the
 * container's record, and nothing else that is ours. A container without a record belongs to a
 * buildah that died between making the one and the other.
 */
static bool is_left_by(const char *container, const char *cgroup)
{
	cleanup_free char *path = fs_join(container, "userdata/buildah.json");
	cleanup_free char *wanted = xasprintf("\"CgroupParent\":\"%s\"", cgroup);
	cleanup_buf struct buf text = BUF_LIMIT(RECORD_BYTES);
	struct stat st;

	if (fs_read(&text, path, NULL) == 0)
		return memmem(text.ptr, text.len, wanted, strlen(wanted)) != NULL;
	return !fs_exists(path) && stat(container, &st) == 0 &&
	       clock_now_ms() - (int64_t)st.st_mtim.tv_sec * 1000 > ORPHAN_MS;
}

static bool is_id(const char *name)
{
	return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* Ids of the working containers below storage/<driver>-containers that this run left. */
static void find_containers(struct strvec *out, const char *root, const char *driver,
			    const char *cgroup)
{
	cleanup_free char *folder = xasprintf("%s/%s-containers", root, driver);
	cleanup_dir DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && out->len < CONTAINERS_MAX && (entry = readdir(dir))) {
		cleanup_free char *path = fs_join(folder, entry->d_name);
		if (is_id(entry->d_name) && is_left_by(path, cgroup))
			strvec_push(out, entry->d_name);
	}
}

/* ---- removing ---- */

static int run_rm(const struct buildah *b, const struct strvec *argv, struct err *err)
{
	cleanup_buf struct buf tail = BUF_LIMIT(4096);
	struct child_result result;
	struct child_opts opts = {
		.argv = argv->items, .envp = b->env.items, .tail = &tail, .limit_ms = LIMIT_MS
	};

	if (child_run(&result, NULL, &opts, err) < 0)
		return -1;
	/* Another sweep may have been faster: what counts is that they are gone. */
	if (result.exit_code == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "engine_failed",
		       "cannot remove working containers: %.200s", tail.ptr ? tail.ptr : "");
}

static int remove_containers(const struct spec *s, const char *root, const char *driver,
			     const struct strvec *ids, struct err *err)
{
	cleanup_free char *dir = xasprintf("%s/engine/sweep-%s", s->data_dir, s->run_id);
	cleanup_strvec struct strvec argv = { 0 };
	struct buildah_opts opts = { .spec = s, .dir = dir, .root = root, .driver = driver };
	struct buildah b;

	if (buildah_prepare(&b, &opts, err) < 0)
		return -1;
	buildah_argv(&b, &argv, "rm");
	strvec_push_all(&argv, ids);
	int rc = run_rm(&b, &argv, err);
	buildah_release(&b);
	return rc;
}

int buildah_sweep(const struct spec *s, struct err *err)
{
	static const char *const drivers[] = { "overlay", "vfs" };
	cleanup_free char *root = buildah_shared(s, "storage");
	cleanup_free char *name = cgroup_name(s);
	cleanup_free char *cgroup = buildah_cgroup(name);
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		cleanup_strvec struct strvec left = { 0 };
		find_containers(&left, root, drivers[i], cgroup);
		if (left.len && remove_containers(s, root, drivers[i], &left, err) < 0)
			rc = -1;
	}
	buildah_cgroups_remove(name);
	return rc;
}
