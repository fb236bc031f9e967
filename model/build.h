/*
 * build: what a Dockerfile build needs: the context, the Dockerfile, arguments, image names.
 * It is the step of a task and the body of a DockerBuildRequest alike; JSON members are ACR's
 * (reference/acr-wire.md, sections 7 and 10.1).
 *
 * Secrets travel apart from the rest: build_to_json() leaves them out unless asked,
 * build_secrets_to_json() prints nothing else (for sealing into the database), and
 * build_secrets_merge() puts back those that are not set.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/strvec.h"
#include "model/platform.h"

enum {
	BUILD_TIMEOUT_MIN_S = 1, /* ACR's is 300; a shorter one harms nobody here */
	BUILD_TIMEOUT_MAX_S = 28800,
	BUILD_ARGS_MAX = 1000,
	BUILD_IMAGES_MAX = 100,
};

struct build_arg {
	char *name;
	char *value; /* NULL for a secret one */
	struct secret secret;
	bool is_secret;
};

struct build {
	char *context; /* "https://…git#main:app", "source/<id>.tar.gz"; NULL: none */
	struct secret context_token; /* contextAccessToken: for fetching the context */
	char *commit; /* exact commit to build (an event's); NULL: what the context says */
	char *ref;    /* full ref of the event, "refs/heads/main"; NULL: what the context says */
	char *dockerfile;     /* dockerFilePath, relative to the context folder; "Dockerfile" */
	struct strvec images; /* imageNames, with variables still in them */
	bool push;            /* isPushEnabled */
	bool no_cache;
	char *target; /* or NULL */
	struct build_arg *args;
	size_t args_len;
	struct platform platform;
	int timeout_s; /* 0: the service's default */
};

/*
 * Read the members of a step or of a DockerBuildRequest. `path` ("properties.step") is for
 * messages. Checked here: types, dockerFilePath (relative, inside: "path_denied"), imageNames
 * (variables expand, then the image grammar: "image_invalid"), argument names
 * ([A-Za-z_][A-Za-z0-9_]*, no LD_*: "arg_invalid"), target ([A-Za-z0-9][A-Za-z0-9_.-]*:
 * "target_invalid"), platform, timeout. The context string is only kept: context/ reads it.
 */
int build_from_json(struct build *out, const json_t *object, const char *path, struct err *err);
/* With `details` secrets are in clear (listDetails only); else isSecret entries keep only their
 * name. */
json_t *build_to_json(const struct build *b, bool details);
/* {"contextAccessToken": …, "arguments": {name: value}}, or NULL when there are none. */
json_t *build_secrets_to_json(const struct build *b);
void build_secrets_merge(struct build *b, const json_t *secrets);
void build_copy(struct build *to, const struct build *from);
void build_release(struct build *b);
