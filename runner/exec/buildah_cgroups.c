/*
 * The OCI runtime puts a container into every hierarchy of control groups, also into those where
 * cgroup.c makes none for the run, and there it leaves the parents behind. So we make them before,
 * and remove them after.
 */
#include <errno.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"

enum { MOUNTINFO_BYTES = 1024 * 1024, TRIES = 10 };

/* Call `visit` with the folder of each hierarchy. */
static void each_hierarchy(void (*visit)(const char *mount, const char *name), const char *name)
{
	cleanup_buf struct buf text = BUF_LIMIT(MOUNTINFO_BYTES);
	struct str rest, line, field;

	if (fs_read(&text, "/proc/self/mountinfo", NULL) < 0)
		return;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (!memmem(line.ptr, line.len, " - cgroup ", 10) &&
		    !memmem(line.ptr, line.len, " - cgroup2 ", 11))
			continue;
		for (int i = 0; i < 5; i++)
			str_split(&line, ' ', &field);
		cleanup_free char *mount = str_dup(field);
		visit(mount, name);
	}
}

/* The parent may be removed in this moment, with the last of another run's groups. */
static void make(const char *mount, const char *name)
{
	cleanup_free char *parent = fs_join(mount, "slipway");
	cleanup_free char *dir = fs_join(parent, name);

	for (int i = 0; i < TRIES; i++) {
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return;
		if (mkdir(dir, 0755) == 0 || errno != ENOENT)
			return;
	}
}

/* What still has processes or groups of others stays: rmdir() knows. */
static void remove_empty(const char *mount, const char *name)
{
	cleanup_free char *parent = fs_join(mount, "slipway");
	cleanup_free char *dir = fs_join(parent, name);
	cleanup_free char *build = fs_join(dir, "build");

	rmdir(build);
	rmdir(dir);
	rmdir(parent);
}

void buildah_cgroups_make(const char *name)
{
	each_hierarchy(make, name);
}

void buildah_cgroups_remove(const char *name)
{
	each_hierarchy(remove_empty, name);
}
