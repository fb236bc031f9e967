/*
 * Archives: whatever the bytes are, nothing but the folder is written to, and what is written has
 * one of the modes that are given.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/unpack.h"
#include "context/walk.h"

static char *base; /* holds "out" and nothing else */

static void must(bool good)
{
	if (!good)
		abort();
}

static void remove_base(void)
{
	fs_remove_tree(base, NULL);
	free(base);
}

static void make_base(void)
{
	const char *parent = getenv("TMPDIR");

	base = xasprintf("%s/slipway-fuzz.XXXXXX", parent && *parent ? parent : "/tmp");
	must(mkdtemp(base) != NULL);
	atexit(remove_base);
}

static int look(const struct walk_entry *e, void *data, struct err *err)
{
	mode_t mode = e->st.st_mode;

	(void)data;
	(void)err;
	must(str_is(e->path, "out") || str_starts(e->path, "out/"));
	must(S_ISLNK(mode) || (S_ISDIR(mode) && (mode & 07777) == 0755) ||
	     (S_ISREG(mode) && ((mode & 07777) == 0755 || (mode & 07777) == 0644)));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct unpack_opts opts = { .expanded_bytes = 1 << 20, .ratio = 200, .entries = 50 };
	struct err err = { 0 };

	if (!base)
		make_base();
	cleanup_free char *out = fs_join(base, "out");
	cleanup_fd int archive = memfd_create("archive", MFD_CLOEXEC);
	must(mkdir(out, 0755) == 0);
	must(fs_write_all(archive, (struct str){ (const char *)data, size }, &err) == 0);
	lseek(archive, 0, SEEK_SET);
	if (unpack_archive(archive, out, &opts, &err) < 0)
		must(err.code != ERR_NONE && *err.word && !str_has_control(str_from(err.msg)));
	cleanup_fd int folder = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(walk_folder(folder, &(struct walk_opts){ .entry = look }, &err) == 0 ||
	     err_is(&err, "context_too_deep"));
	must(fs_remove_tree(out, &err) == 0);
	return 0;
}
