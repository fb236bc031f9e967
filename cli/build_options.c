#include "cli/build_options.h"

#include <stdlib.h>

#include "common/json.h"
#include "model/platform.h"

void build_options_rows(struct build_options *b, struct option_def rows[BUILD_OPTION_ROWS],
			const char *arg_name, const char *secret_arg_name)
{
	const struct option_def all[BUILD_OPTION_ROWS] = {
		{ 't', "image", OPTION_LIST, &b->images, "IMAGE",
		  "image name, with variables such as {{.Run.ID}}; may be repeated" },
		{ 'f', "file", OPTION_TEXT, &b->dockerfile, "FILE",
		  "Dockerfile, below the context (default: Dockerfile)" },
		{ 0, arg_name, OPTION_LIST, &b->args, "K=V",
		  "build argument; K alone takes the value from here" },
		{ 0, secret_arg_name, OPTION_LIST, &b->secret_args, "K=V",
		  "build argument that is never shown" },
		{ 0, "target", OPTION_TEXT, &b->target, "STAGE", "stage to build" },
		{ 0, "platform", OPTION_TEXT, &b->platform, "OS/ARCH", "platform to build for" },
		{ 0, "no-push", OPTION_FLAG, &b->no_push, NULL, "build only" },
		{ 0, "no-cache", OPTION_FLAG, &b->no_cache, NULL, "build every step again" },
		{ 0, "timeout", OPTION_NUMBER, &b->timeout_s, "SECONDS", "time for the whole run" },
	};
	memcpy(rows, all, sizeof all);
}

void build_options_release(struct build_options *b)
{
	strvec_release(&b->images);
	strvec_release(&b->args);
	strvec_release(&b->secret_args);
}

/* "K=V", or "K" with the value of the environment (none: empty), as az does. */
static void put_arguments(json_t *list, const struct strvec *args, bool secret)
{
	STRVEC_FOREACH (item, args) {
		struct str all = str_from(*item);
		size_t equals = str_find(all, '=', 0);
		char *name = str_dup(str_slice(all, 0, equals));
		const char *value = equals < all.len ? *item + equals + 1 : getenv(name);

		json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "name", name, "value",
						      value ? value : "", "isSecret", secret));
		free(name);
	}
}

int build_options_put(const struct build_options *b, json_t *object, struct err *err)
{
	json_t *images = json_array(), *arguments = json_array();

	STRVEC_FOREACH (image, &b->images)
		json_array_append_new(images, json_string(*image));
	put_arguments(arguments, &b->args, false);
	put_arguments(arguments, &b->secret_args, true);
	bool utf8 = json_array_size(images) == b->images.len &&
		    json_array_size(arguments) == b->args.len + b->secret_args.len;
	json_object_set_new(object, "imageNames", images);
	json_object_set_new(object, "arguments", arguments);
	json_object_set_new(object, "isPushEnabled",
			    json_boolean(!b->no_push && b->images.len > 0));
	json_object_set_new(object, "noCache", json_boolean(b->no_cache));
	json_put_string(object, "target", b->target);
	if (!utf8)
		return err_set(err, ERR_INVALID, "usage",
			       "image names and build arguments must be UTF-8");
	return 0;
}

json_t *build_options_platform(const struct build_options *b, struct err *err)
{
	struct platform platform = { 0 };

	if (!b->platform)
		return json_pack("{s:s}", "os", "linux");
	if (platform_parse(&platform, str_from(b->platform), err) < 0)
		return NULL;
	json_t *object = platform_to_json(&platform);
	platform_release(&platform);
	return object;
}
