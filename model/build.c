#include "model/build.h"

static void arg_release(struct build_arg *a)
{
	free(a->name);
	free(a->value);
	secret_release(&a->secret);
}

static void copy_arg(struct build_arg *to, const struct build_arg *from)
{
	to->name = xstrdup(from->name);
	to->value = xstrdup(from->value);
	to->is_secret = from->is_secret;
	secret_copy(&to->secret, &from->secret);
}

void build_copy(struct build *to, const struct build *from)
{
	struct build copy = {
		.context = xstrdup(from->context),
		.commit = xstrdup(from->commit),
		.ref = xstrdup(from->ref),
		.dockerfile = xstrdup(from->dockerfile),
		.push = from->push,
		.no_cache = from->no_cache,
		.target = xstrdup(from->target),
		.timeout_s = from->timeout_s,
	};
	secret_copy(&copy.context_token, &from->context_token);
	strvec_push_all(&copy.images, &from->images);
	platform_copy(&copy.platform, &from->platform);
	if (from->args_len)
		copy.args = xcalloc(from->args_len, sizeof *copy.args);
	for (copy.args_len = 0; copy.args_len < from->args_len; copy.args_len++)
		copy_arg(&copy.args[copy.args_len], &from->args[copy.args_len]);
	build_release(to);
	*to = copy;
}

void build_release(struct build *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->args_len; i++)
		arg_release(&b->args[i]);
	free(b->args);
	free(b->context);
	secret_release(&b->context_token);
	free(b->commit);
	free(b->ref);
	free(b->dockerfile);
	strvec_release(&b->images);
	free(b->target);
	platform_release(&b->platform);
	*b = (struct build){ 0 };
}
