#include "server/settings.h"

#include "common/mem.h"
#include "config/config.h"
#include "server/app.h"
#include "server/options.h"
#include "webhooks/provider.h"

struct settings {
	struct config *config;
	struct webhook *webhooks;
	size_t webhooks_len;
};

static void release(struct settings *s)
{
	if (s->config)
		config_release(s->config);
	free(s->config);
	free(s->webhooks); /* names and secrets are the configuration's */
}

static int make_webhooks(struct settings *s, struct err *err)
{
	s->webhooks = xcalloc(s->config->webhooks_len, sizeof *s->webhooks);
	for (size_t i = 0; i < s->config->webhooks_len; i++) {
		const struct config_webhook *from = &s->config->webhooks[i];
		struct webhook *to = &s->webhooks[s->webhooks_len++];

		*to = (struct webhook){
			.name = from->name,
			.provider = provider_find(from->provider),
			.secrets = from->secrets,
			.secrets_len = from->secrets_len,
			.username = from->username,
			.passwords = from->passwords,
			.passwords_len = from->passwords_len,
			.header = from->header,
		};
		if (!to->provider)
			return err_set(err, ERR_INVALID, "config_invalid",
				       "webhooks[%zu].provider: '%.60s' is not known here", i,
				       from->provider);
	}
	return 0;
}

static int read_all(struct settings *s, const struct options *o, struct err *err)
{
	s->config = xnew(struct config);
	if (config_load(s->config, o->config_path, err) < 0) {
		free(s->config);
		s->config = NULL;
		return -1;
	}
	if (config_override(s->config, o->data_dir, o->listen, err) < 0)
		return -1;
	return make_webhooks(s, err);
}

static void put_in_force(struct app *app, const struct settings *s)
{
	app->config = s->config;
	app->webhooks = s->webhooks;
	app->webhooks_len = s->webhooks_len;
}

int settings_load(struct app *app, const struct options *options, struct err *err)
{
	struct settings s = { 0 };

	if (read_all(&s, options, err) < 0) {
		release(&s);
		return -1;
	}
	put_in_force(app, &s);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_registries(const struct config *a, const struct config *b)
{
	bool same = a->registries_len == b->registries_len;

	for (size_t i = 0; same && i < a->registries_len; i++)
		same = same_text(a->registries[i].name, b->registries[i].name);
	return same;
}

/* The key that wants a restart, or NULL. */
static const char *fixed_key_changed(const struct config *now, const struct config *then)
{
	const struct {
		const char *key, *now, *then;
	} texts[] = {
		{ "data_dir", now->data_dir, then->data_dir },
		{ "listen", now->listen, then->listen },
		{ "database", now->database, then->database },
		{ "tls.certificate", now->tls_certificate, then->tls_certificate },
		{ "tls.key", now->tls_key, then->tls_key },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!same_text(texts[i].now, texts[i].then))
			return texts[i].key;
	}
	return same_registries(now, then) ? NULL : "registries (their names)";
}

static void settings_of(struct settings *out, const struct app *app)
{
	*out = (struct settings){ app->config, app->webhooks, app->webhooks_len };
}

int settings_reload(struct app *app, const struct options *options, struct err *err)
{
	struct settings fresh = { 0 }, old;
	int rc = read_all(&fresh, options, err);
	const char *key = rc == 0 ? fixed_key_changed(fresh.config, app->config) : NULL;

	if (key)
		rc = err_set(err, ERR_INVALID, "config_restart",
			     "%s cannot change while the service runs: restart it", key);
	if (rc < 0) {
		release(&fresh);
		return -1;
	}
	settings_of(&old, app);
	put_in_force(app, &fresh);
	release(&old);
	return 0;
}

void settings_release(struct app *app)
{
	struct settings s;

	settings_of(&s, app);
	release(&s);
	put_in_force(app, &(struct settings){ 0 });
}
