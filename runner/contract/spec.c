#include "runner/contract/spec.h"

#include <stddef.h>

#include "common/json.h"
#include "common/scope.h"

/* One row a member: its key, and where it stands. */
struct row {
	const char *key;
	size_t offset;
};

static const struct row spec_texts[] = {
	{ "runId", offsetof(struct spec, run_id) },
	{ "dataDir", offsetof(struct spec, data_dir) },
	{ "task", offsetof(struct spec, task) },
	{ "registry", offsetof(struct spec, registry_name) },
};

static const struct row spec_lists[] = {
	{ "allowSchemes", offsetof(struct spec, allow_schemes) },
	{ "submoduleHosts", offsetof(struct spec, submodule_hosts) },
	{ "gitCredentialCommand", offsetof(struct spec, git_credential_command) },
};

static const struct row spec_times[] = {
	{ "deadlineMs", offsetof(struct spec, deadline_ms) },
	{ "timeoutMs", offsetof(struct spec, timeout_ms) },
	{ "graceMs", offsetof(struct spec, grace_ms) },
};

static const struct row registry_texts[] = {
	{ "name", offsetof(struct spec_registry, name) },
	{ "loginServer", offsetof(struct spec_registry, login_server) },
	{ "username", offsetof(struct spec_registry, username) },
};

static const struct row git_credential_texts[] = {
	{ "url", offsetof(struct spec_git_credential, url) },
	{ "username", offsetof(struct spec_git_credential, username) },
};

static const struct row engine_texts[] = {
	{ "kind", offsetof(struct spec_engine, kind) },
	{ "path", offsetof(struct spec_engine, path) },
	{ "isolation", offsetof(struct spec_engine, isolation) },
	{ "runtime", offsetof(struct spec_engine, runtime) },
	{ "network", offsetof(struct spec_engine, network) },
	{ "pull", offsetof(struct spec_engine, pull) },
};

#define LIMIT(key, member)                                                                         \
	{                                                                                          \
		key, offsetof(struct spec_limits, member)                                          \
	}
static const struct row limit_numbers[] = {
	LIMIT("uploadExpandedBytes", upload_expanded_bytes),
	LIMIT("uploadRatio", upload_ratio),
	LIMIT("uploadEntries", upload_entries),
	LIMIT("ignoreBytes", ignore_bytes),
	LIMIT("ignoreRules", ignore_rules),
	LIMIT("dockerfileBytes", dockerfile_bytes),
	LIMIT("gitBytes", git_bytes),
	LIMIT("gitObjects", git_objects),
	LIMIT("gitObjectBytes", git_object_bytes),
	LIMIT("gitEntries", git_entries),
	LIMIT("gitDepth", git_depth),
	LIMIT("gitStallMs", git_stall_ms),
	LIMIT("gitTimeoutMs", git_timeout_ms),
	LIMIT("logBytes", log_bytes),
	LIMIT("logLineBytes", log_line_bytes),
	LIMIT("memoryBytes", memory_bytes),
	LIMIT("pids", pids),
};
#undef LIMIT

static void *at(void *base, size_t offset)
{
	return (char *)base + offset;
}

static const void *at_const(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

/* ---- writing ---- */

static void put_texts(json_t *object, const void *from, const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		json_put_string(object, rows[i].key,
				*(char *const *)at_const(from, rows[i].offset));
}

static void put_numbers(json_t *object, const void *from, const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		json_object_set_new(object, rows[i].key,
				    json_integer(*(const int64_t *)at_const(from, rows[i].offset)));
}

static json_t *registries_to_json(const struct spec *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->registries_len; i++) {
		const struct spec_registry *r = &s->registries[i];
		json_t *object = json_object();
		put_texts(object, r, registry_texts, ARRAY_LEN(registry_texts));
		json_object_set_new(object, "insecure", json_boolean(r->insecure));
		if (secret_is_set(&r->password))
			json_put_string(object, "password", secret_reveal(&r->password));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *addresses_to_json(const struct spec *s)
{
	json_t *array = json_array();
	char text[CIDR_TEXT_BYTES];

	for (size_t i = 0; i < s->allow_addresses_len; i++)
		json_array_append_new(array,
				      json_string(cidr_format(text, &s->allow_addresses[i])));
	return array;
}

static json_t *ports_to_json(const struct spec *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->allow_ports_len; i++)
		json_array_append_new(array, json_integer(s->allow_ports[i]));
	return array;
}

static json_t *git_credentials_to_json(const struct spec *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->git_credentials_len; i++) {
		const struct spec_git_credential *c = &s->git_credentials[i];
		json_t *object = json_object();
		put_texts(object, c, git_credential_texts, ARRAY_LEN(git_credential_texts));
		if (secret_is_set(&c->token))
			json_put_string(object, "token", secret_reveal(&c->token));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *strings_to_json(const struct strvec *strings)
{
	json_t *array = json_array();

	STRVEC_FOREACH (string, strings)
		json_array_append_new(array, json_string(*string));
	return array;
}

json_t *spec_to_json(const struct spec *s)
{
	json_t *object = json_object();
	json_t *engine = json_object(), *limits = json_object();

	json_object_set_new(object, "v", json_integer(SPEC_VERSION));
	put_texts(object, s, spec_texts, ARRAY_LEN(spec_texts));
	json_object_set_new(object, "attempt", json_integer(s->attempt));
	put_numbers(object, s, spec_times, ARRAY_LEN(spec_times));
	json_object_set_new(object, "build", build_to_json(&s->build, true));
	json_object_set_new(object, "registries", registries_to_json(s));
	put_texts(engine, &s->engine, engine_texts, ARRAY_LEN(engine_texts));
	json_object_set_new(object, "engine", engine);
	json_object_set_new(object, "allowAddresses", addresses_to_json(s));
	json_object_set_new(object, "allowPorts", ports_to_json(s));
	json_object_set_new(object, "gitCredentials", git_credentials_to_json(s));
	for (size_t i = 0; i < ARRAY_LEN(spec_lists); i++)
		json_object_set_new(object, spec_lists[i].key,
				    strings_to_json(at_const(s, spec_lists[i].offset)));
	put_numbers(limits, &s->limits, limit_numbers, ARRAY_LEN(limit_numbers));
	json_object_set_new(limits, "cpus", json_real(s->limits.cpus));
	json_object_set_new(object, "limits", limits);
	return object;
}

/* ---- reading ---- */

static int read_texts(void *to, const json_t *object, const char *path, const struct row *rows,
		      size_t len, struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		const char *text = NULL;
		if (json_opt_string(object, path, rows[i].key, &text, err) < 0)
			return -1;
		*(char **)at(to, rows[i].offset) = xstrdup(text);
	}
	return 0;
}

static int read_numbers(void *to, const json_t *object, const char *path, const struct row *rows,
			size_t len, struct err *err)
{
	for (size_t i = 0; i < len; i++)
		if (json_opt_int(object, path, rows[i].key, 0, INT64_MAX, at(to, rows[i].offset),
				 err) < 0)
			return -1;
	return 0;
}

static int read_registry(struct spec_registry *r, const json_t *object, struct err *err)
{
	const char *password = NULL;

	if (read_texts(r, object, "registries", registry_texts, ARRAY_LEN(registry_texts), err) <
		    0 ||
	    json_opt_bool(object, "registries", "insecure", &r->insecure, err) < 0 ||
	    json_opt_string(object, "registries", "password", &password, err) < 0)
		return -1;
	if (password)
		secret_set(&r->password, str_from(password));
	if (!r->name || !r->login_server)
		return err_set(err, ERR_INVALID, "spec_invalid",
			       "registries: each needs a name and a loginServer");
	return 0;
}

static int read_registries(struct spec *s, const json_t *object, struct err *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(object, "", "registries", &array, err) < 0)
		return -1;
	s->registries = xcalloc(json_array_size(array) + 1, sizeof *s->registries);
	json_array_foreach (array, i, item) {
		s->registries_len++;
		if (read_registry(&s->registries[i], item, err) < 0)
			return -1;
	}
	return 0;
}

static int read_addresses(struct spec *s, const json_t *object, struct err *err)
{
	cleanup_strvec struct strvec texts = { 0 };

	if (json_opt_strings(object, "", "allowAddresses", &texts, err) < 0)
		return -1;
	s->allow_addresses = xcalloc(texts.len + 1, sizeof *s->allow_addresses);
	for (size_t i = 0; i < texts.len; i++) {
		if (cidr_parse(&s->allow_addresses[i], str_from(texts.items[i])) < 0)
			return err_set(err, ERR_INVALID, "spec_invalid",
				       "allowAddresses: '%.100s' is no address range",
				       texts.items[i]);
		s->allow_addresses_len++;
	}
	return 0;
}

static int read_ports(struct spec *s, const json_t *object, struct err *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(object, "", "allowPorts", &array, err) < 0)
		return -1;
	s->allow_ports = xcalloc(json_array_size(array) + 1, sizeof *s->allow_ports);
	json_array_foreach (array, i, item) {
		json_int_t port = json_integer_value(item);
		if (port < 1 || port > 65535)
			return err_set(err, ERR_INVALID, "spec_invalid",
				       "allowPorts: each must be a number from 1 to 65535");
		s->allow_ports[s->allow_ports_len++] = (uint16_t)port;
	}
	return 0;
}

static int read_git_credential(struct spec_git_credential *c, const json_t *object, struct err *err)
{
	const char *token = NULL;

	if (read_texts(c, object, "gitCredentials", git_credential_texts,
		       ARRAY_LEN(git_credential_texts), err) < 0 ||
	    json_opt_string(object, "gitCredentials", "token", &token, err) < 0)
		return -1;
	if (token)
		secret_set(&c->token, str_from(token));
	return c->url ? 0
		      : err_set(err, ERR_INVALID, "spec_invalid",
				"gitCredentials: each needs a url");
}

static int read_git_credentials(struct spec *s, const json_t *object, struct err *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(object, "", "gitCredentials", &array, err) < 0)
		return -1;
	s->git_credentials = xcalloc(json_array_size(array) + 1, sizeof *s->git_credentials);
	json_array_foreach (array, i, item) {
		s->git_credentials_len++;
		if (read_git_credential(&s->git_credentials[i], item, err) < 0)
			return -1;
	}
	return 0;
}

static int read_lists(struct spec *s, const json_t *object, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(spec_lists); i++) {
		const struct row *list = &spec_lists[i];
		if (json_opt_strings(object, "", list->key, at(s, list->offset), err) < 0)
			return -1;
	}
	return 0;
}

static int read_engine(struct spec *s, const json_t *object, struct err *err)
{
	json_t *engine = NULL;

	if (json_opt_object(object, "", "engine", &engine, err) < 0)
		return -1;
	return engine ? read_texts(&s->engine, engine, "engine", engine_texts,
				   ARRAY_LEN(engine_texts), err)
		      : 0;
}

static int read_limits(struct spec *s, const json_t *object, struct err *err)
{
	json_t *limits = NULL;

	if (json_opt_object(object, "", "limits", &limits, err) < 0)
		return -1;
	if (!limits)
		return 0;
	s->limits.cpus = json_number_value(json_object_get(limits, "cpus"));
	return read_numbers(&s->limits, limits, "limits", limit_numbers, ARRAY_LEN(limit_numbers),
			    err);
}

static int read_build(struct spec *s, const json_t *object, struct err *err)
{
	json_t *build = NULL;

	if (json_opt_object(object, "", "build", &build, err) < 0)
		return -1;
	/* A probe has none. */
	return build ? build_from_json(&s->build, build, "build", err) : 0;
}

static int read_spec(struct spec *s, const json_t *object, struct err *err)
{
	int64_t version = 0, attempt = 0;

	if (json_opt_int(object, "", "v", 0, INT32_MAX, &version, err) < 0)
		return -1;
	if (version != SPEC_VERSION)
		return err_set(err, ERR_INVALID, "spec_invalid",
			       "the specification is of version %d and this runner reads version "
			       "%d: install server and runner together",
			       (int)version, SPEC_VERSION);
	if (json_opt_int(object, "", "attempt", 0, INT32_MAX, &attempt, err) < 0 ||
	    read_texts(s, object, "", spec_texts, ARRAY_LEN(spec_texts), err) < 0 ||
	    read_numbers(s, object, "", spec_times, ARRAY_LEN(spec_times), err) < 0 ||
	    read_build(s, object, err) < 0 || read_registries(s, object, err) < 0 ||
	    read_engine(s, object, err) < 0 || read_addresses(s, object, err) < 0 ||
	    read_ports(s, object, err) < 0 || read_git_credentials(s, object, err) < 0 ||
	    read_lists(s, object, err) < 0 || read_limits(s, object, err) < 0)
		return -1;
	s->attempt = (int)attempt;
	/* A probe is no attempt of a run. */
	if (!s->data_dir || (s->attempt > 0 && !s->run_id))
		return err_set(err, ERR_INVALID, "spec_invalid", "runId and dataDir are required");
	return 0;
}

int spec_from_json(struct spec *out, const json_t *object, struct err *err)
{
	struct spec s = { 0 };
	struct err why = { 0 };

	if (read_spec(&s, object, &why) < 0) {
		spec_release(&s);
		return err_set(err, ERR_INVALID, "spec_invalid", "%s", why.msg);
	}
	*out = s;
	return 0;
}

static void release_texts(void *base, const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		free(*(char **)at(base, rows[i].offset));
}

void spec_release(struct spec *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->registries_len; i++) {
		release_texts(&s->registries[i], registry_texts, ARRAY_LEN(registry_texts));
		secret_release(&s->registries[i].password);
	}
	free(s->registries);
	for (size_t i = 0; i < s->git_credentials_len; i++) {
		release_texts(&s->git_credentials[i], git_credential_texts,
			      ARRAY_LEN(git_credential_texts));
		secret_release(&s->git_credentials[i].token);
	}
	free(s->git_credentials);
	release_texts(s, spec_texts, ARRAY_LEN(spec_texts));
	release_texts(&s->engine, engine_texts, ARRAY_LEN(engine_texts));
	build_release(&s->build);
	free(s->allow_addresses);
	free(s->allow_ports);
	for (size_t i = 0; i < ARRAY_LEN(spec_lists); i++)
		strvec_release(at(s, spec_lists[i].offset));
	*s = (struct spec){ 0 };
}
