#include "server/data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"

static const char *const folders[] = { "runs", "git", "sources", "engine" };

static int make_folders(const char *path, struct err *err)
{
	bool is_new = !fs_exists(path);

	if (fs_mkdirs(path, 0750, err) < 0)
		return -1;
	/* The service's umask leaves nothing to the group: here it may enter. */
	if (is_new && chmod(path, 0750) < 0)
		return err_set_errno(err, ERR_INTERNAL, "storage", errno, "cannot make %.200s",
				     path);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		cleanup_free char *folder = fs_join(path, folders[i]);
		if (fs_mkdirs(folder, 0700, err) < 0)
			return -1;
	}
	return 0;
}

static int take_lock(int *out, const char *path, struct err *err)
{
	cleanup_free char *lock = fs_join(path, "lock");
	cleanup_free char *holder = NULL;
	char pid[24];

	if (fs_lock(out, lock, &holder, err) < 0) {
		if (err_is(err, "locked"))
			err_set(err, ERR_CONFLICT, "config_locked",
				"%.200s is in use by another slipway-server, pid %.20s", path,
				holder && *holder ? holder : "unknown");
		return -1;
	}
	int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(*out, 0) < 0 || pwrite(*out, pid, (size_t)len, 0) != len) {
		close(*out);
		return err_set_errno(err, ERR_INTERNAL, "storage", errno, "cannot write %.200s",
				     lock);
	}
	return 0;
}

/* Uploads that an earlier server had not finished: nobody else writes here now. */
static void remove_partial_uploads(const char *path)
{
	cleanup_free char *folder = fs_join(path, "sources");
	cleanup_dir DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (str_ends(str_from(entry->d_name), ".part"))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

int data_dir_open(int *lock_fd, const char *path, struct err *err)
{
	if (make_folders(path, err) < 0 || take_lock(lock_fd, path, err) < 0)
		return -1;
	remove_partial_uploads(path);
	return 0;
}
