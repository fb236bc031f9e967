/* The checks between values (check.h). */
#include "config/check.h"

#include "common/scope.h"
#include "config/config.h"

__attribute__((format(printf, 4, 5))) static int refuse(const struct source *s, const char *path,
							struct err *err, const char *fmt, ...)
{
	struct err why = { 0 };
	char what[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	err_set(&why, ERR_INVALID, "config_invalid", "%s", what);
	source_locate(s, path, &why);
	if (err)
		*err = why;
	return -1;
}

static int check_registries(const struct config *c, const struct source *s, struct err *err)
{
	char path[80];

	for (size_t i = 0; i < c->registries_len; i++) {
		const struct config_registry *r = &c->registries[i];
		snprintf(path, sizeof path, "registries[%zu].name", i);
		if (config_registry(c, str_from(r->name)) != r)
			return refuse(s, path, err, "'%s' is the name of two registries", r->name);
		snprintf(path, sizeof path, "registries[%zu].%s", i,
			 r->username ? "username" : "password");
		if ((r->username != NULL) != secret_is_set(&r->password))
			return refuse(s, path, err, "username and password go together");
	}
	if (!config_registry(c, str_from(c->default_registry)))
		return refuse(s, "default_registry", err, "no registry is named '%.60s'",
			      c->default_registry);
	return 0;
}

/* What a webhook that signs nothing has is no use to one that signs, and the other way round. */
static int check_signing(const struct config_webhook *w, const struct source *s, const char *path,
			 struct err *err)
{
	const struct {
		const char *key;
		bool is_set;
	} others[] = {
		{ "username", w->username != NULL },
		{ "passwords", w->passwords_len > 0 },
		{ "header", w->header != NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (!others[i].is_set)
			continue;
		cleanup_free char *at = xasprintf("%s.%s", path, others[i].key);
		return refuse(s, at, err, "is not for %s, which signs with one of 'secrets'",
			      w->provider);
	}
	if (w->secrets_len > 0)
		return 0;
	cleanup_free char *at = xasprintf("%s.secrets", path);
	return refuse(s, at, err, "is required: the secret that %s signs with", w->provider);
}

static int check_password(const struct config_webhook *w, const struct source *s, const char *path,
			  struct err *err)
{
	const char *key = NULL, *why = NULL;

	if (w->header && !w->secrets_len) {
		key = "header";
		why = "wants 'secrets': the values that it may have";
	} else if (w->secrets_len && !w->header) {
		key = "secrets";
		why = "are the values of a header here: name it with 'header', or write 'passwords' "
		      "for the password of the subscription";
	} else if (w->username && !w->passwords_len) {
		key = "username";
		why = "wants 'passwords'";
	} else if (!w->passwords_len && !w->header) {
		key = "passwords";
		why = "are required, because this provider signs nothing: the password of the "
		      "subscription, or 'header' and 'secrets'";
	}
	if (!key)
		return 0;
	cleanup_free char *at = xasprintf("%s.%s", path, key);
	return refuse(s, at, err, "%s", why);
}

/* What shows that a delivery is authentic. */
static int check_proof(const struct config_webhook *w, const struct source *s, size_t i,
		       struct err *err)
{
	cleanup_free char *path = xasprintf("webhooks[%zu]", i);

	return strcmp(w->provider, "azure-repos") == 0 ? check_password(w, s, path, err)
						       : check_signing(w, s, path, err);
}

static int check_webhooks(const struct config *c, const struct source *s, struct err *err)
{
	for (size_t i = 0; i < c->webhooks_len; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(c->webhooks[i].name, c->webhooks[j].name) != 0)
				continue;
			cleanup_free char *path = xasprintf("webhooks[%zu].name", i);
			return refuse(s, path, err, "'%s' is the name of two webhooks",
				      c->webhooks[i].name);
		}
		if (check_proof(&c->webhooks[i], s, i, err) < 0)
			return -1;
	}
	return 0;
}

/* A slash at the end means nothing. */
static struct str prefix_of(const struct config_git_credential *credential)
{
	struct str url = str_from(credential->url);

	while (str_ends(url, "/"))
		url.len--;
	return url;
}

static int check_credentials(const struct config *c, const struct source *s, struct err *err)
{
	for (size_t i = 0; i < c->git.credentials_len; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!str_eq(prefix_of(&c->git.credentials[i]),
				    prefix_of(&c->git.credentials[j])))
				continue;
			cleanup_free char *path = xasprintf("git.credentials[%zu].url", i);
			return refuse(s, path, err, "two credentials have this URL");
		}
	}
	return 0;
}

static int check_credential_command(const struct config *c, const struct source *s, struct err *err)
{
	const struct strvec *argv = &c->git.credential_command;

	if (argv->len == 0 || argv->items[0][0] == '/')
		return 0;
	return refuse(s, "git.credential_command[0]", err,
		      "must be the absolute path of a program: no shell looks for it, and "
		      "arguments are items of their own, as in [ /usr/local/bin/ask, get ]");
}

static bool is_loopback(const char *listen)
{
	struct str s = str_from(listen);
	return str_starts(s, "127.") || str_starts(s, "[::1]") || str_starts(s, "[::ffff:127.");
}

int check_listen_is_safe(const struct config *c, const struct source *s, struct err *err)
{
	if (strcmp(c->listen, "none") == 0 || is_loopback(c->listen) || c->tls_certificate ||
	    c->listen_insecure)
		return 0;
	struct err why = { 0 };
	err_set(&why, ERR_INVALID, "config_insecure",
		"%s can be reached from other machines, and would be without TLS: set "
		"tls.certificate and tls.key, or 'listen_insecure: true' behind a proxy that "
		"speaks TLS",
		c->listen);
	source_locate(s, "listen", &why);
	if (err)
		*err = why;
	return -1;
}

int check_config(const struct config *c, const struct source *s, struct err *err)
{
	if (check_registries(c, s, err) < 0 || check_webhooks(c, s, err) < 0 ||
	    check_credentials(c, s, err) < 0 || check_credential_command(c, s, err) < 0 ||
	    check_tls(c, s, err) < 0)
		return -1;
	return check_listen_is_safe(c, s, err);
}
