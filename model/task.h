/*
 * task: a named build with the triggers that start it. Resource shape: reference/acr-wire.md,
 * section 10. In this version: a Docker step, one git context, one source trigger.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/build.h"

enum { TASK_NAME_MAX = 50, TASK_TRIGGERS_MAX = 1 };

struct source_trigger {
	char *name; /* "defaultSourceTriggerName" */
	bool enabled;
	bool on_commit, on_pull_request;
	char *control_type; /* "Github" or "VisualStudioTeamService", as the client said; not relied
			       on */
	char *repository_url; /* as given, with #branch:folder */
	char *repository;     /* identity (repository.h): what matching uses */
	char *branch;         /* short name, or a full ref; "master" when nobody said one */
	char *token_type, *token_scope;
	struct secret token;
};

struct task {
	char *registry;
	char *name;     /* 1-50 of [A-Za-z0-9_-], compared without case, kept as given */
	char *location; /* as given; "local" */
	json_t *tags;   /* object of strings, or NULL */
	bool enabled;
	struct build step; /* its timeout_s and platform are the task's */
	struct source_trigger *triggers;
	size_t triggers_len;
	json_t *passthrough; /* agentConfiguration and the like, which az sends and expects back; no
				secrets; or NULL */
	int64_t created_ms, updated_ms;
};

void task_release(struct task *t);
void task_copy(struct task *to, const struct task *from);
bool task_name_is_valid(struct str name);

/*
 * Read a Task resource (PUT). `name` and `registry` come from the URL. What this version does not
 * have (FileTask and EncodedTask steps, enabled timer and base-image triggers, several source
 * triggers, agent pools, identities, customRegistries) is refused with a sentence: word
 * "not_available". A disabled or absent one is accepted.
 */
int task_from_json(struct task *out, const json_t *resource, const char *registry, const char *name,
		   struct err *err);
/* The resource; with `details` secrets are in clear (listDetails only). */
json_t *task_to_json(const struct task *t, const char *prefix, bool details);
/* All secrets of the task as one object for sealing, or NULL. */
json_t *task_secrets_to_json(const struct task *t);
void task_secrets_merge(struct task *t, const json_t *secrets);
