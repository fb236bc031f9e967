#include "runner/exec/checkout_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"
#include "runner/exec/exec.h"

/* ',' ends an option and ':' a layer. */
static void add_path(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (strchr(",:\\", *path))
			buf_addc(out, '\\');
		buf_addc(out, *path);
	}
}

/* The root of the view is that of the upper layer; it looks like the one below. */
static int make_upper(const char *path, const char *like, struct err *err)
{
	struct stat st;

	if (fs_mkdirs(path, 0755, err) < 0)
		return -1;
	if (stat(like, &st) < 0 || chmod(path, st.st_mode & 07777) < 0)
		return fs_fail(err, "prepare", path);
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	return utimensat(AT_FDCWD, path, times, 0) < 0 ? fs_fail(err, "prepare", path) : 0;
}

/*
 * "volatile": nothing of this outlives the run, so its end need not wait until everything that the
 * host has written is on disk, which is what unmounting an overlay does otherwise.
 */
static int mount_at(const char *at, const char *files, const char *layers, struct err *err)
{
	cleanup_free char *upper = fs_join(layers, "upper"), *work = fs_join(layers, "work");
	cleanup_buf struct buf options = BUF_INIT;

	if (make_upper(upper, files, err) < 0 || fs_mkdirs(work, 0700, err) < 0 ||
	    fs_mkdirs(at, 0755, err) < 0)
		return -1;
	buf_adds(&options, "volatile,lowerdir=");
	add_path(&options, files);
	buf_adds(&options, ",upperdir=");
	add_path(&options, upper);
	buf_adds(&options, ",workdir=");
	add_path(&options, work);
	if (mount("overlay", at, "overlay", MS_NOSUID | MS_NODEV, options.ptr) < 0)
		return fs_fail(err, "mount an overlay at", at);
	return 0;
}

bool checkout_mount_is_possible(const char *files, const struct exec *x)
{
	cleanup_free char *trial = fs_join(x->work, "overlay-trial");
	cleanup_free char *at = fs_join(trial, "at");
	struct err err = { 0 };

	if (!x->own_mounts)
		return false;
	int rc = mount_at(at, files, trial, &err);
	if (rc == 0 && umount2(at, 0) < 0)
		rc = fs_fail(&err, "unmount", at);
	if (rc == 0)
		rc = fs_remove_tree(trial, &err);
	if (rc < 0)
		log_warn("checkout.no_overlay", "error=\"%s\"", err.msg);
	return rc == 0;
}

int checkout_mount(const char *at, const char *files, const struct exec *x, struct err *err)
{
	cleanup_free char *layers = fs_join(x->work, "overlay");

	return mount_at(at, files, layers, err);
}
