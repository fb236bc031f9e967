#include "server/specify.h"

#include "common/clock.h"
#include "config/config.h"
#include "model/address.h"
#include "model/run.h"
#include "server/app.h"

static void take_registries(struct spec *out, const struct config *config)
{
	out->registries = xcalloc(config->registries_len, sizeof *out->registries);
	for (size_t i = 0; i < config->registries_len; i++) {
		const struct config_registry *from = &config->registries[i];
		struct spec_registry *to;

		if (!from->login_server)
			continue; /* the implicit one: a name for runs that push nowhere */
		to = &out->registries[out->registries_len++];
		to->name = xstrdup(from->name);
		to->login_server = xstrdup(from->login_server);
		to->insecure = from->insecure;
		to->username = xstrdup(from->username);
		secret_copy(&to->password, &from->password);
	}
}

static void take_engine(struct spec_engine *to, const struct config_engine *from)
{
	*to = (struct spec_engine){
		.kind = xstrdup(from->kind),
		.path = xstrdup(from->path),
		.isolation = xstrdup(from->isolation),
		.runtime = xstrdup(from->runtime),
		.network = xstrdup(from->network),
		.pull = xstrdup(from->pull),
	};
}

static void take_limits(struct spec_limits *to, const struct config *config)
{
	const struct config_limits *from = &config->limits;

	*to = (struct spec_limits){
		.upload_expanded_bytes = from->upload_expanded_bytes,
		.upload_ratio = from->upload_ratio,
		.upload_entries = from->upload_entries,
		.ignore_bytes = from->ignore_bytes,
		.ignore_rules = from->ignore_rules,
		.dockerfile_bytes = from->dockerfile_bytes,
		.git_bytes = from->git_bytes,
		.git_objects = from->git_objects,
		.git_object_bytes = from->git_object_bytes,
		.git_entries = from->git_entries,
		.git_depth = from->git_depth,
		.git_stall_ms = from->git_stall_s * 1000,
		.git_timeout_ms = from->git_timeout_s * 1000,
		.log_bytes = from->log_bytes,
		.log_line_bytes = from->log_line_bytes,
		.memory_bytes = config->run.memory_bytes,
		.pids = config->run.pids,
		.cpus = config->run.cpus,
	};
}

static void take_git(struct spec *out, const struct config_git *from)
{
	size_t bytes = from->allow_private_addresses_len * sizeof(struct cidr);

	if (bytes)
		out->allow_addresses = xmemdup(from->allow_private_addresses, bytes);
	out->allow_addresses_len = from->allow_private_addresses_len;
	strvec_push_all(&out->allow_schemes, &from->allow_schemes);
}

/* What every specification says, from the configuration alone. */
static void take_config(struct spec *out, const struct app *app)
{
	const struct config *config = app->config;

	out->data_dir = xstrdup(app->data_dir);
	out->grace_ms = config->run.grace_s * 1000;
	take_registries(out, config);
	take_engine(&out->engine, &config->engine);
	take_limits(&out->limits, config);
	take_git(out, &config->git);
}

/*
 * Does `url` lie below `prefix`? Scheme and host are compared without case, the path as it is, and
 * only whole parts count: a token for https://host/acme is none for https://host/acme-evil.
 */
static bool url_is_below(struct str url, struct str prefix)
{
	while (prefix.len && prefix.ptr[prefix.len - 1] == '/')
		prefix.len--;
	size_t scheme = str_find(prefix, ':', 0);
	size_t host_end = str_find(prefix, '/', scheme + 3);
	if (url.len < prefix.len ||
	    !str_ieq(str_slice(url, 0, host_end), str_slice(prefix, 0, host_end)) ||
	    !str_eq(str_slice(url, host_end, prefix.len), str_after(prefix, host_end)))
		return false;
	return url.len == prefix.len || url.ptr[prefix.len] == '/';
}

/* A build's own token wins; else the configured one with the longest prefix of the context's URL.
 */
static void take_git_token(struct build *build, const struct config_git *git)
{
	struct str url = str_from(build->context);
	const struct config_git_credential *best = NULL;

	if (secret_is_set(&build->context_token))
		return;
	url.len = str_find(url, '#', 0);
	for (size_t i = 0; i < git->credentials_len; i++) {
		const struct config_git_credential *c = &git->credentials[i];
		if (url_is_below(url, str_from(c->url)) &&
		    (!best || strlen(c->url) > strlen(best->url)))
			best = c;
	}
	if (best)
		secret_copy(&build->context_token, &best->token);
}

/* "NAME:PASSWORD" is what a server with accounts of its own wants; a token has no colon. */
static void split_git_token(struct spec *spec)
{
	struct secret *token = &spec->build.context_token;
	struct str text = str_from(secret_reveal(token));
	size_t colon = str_find(text, ':', 0);
	struct secret password = { 0 };

	if (colon == text.len)
		return;
	spec->git_username = str_dup(str_slice(text, 0, colon));
	secret_set(&password, str_after(text, colon + 1));
	secret_release(token);
	*token = password;
}

int specify_run(struct spec *out, const struct run *run, void *data, struct err *err)
{
	const struct app *app = data;
	int64_t timeout_s =
		run->build.timeout_s ? run->build.timeout_s : app->config->run.timeout_s;
	int64_t began_ms = run->start_ms ? run->start_ms : clock_now_ms();
	struct spec spec = { .attempt = run->attempt };

	(void)err;
	take_config(&spec, app);
	spec.run_id = xstrdup(run->id);
	spec.task = xstrdup(run->task);
	spec.timeout_ms = timeout_s * 1000;
	spec.deadline_ms = began_ms + spec.timeout_ms;
	spec.registry_name = xstrdup(run->registry);
	build_copy(&spec.build, &run->build);
	take_git_token(&spec.build, &app->config->git);
	split_git_token(&spec);
	*out = spec;
	return 0;
}

int specify_probe(struct spec *out, struct app *app, struct err *err)
{
	struct spec spec = { 0 };

	(void)err;
	take_config(&spec, app);
	/* A runner reads one kind of document only: this one names no run of anybody's. */
	spec.run_id = xstrdup("zz0");
	spec.attempt = 1;
	spec.timeout_ms = 60000;
	spec.deadline_ms = clock_now_ms() + spec.timeout_ms;
	spec.registry_name = xstrdup(config_default_registry(app->config)->name);
	spec.build.dockerfile = xstrdup("Dockerfile");
	*out = spec;
	return 0;
}
