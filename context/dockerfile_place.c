#include "context/dockerfile_place.h"

#include <errno.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/clean.h"
#include "context/url.h"

/* The path without links in its folder; the last part is kept as it is. NULL: no such folder. */
static char *resolve_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	cleanup_free char *real = realpath(slash == path ? "/" : folder, NULL);

	return real ? fs_join(real, slash ? slash + 1 : path) : NULL;
}

/* What is left of `path` behind `folder`; NULL when it is not below it. Both are without links. */
static const char *below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return path + 1;
	return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

int dockerfile_place_find(struct dockerfile_place *out, const char *folder, const char *given,
			  struct err *err)
{
	cleanup_free char *root = realpath(folder, NULL);

	if (!root)
		return err_set_errno(
			err, ERR_INVALID, "context_missing", errno,
			"'%.200s' is no folder that can be read, and no git or https context",
			url_shown(str_from(folder)).ptr);
	bool in_folder = !given || (given[0] != '/' && !fs_exists(given));
	cleanup_free char *joined =
		in_folder ? fs_join(root, given ? given : "Dockerfile") : xstrdup(given);
	cleanup_free char *real = resolve_folder(joined);
	/* A folder that is not there either: by its name alone. */
	cleanup_free char *clean = path_clean(str_from(real ? real : joined));
	const char *inside = below(clean, root);

	*out = (struct dockerfile_place){ .inside = xstrdup(inside), .path = xstrdup(clean) };
	return 0;
}

void dockerfile_place_release(struct dockerfile_place *d)
{
	free(d->inside);
	free(d->path);
	*d = (struct dockerfile_place){ 0 };
}
