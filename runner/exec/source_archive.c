/*
 * From an archive to a context. Our own client has applied the ignore rules when it packed, others
 * may not have: they are applied here too, which changes nothing the second time.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/clean.h"
#include "context/ignore_file.h"
#include "context/pack.h"
#include "context/unpack.h"
#include "context/walk.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"

static int may_go_on(void *data, struct err *err)
{
	return exec_may_go_on(data, err);
}

static int unpack(struct exec *x, int archive, const char *dir, struct err *err)
{
	const struct unpack_opts opts = {
		.expanded_bytes = x->spec.limits.upload_expanded_bytes,
		.ratio = x->spec.limits.upload_ratio,
		.entries = x->spec.limits.upload_entries,
		.may_go_on = may_go_on,
		.data = x,
	};

	if (fs_mkdirs(dir, 0755, err) < 0)
		return -1;
	return unpack_archive(archive, dir, &opts, err);
}

/* ---- the Dockerfile ---- */

/* Inside the folder, whatever links there are in it. */
static int open_inside(const char *dir, const char *path)
{
	cleanup_fd int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* All of it, or -1 when it does not fit or cannot be read. */
static int read_fd(struct buf *out, int fd)
{
	char piece[16 * 1024];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0) {
		if (buf_add(out, piece, (size_t)n) < 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

/* az's way of adding one: "0123456789abcdef0123456789abcdef_Dockerfile". */
static bool is_added_by_az(const char *path)
{
	return strspn(path, "0123456789abcdef") == 32 && path[32] == '_' && !strchr(path, '/');
}

static int take_dockerfile(struct source *out, const struct exec *x, const char *path,
			   struct err *err)
{
	cleanup_buf struct buf content = BUF_LIMIT((size_t)x->spec.limits.dockerfile_bytes);
	cleanup_fd int fd = open_inside(out->dir, path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_NOTFOUND, "dockerfile_missing",
			       "there is no %.200s in the context", path);
	if (read_fd(&content, fd) < 0)
		return err_set(err, ERR_LIMIT, "dockerfile_limit",
			       "%.200s has more than %lld bytes", path,
			       (long long)x->spec.limits.dockerfile_bytes);
	/* The client put it into the archive, and COPY should not see it. */
	if (pack_is_dockerfile(path) || is_added_by_az(path)) {
		cleanup_free char *added = fs_join(out->dir, path);
		unlink(added);
	}
	out->dockerfile = source_keep_dockerfile(x, buf_str(&content), err);
	return out->dockerfile ? 0 : -1;
}

/* ---- ignore rules ---- */

struct sieve {
	const struct exec *x;
	const char *dir;
	struct strvec folders; /* that are ignored and may hold something that is not */
	int64_t removed;
};

static int remove_ignored(const struct walk_entry *entry, void *data, struct err *err)
{
	struct sieve *sieve = data;
	cleanup_free char *path = xasprintf("%s/" STR_FMT, sieve->dir, STR_ARG(entry->path));

	if (!entry->verdict.ignored)
		return exec_may_go_on(sieve->x, err);
	sieve->removed++;
	if (!S_ISDIR(entry->st.st_mode))
		return unlinkat(entry->parent_fd, entry->name, 0) < 0 ? fs_fail(err, "remove", path)
								      : 0;
	strvec_push(&sieve->folders, path);
	return 0;
}

/* Folders after what is in them; one that still holds something stays. */
static void remove_empty_folders(const struct sieve *sieve)
{
	for (size_t i = sieve->folders.len; i > 0; i--)
		rmdir(sieve->folders.items[i - 1]);
}

static int apply_ignore(struct exec *x, const char *dir, const char *dockerfile, struct err *err)
{
	const struct ignore_limits limits = {
		.bytes = (size_t)x->spec.limits.ignore_bytes,
		.rules = (size_t)x->spec.limits.ignore_rules,
	};
	cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sieve sieve = { .x = x, .dir = dir };
	struct ignore *rules = NULL;
	cleanup_free char *name = NULL;

	if (fd < 0)
		return fs_fail(err, "open", dir);
	if (ignore_load(&rules, &name, fd, dockerfile, &limits, err) < 0)
		return -1;
	const struct walk_opts opts = {
		.rules = rules,
		.all = true,
		.entry = remove_ignored,
		.data = &sieve,
	};
	int rc = rules ? walk_folder(fd, &opts, err) : 0;
	if (rc == 0)
		remove_empty_folders(&sieve);
	if (rc == 0 && sieve.removed)
		runlog_say(x->log, "%lld left out by %s", (long long)sieve.removed, name);
	strvec_release(&sieve.folders);
	ignore_destroy(rules);
	return rc;
}

int source_from_archive(struct source *out, struct exec *x, int archive, struct err *err)
{
	const char *wanted = x->spec.build.dockerfile ? x->spec.build.dockerfile : "Dockerfile";
	cleanup_free char *dockerfile = path_clean(str_from(wanted));

	out->dir = fs_join(x->work, "context");
	if (unpack(x, archive, out->dir, err) < 0 || take_dockerfile(out, x, dockerfile, err) < 0)
		return -1;
	/* Then the rules were applied by another ignore file than may be found here (pack.h). */
	if (pack_is_dockerfile(dockerfile))
		return 0;
	return apply_ignore(x, out->dir, dockerfile, err);
}
