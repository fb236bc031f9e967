/* task_write: a task as ACR's resource, and its secrets apart. */
#include "common/json.h"
#include "common/scope.h"
#include "model/task.h"

static const char *status_word(bool enabled)
{
	return enabled ? "Enabled" : "Disabled";
}

static json_t *repository_to_json(const struct source_trigger *t, bool details)
{
	json_t *object = json_object();

	json_put_string(object, "sourceControlType", t->control_type);
	json_put_string(object, "repositoryUrl", t->repository_url);
	json_put_string(object, "branch", t->branch);
	json_t *auth = json_object();
	json_put_string(auth, "tokenType", t->token_type);
	json_put_string(auth, "scope", t->token_scope);
	if (details && secret_is_set(&t->token))
		json_put_string(auth, "token", secret_reveal(&t->token));
	if (json_object_size(auth))
		json_object_set(object, "sourceControlAuthProperties", auth);
	json_decref(auth);
	return object;
}

static json_t *trigger_to_json(const struct source_trigger *t, bool details)
{
	json_t *object = json_object();
	json_t *events = json_array();

	json_put_string(object, "name", t->name);
	json_put_string(object, "status", status_word(t->enabled));
	if (t->on_commit)
		json_array_append_new(events, json_string("commit"));
	if (t->on_pull_request)
		json_array_append_new(events, json_string("pullrequest"));
	json_object_set_new(object, "sourceTriggerEvents", events);
	json_object_set_new(object, "sourceRepository", repository_to_json(t, details));
	return object;
}

/* What was only kept (task.h: passthrough). */
static void give_back(json_t *object, const struct task *t, const char *group)
{
	json_t *kept = json_object_get(t->passthrough, group);
	if (kept)
		json_object_set_new(object, group, json_deep_copy(kept));
}

static json_t *triggers_to_json(const struct task *t, bool details)
{
	json_t *object = json_object();

	if (t->triggers_len) {
		json_t *array = json_array();
		for (size_t i = 0; i < t->triggers_len; i++)
			json_array_append_new(array, trigger_to_json(&t->triggers[i], details));
		json_object_set_new(object, "sourceTriggers", array);
	}
	give_back(object, t, "timerTriggers");
	give_back(object, t, "baseImageTrigger");
	return object;
}

static json_t *step_to_json(const struct task *t, bool details)
{
	json_t *step = build_to_json(&t->step, details);

	json_object_set_new(step, "type", json_string("Docker"));
	json_object_del(step, "platform"); /* both stand beside the step */
	json_object_del(step, "timeout");
	return step;
}

static json_t *properties_to_json(const struct task *t, bool details)
{
	json_t *p = json_object();
	json_t *platform = platform_to_json(&t->step.platform);

	json_put_string(p, "provisioningState", "Succeeded");
	json_put_time(p, "creationDate", t->created_ms);
	json_put_string(p, "status", status_word(t->enabled));
	if (platform)
		json_object_set_new(p, "platform", platform);
	give_back(p, t, "agentConfiguration");
	if (t->step.timeout_s)
		json_object_set_new(p, "timeout", json_integer(t->step.timeout_s));
	json_object_set_new(p, "step", step_to_json(t, details));
	json_object_set_new(p, "trigger", triggers_to_json(t, details));
	json_object_set_new(p, "credentials", json_object());
	json_object_set_new(p, "isSystemTask", json_false());
	return p;
}

json_t *task_to_json(const struct task *t, const char *prefix, bool details)
{
	cleanup_free char *id = xasprintf("%s/tasks/%s", prefix, t->name);
	json_t *object = json_object();

	json_put_string(object, "id", id);
	json_put_string(object, "name", t->name);
	json_put_string(object, "type", "Microsoft.ContainerRegistry/registries/tasks");
	json_put_string(object, "location", t->location);
	json_object_set_new(object, "tags", t->tags ? json_deep_copy(t->tags) : json_object());
	json_object_set_new(object, "properties", properties_to_json(t, details));
	return object;
}

/* ---- secrets ---- */

json_t *task_secrets_to_json(const struct task *t)
{
	json_t *object = json_object();
	json_t *step = build_secrets_to_json(&t->step);
	json_t *triggers = json_object();

	if (step)
		json_object_set_new(object, "step", step);
	for (size_t i = 0; i < t->triggers_len; i++)
		if (secret_is_set(&t->triggers[i].token))
			json_put_string(triggers, t->triggers[i].name,
					secret_reveal(&t->triggers[i].token));
	if (json_object_size(triggers))
		json_object_set(object, "sourceTriggers", triggers);
	json_decref(triggers);
	if (json_object_size(object))
		return object;
	json_decref(object);
	return NULL;
}

void task_secrets_merge(struct task *t, const json_t *secrets)
{
	const json_t *triggers = json_object_get(secrets, "sourceTriggers");

	build_secrets_merge(&t->step, json_object_get(secrets, "step"));
	for (size_t i = 0; i < t->triggers_len; i++) {
		struct source_trigger *s = &t->triggers[i];
		const json_t *token = json_object_get(triggers, s->name);
		if (!secret_is_set(&s->token) && json_is_string(token))
			secret_set(&s->token, str_from(json_string_value(token)));
	}
}
