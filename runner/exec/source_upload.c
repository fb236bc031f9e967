/* An uploaded archive: data_dir/sources/<id>.tar.gz, called "source/<id>.tar.gz" by its context. */
#include <fcntl.h>

#include "common/scope.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"

static const char prefix[] = "source/";

/* Names of uploads are made by the server: one file, no folder. */
static int open_upload(int *out, const struct exec *x, const char *path, struct err *err)
{
	const char *name = path + strlen(prefix);

	if (!str_starts(str_from(path), prefix) || !*name || *name == '.' || strchr(name, '/'))
		return err_set(err, ERR_INVALID, "context_invalid",
			       "%.200s is not the name of an upload", path);
	cleanup_free char *file = xasprintf("%s/sources/%s", x->spec.data_dir, name);
	*out = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*out < 0)
		return err_set(err, ERR_NOTFOUND, "context_missing",
			       "the uploaded context %.200s is not there", path);
	return 0;
}

int source_fetch_upload(struct source *out, struct exec *x, const struct context *c,
			struct err *err)
{
	cleanup_fd int archive = -1;

	if (open_upload(&archive, x, c->repository, err) < 0)
		return -1;
	runlog_say(x->log, "Unpacking the uploaded context");
	return source_from_archive(out, x, archive, err);
}
