#include "runner/exec/source.h"

#include <fcntl.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/checkout.h"
#include "runner/exec/runlog.h"

/* No context: an empty folder. The Dockerfile would have to come from it, so there is none. */
static int fetch_none(struct source *out, struct exec *x, const struct context *c, struct err *err)
{
	(void)out;
	(void)x;
	(void)c;
	return err_set(err, ERR_NOTFOUND, "dockerfile_missing",
		       "the run has no context, and so no Dockerfile");
}

static int refuse(struct source *out, struct exec *x, const struct context *c, struct err *err)
{
	(void)out;
	(void)x;
	return err_set(err, ERR_INVALID, "context_invalid",
		       "a context of the kind \"%s\" cannot be fetched by the service",
		       context_kind_name(c->kind));
}

static int (*const fetchers[])(struct source *, struct exec *, const struct context *,
			       struct err *) = {
	[CONTEXT_LOCAL] = refuse,
	[CONTEXT_GIT] = source_fetch_git,
	[CONTEXT_HTTP] = source_fetch_http,
	[CONTEXT_OCI] = refuse,
	[CONTEXT_UPLOAD] = source_fetch_upload,
	[CONTEXT_NONE] = fetch_none,
};

int source_fetch(struct source *out, struct exec *x, struct err *err)
{
	const char *text = x->spec.build.context;
	struct context c = { 0 };

	if (context_parse(&c, str_from(text ? text : "/dev/null"), err) < 0)
		return -1;
	*out = (struct source){ 0 };
	int rc = fetchers[c.kind](out, x, &c, err);
	context_release(&c);
	return rc;
}

struct policy source_policy(const struct exec *x)
{
	return (struct policy){
		.schemes = &x->spec.allow_schemes,
		.allowed = x->spec.allow_addresses,
		.allowed_len = x->spec.allow_addresses_len,
		.ports = x->spec.allow_ports,
		.ports_len = x->spec.allow_ports_len,
	};
}

int source_check_url(const struct exec *x, const char *url, struct err *err)
{
	const struct policy policy = source_policy(x);

	return policy_check_url(str_from(url), &policy, err);
}

int source_check_credentials(const struct context *c, struct err *err)
{
	if (!c->username && !secret_is_set(&c->password))
		return 0;
	return err_set(err, ERR_INVALID, "url_has_credentials",
		       "the context's URL holds credentials");
}

void source_release(struct source *s)
{
	free(s->dir);
	free(s->dockerfile);
	free(s->commit);
	free(s->branch);
	free(s->git_tag);
	checkout_close(s->checkout);
	*s = (struct source){ 0 };
}

char *source_keep_dockerfile(const struct exec *x, struct str content, struct err *err)
{
	cleanup_free char *path = fs_join(x->work, "Dockerfile");
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0) {
		fs_fail(err, "write", path);
		return NULL;
	}
	return fs_write_all(fd, content, err) < 0 ? NULL : xstrdup(path);
}
