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

	if (mkdir(path, 0755) < 0)
		return fs_fail(err, "make the folder", path);
	if (stat(like, &st) < 0 || chmod(path, st.st_mode & 07777) < 0)
		return fs_fail(err, "prepare", path);
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	return utimensat(AT_FDCWD, path, times, 0) < 0 ? fs_fail(err, "prepare", path) : 0;
}

/* The layers of the run: what it writes, and what the kernel needs for itself. */
static int make_layers(const char *layers, const char *files, struct err *err)
{
	cleanup_free char *upper = fs_join(layers, "upper"), *work = fs_join(layers, "work");

	if (mkdir(layers, 0700) < 0 || mkdir(work, 0700) < 0)
		return fs_fail(err, "make folders in", layers);
	return make_upper(upper, files, err);
}

/*
 * "volatile": nothing of this outlives the run, so its end need not wait until everything that the
 * host has written is on disk, which is what unmounting an overlay does otherwise.
 */
static int mount_at(const char *at, const char *files, const char *layers, struct err *err)
{
	cleanup_buf struct buf options = BUF_INIT;

	buf_adds(&options, "volatile,lowerdir=");
	add_path(&options, files);
	buf_adds(&options, ",upperdir=");
	add_path(&options, layers);
	buf_adds(&options, "/upper,workdir=");
	add_path(&options, layers);
	buf_adds(&options, "/work");
	if (mkdir(at, 0755) < 0)
		return fs_fail(err, "make the folder", at);
	if (mount("overlay", at, "overlay", MS_NOSUID | MS_NODEV, options.ptr) == 0)
		return 0;
	fs_fail(err, "mount an overlay at", at);
	rmdir(at);
	return -1;
}

bool checkout_mount_is_possible(const char *files, const struct exec *x)
{
	cleanup_free char *trial = fs_join(x->work, "overlay-trial");
	cleanup_free char *at = fs_join(trial, "at");
	struct err err = { 0 };

	int rc = make_layers(trial, files, &err);
	if (rc == 0)
		rc = mount_at(at, files, trial, &err);
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

	if (make_layers(layers, files, err) < 0)
		return -1;
	return mount_at(at, files, layers, err);
}
