/* build_json: a build as ACR's JSON, read with every check that needs no repository. */
#include <ctype.h>

#include "common/json.h"
#include "common/scope.h"
#include "model/build.h"
#include "model/image.h"
#include "model/vars.h"

enum {
	PATH_MAX_BYTES = 1024,
	TARGET_MAX_BYTES = 128,
	IMAGE_MAX_BYTES = 1024,         /* with variables filled in */
	ARG_VALUE_MAX_BYTES = 64 * 1024 /* one argument of a program may have 128 KiB */
};

/* What stands between a path and a key in a message: nothing at the root. */
static const char *dot(const char *path)
{
	return *path ? "." : "";
}

static bool is_word(const char *text, const char *first, const char *rest)
{
	if (!*text || !(isalnum((unsigned char)*text) || strchr(first, *text)))
		return false;
	while (*++text)
		if (!isalnum((unsigned char)*text) && !strchr(rest, *text))
			return false;
	return true;
}

/* Relative, printable, and never above the folder that it starts in. */
static const char *path_problem(const char *path)
{
	struct str rest = str_from(path), name;
	int depth = 0;

	if (rest.len == 0)
		return "is empty";
	if (rest.len > PATH_MAX_BYTES)
		return "is longer than 1024 bytes";
	if (path[0] == '/')
		return "must be relative to the context folder";
	if (str_has_control(rest))
		return "holds a control character";
	while (str_split(&rest, '/', &name)) {
		if (str_is(name, ".."))
			depth--;
		else if (name.len && !str_is(name, "."))
			depth++;
		if (depth < 0)
			return "leads out of the context folder";
	}
	return depth == 0 || str_ends(str_from(path), "/") ? "names a folder" : NULL;
}

static int read_dockerfile(struct build *b, const json_t *object, const char *path, struct err *err)
{
	const char *text = "Dockerfile";

	if (json_opt_string(object, path, "dockerFilePath", &text, err) < 0)
		return -1;
	const char *problem = path_problem(text);
	if (problem)
		return err_set(err, ERR_INVALID, "path_denied", "%s%sdockerFilePath: '%.200s' %s",
			       path, dot(path), text, problem);
	b->dockerfile = xstrdup(text);
	return 0;
}

static int check_image(const char *text, struct err *err)
{
	cleanup_buf struct buf name = BUF_LIMIT(IMAGE_MAX_BYTES);
	struct image image = { 0 };
	int rc = 0;

	if (vars_expand_sample(&name, str_from(text), err) < 0 ||
	    image_parse(&image, buf_str(&name), err) < 0)
		return -1;
	if (image.digest)
		rc = err_set(
			err, ERR_INVALID, "image_invalid",
			"'%.200s' holds a digest: what is to be built can be named by tag only",
			text);
	image_release(&image);
	return rc;
}

static int read_images(struct build *b, const json_t *object, const char *path, struct err *err)
{
	if (json_opt_strings(object, path, "imageNames", &b->images, err) < 0)
		return -1;
	if (b->images.len > BUILD_IMAGES_MAX)
		return err_set(err, ERR_INVALID, "bad_request",
			       "%s%simageNames: %zu names are more than %d", path, dot(path),
			       b->images.len, BUILD_IMAGES_MAX);
	for (size_t i = 0; i < b->images.len; i++)
		if (check_image(b->images.items[i], err) < 0)
			return err_wrap(err, "%s%simageNames[%zu]", path, dot(path), i);
	return 0;
}

static int read_target(struct build *b, const json_t *object, const char *path, struct err *err)
{
	cleanup_buf struct buf filled = BUF_INIT;
	const char *text = NULL;

	if (json_opt_string(object, path, "target", &text, err) < 0)
		return -1;
	if (!text || !*text)
		return 0;
	if (vars_expand_sample(&filled, str_from(text), err) < 0)
		return err_wrap(err, "%s%starget", path, dot(path));
	if (strlen(text) > TARGET_MAX_BYTES || !is_word(filled.ptr, "", "_.-"))
		return err_set(err, ERR_INVALID, "target_invalid",
			       "%s%starget: '%.200s' is no stage name: use [A-Za-z0-9_.-], "
			       "beginning with a letter or digit",
			       path, dot(path), text);
	b->target = xstrdup(text);
	return 0;
}

static const char *arg_problem(const struct build *b, const char *name, const char *value)
{
	if (!is_word(name, "_", "_") || isdigit((unsigned char)*name))
		return "the name must be [A-Za-z_][A-Za-z0-9_]*";
	if (strncmp(name, "LD_", 3) == 0)
		return "names that begin with LD_ are not passed on";
	if (value && strlen(value) > ARG_VALUE_MAX_BYTES)
		return "the value is longer than 64 KiB";
	for (size_t i = 0; i < b->args_len; i++)
		if (strcmp(b->args[i].name, name) == 0)
			return "it is given twice";
	return NULL;
}

static int read_arg(struct build *b, const json_t *object, const char *path, struct err *err)
{
	cleanup_buf struct buf filled = BUF_INIT;
	const char *name = NULL, *value = NULL;
	bool is_secret = false;

	if (json_need_string(object, path, "name", &name, err) < 0 ||
	    json_opt_string(object, path, "value", &value, err) < 0 ||
	    json_opt_bool(object, path, "isSecret", &is_secret, err) < 0)
		return -1;
	const char *problem = arg_problem(b, name, value);
	if (problem)
		return err_set(err, ERR_INVALID, "arg_invalid", "%s: '%.100s': %s", path, name,
			       problem);
	if (!is_secret && value && vars_expand_sample(&filled, str_from(value), err) < 0)
		return err_wrap(err, "%s: '%.100s'", path, name);

	struct build_arg *a = &b->args[b->args_len++];
	a->name = xstrdup(name);
	a->is_secret = is_secret;
	if (!is_secret)
		a->value = xstrdup(value ? value : "");
	else if (value)
		secret_set(&a->secret, str_from(value));
	return 0;
}

static int read_args(struct build *b, const json_t *object, const char *path, struct err *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(object, path, "arguments", &array, err) < 0)
		return -1;
	if (json_array_size(array) > BUILD_ARGS_MAX)
		return err_set(err, ERR_INVALID, "bad_request",
			       "%s%sarguments: %zu arguments are more than %d", path, dot(path),
			       json_array_size(array), BUILD_ARGS_MAX);
	if (json_array_size(array))
		b->args = xcalloc(json_array_size(array), sizeof *b->args);
	json_array_foreach (array, i, item) {
		cleanup_free char *where = xasprintf("%s%sarguments[%zu]", path, dot(path), i);
		if (read_arg(b, item, where, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_object_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");
	return text[n] == '\0' && (n == 40 || n == 64);
}

static int read_context(struct build *b, const json_t *object, const char *path, struct err *err)
{
	const char *context = NULL, *token = NULL, *commit = NULL, *ref = NULL;

	/* A step says contextPath, a DockerBuildRequest sourceLocation. */
	if (json_opt_string(object, path, "sourceLocation", &context, err) < 0 ||
	    json_opt_string(object, path, "contextPath", &context, err) < 0 ||
	    json_opt_string(object, path, "contextAccessToken", &token, err) < 0 ||
	    json_opt_string(object, path, "commit", &commit, err) < 0 ||
	    json_opt_string(object, path, "ref", &ref, err) < 0)
		return -1;
	if (commit && !is_object_id(commit))
		return err_set(err, ERR_INVALID, "sha_invalid",
			       "%s%scommit: must be 40 or 64 lower-case hex digits", path,
			       dot(path));
	if (ref && strncmp(ref, "refs/", 5) != 0)
		return err_set(err, ERR_INVALID, "ref_invalid", "%s%sref: must begin with refs/",
			       path, dot(path));
	b->context = context && *context ? xstrdup(context) : NULL;
	b->commit = xstrdup(commit);
	b->ref = xstrdup(ref);
	if (token && *token)
		secret_set(&b->context_token, str_from(token));
	return 0;
}

static int read_platform(struct build *b, const json_t *object, const char *path, struct err *err)
{
	cleanup_free char *where = xasprintf("%s%splatform", path, dot(path));
	json_t *platform = NULL;

	if (json_opt_object(object, path, "platform", &platform, err) < 0)
		return -1;
	return platform ? platform_from_json(&b->platform, platform, where, err) : 0;
}

static int read_build(struct build *b, const json_t *object, const char *path, struct err *err)
{
	int64_t timeout_s = 0;

	b->push = true;
	if (read_context(b, object, path, err) < 0 || read_dockerfile(b, object, path, err) < 0 ||
	    read_images(b, object, path, err) < 0 || read_target(b, object, path, err) < 0 ||
	    read_args(b, object, path, err) < 0 || read_platform(b, object, path, err) < 0 ||
	    json_opt_bool(object, path, "isPushEnabled", &b->push, err) < 0 ||
	    json_opt_bool(object, path, "noCache", &b->no_cache, err) < 0 ||
	    json_opt_int(object, path, "timeout", BUILD_TIMEOUT_MIN_S, BUILD_TIMEOUT_MAX_S,
			 &timeout_s, err) < 0)
		return -1;
	b->timeout_s = (int)timeout_s;
	return 0;
}

int build_from_json(struct build *out, const json_t *object, const char *path, struct err *err)
{
	struct build b = { 0 };

	if (read_build(&b, object, path, err) < 0) {
		build_release(&b);
		return -1;
	}
	*out = b;
	return 0;
}

static json_t *args_to_json(const struct build *b, bool details)
{
	json_t *array = json_array();

	for (size_t i = 0; i < b->args_len; i++) {
		const struct build_arg *a = &b->args[i];
		json_t *object = json_object();
		json_put_string(object, "name", a->name);
		if (!a->is_secret)
			json_put_string(object, "value", a->value);
		else if (details && secret_is_set(&a->secret))
			json_put_string(object, "value", secret_reveal(&a->secret));
		json_object_set_new(object, "isSecret", json_boolean(a->is_secret));
		json_array_append_new(array, object);
	}
	return array;
}

json_t *build_to_json(const struct build *b, bool details)
{
	json_t *object = json_object();
	json_t *images = json_array();
	json_t *platform = platform_to_json(&b->platform);

	json_put_string(object, "contextPath", b->context);
	if (details && secret_is_set(&b->context_token))
		json_put_string(object, "contextAccessToken", secret_reveal(&b->context_token));
	json_put_string(object, "commit", b->commit);
	json_put_string(object, "ref", b->ref);
	STRVEC_FOREACH (name, &b->images)
		json_array_append_new(images, json_string(*name));
	json_object_set_new(object, "imageNames", images);
	json_object_set_new(object, "isPushEnabled", json_boolean(b->push));
	json_object_set_new(object, "noCache", json_boolean(b->no_cache));
	json_put_string(object, "dockerFilePath", b->dockerfile);
	json_put_string(object, "target", b->target);
	json_object_set_new(object, "arguments", args_to_json(b, details));
	if (platform)
		json_object_set_new(object, "platform", platform);
	if (b->timeout_s)
		json_object_set_new(object, "timeout", json_integer(b->timeout_s));
	return object;
}

json_t *build_secrets_to_json(const struct build *b)
{
	json_t *object = json_object();
	json_t *args = json_object();

	if (secret_is_set(&b->context_token))
		json_put_string(object, "contextAccessToken", secret_reveal(&b->context_token));
	for (size_t i = 0; i < b->args_len; i++)
		if (b->args[i].is_secret && secret_is_set(&b->args[i].secret))
			json_put_string(args, b->args[i].name, secret_reveal(&b->args[i].secret));
	if (json_object_size(args))
		json_object_set_new(object, "arguments", args);
	else
		json_decref(args);
	if (json_object_size(object))
		return object;
	json_decref(object);
	return NULL;
}

static void merge(struct secret *s, const json_t *value)
{
	if (!secret_is_set(s) && json_is_string(value))
		secret_set(s, str_from(json_string_value(value)));
}

void build_secrets_merge(struct build *b, const json_t *secrets)
{
	const json_t *args = json_object_get(secrets, "arguments");

	merge(&b->context_token, json_object_get(secrets, "contextAccessToken"));
	for (size_t i = 0; i < b->args_len; i++)
		if (b->args[i].is_secret)
			merge(&b->args[i].secret, json_object_get(args, b->args[i].name));
}
