/*
 * unpacking: archives made by a test (tests/lib/tar_maker.h) are unpacked into FOLDER/out, which is
 * looked at afterwards.
 */
#pragma once
#include "tests/unit/folder.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/scope.h"
#include "context/unpack.h"
#include "tests/lib/tar_maker.h"

static const struct unpack_opts generous = {
	.expanded_bytes = 64 << 20,
	.ratio = 200,
	.entries = 1000,
};

/* Unpack into FOLDER/out, which is made anew. */
static inline int unpack(void **state, struct str archive, const struct unpack_opts *opts,
			 struct err *why)
{
	cleanup_free char *out = folder_path(state, "out");
	cleanup_fd int fd = memfd_create("archive", MFD_CLOEXEC);
	struct err err;

	assert_works(fs_remove_tree(out, &err));
	assert_int_equal(mkdir(out, 0755), 0);
	assert_works(fs_write_all(fd, archive, &err));
	lseek(fd, 0, SEEK_SET);
	return unpack_archive(fd, out, opts, why);
}

static inline char *out_path(void **state, const char *name)
{
	cleanup_free char *relative = xasprintf("out/%s", name);
	return folder_path(state, relative);
}

static inline void assert_file(void **state, const char *name, const char *text)
{
	cleanup_free char *path = out_path(state, name);
	cleanup_buf struct buf got = BUF_INIT;
	struct err err;

	assert_works(fs_read(&got, path, &err));
	if (!str_is(buf_str(&got), text))
		fail_msg("%s holds '%s', want '%s'", name, got.ptr ? got.ptr : "", text);
}

static inline unsigned mode_of(void **state, const char *name)
{
	cleanup_free char *path = out_path(state, name);
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}
