#include "server/specify.h"

#include "common/clock.h"
#include "config/config.h"
#include "context/context.h"
#include "context/url_scope.h"
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

/* NULL for an empty list. */
static void *copy_list(const void *items, size_t len, size_t size)
{
	return len ? xmemdup(items, len * size) : NULL;
}

static void take_git(struct spec *out, const struct config_git *from)
{
	out->allow_addresses =
		copy_list(from->allow_private_addresses, from->allow_private_addresses_len,
			  sizeof *out->allow_addresses);
	out->allow_addresses_len = from->allow_private_addresses_len;
	out->allow_ports =
		copy_list(from->allow_ports, from->allow_ports_len, sizeof *out->allow_ports);
	out->allow_ports_len = from->allow_ports_len;
	strvec_push_all(&out->allow_schemes, &from->allow_schemes);
	strvec_push_all(&out->submodule_hosts, &from->submodule_hosts);
	strvec_push_all(&out->git_credential_command, &from->credential_command);
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

/* ---- what a run may show to git servers: no more than it can use ---- */

/* "NAME:PASSWORD" is what a server with accounts of its own wants; a token has no colon. */
static void add_credential(struct spec *out, const char *url, const char *username,
			   const struct secret *token)
{
	struct spec_git_credential *to = &out->git_credentials[out->git_credentials_len++];
	struct str text = str_from(secret_reveal(token));
	size_t colon = username ? text.len : str_find(text, ':', 0);

	to->url = xstrdup(url);
	if (colon == text.len) {
		to->username = xstrdup(username);
		secret_copy(&to->token, token);
		return;
	}
	to->username = colon ? str_dup(str_slice(text, 0, colon)) : NULL;
	secret_set(&to->token, str_after(text, colon + 1));
}

static void add_credentials(struct spec *out, const char *repository, const struct config_git *git)
{
	out->git_credentials = xcalloc(git->credentials_len + 1, sizeof *out->git_credentials);
	/* The first of equally narrow ones counts: the build's own. */
	if (secret_is_set(&out->build.context_token))
		add_credential(out, repository, NULL, &out->build.context_token);
	for (size_t i = 0; i < git->credentials_len; i++) {
		const struct config_git_credential *c = &git->credentials[i];
		if (c->submodules || url_scope_depth(str_from(c->url), str_from(repository)) >= 0)
			add_credential(out, c->url, c->username, &c->token);
	}
}

/* An archive has a credential when the build brought one: the configured ones are for git. */
static void take_git_credentials(struct spec *out, const struct config_git *git)
{
	static const struct config_git nothing;
	struct context c = { 0 };

	if (out->build.context)
		context_parse(&c, str_from(out->build.context), NULL);
	if (c.kind == CONTEXT_GIT)
		add_credentials(out, c.repository, git);
	else
		strvec_release(&out->git_credential_command);
	if (c.kind == CONTEXT_HTTP)
		add_credentials(out, c.repository, &nothing);
	context_release(&c);
	/* Told once, with its URL. */
	secret_release(&out->build.context_token);
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
	take_git_credentials(&spec, &app->config->git);
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
