/*
 * build_options: the options that `build` and `task create` share: what to build and how. They
 * become the members of a DockerBuildRequest or of a Docker step (reference/acr-wire.md, 7 and 10).
 */
#pragma once
#include <jansson.h>

#include "cli/cli.h"

struct build_options {
	struct strvec images, args, secret_args;
	const char *dockerfile, *target, *platform;
	bool no_push, no_cache;
	int64_t timeout_s; /* -1: not given */
};

#define BUILD_OPTIONS_DEFAULT                                                                      \
	{                                                                                          \
		.timeout_s = -1                                                                    \
	}

enum { BUILD_OPTION_ROWS = 9 };

/* Fill the rows (no closing row); `arg_name` is "build-arg" or "arg". */
void build_options_rows(struct build_options *b, struct option_def rows[BUILD_OPTION_ROWS],
			const char *arg_name, const char *secret_arg_name);
void build_options_release(struct build_options *b);
/* imageNames, isPushEnabled, noCache, target, arguments. */
int build_options_put(const struct build_options *b, json_t *object, struct err *err);
/* {"os","architecture","variant"} of --platform, or linux alone. */
json_t *build_options_platform(const struct build_options *b, struct err *err);
