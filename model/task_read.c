/*
 * task_read: a task out of ACR's resource (the public description of API version
 * 2019-06-01-preview). Members that nobody knows are ignored, as ACR does; members that are known
 * and would not be honoured are refused.
 */
#include "common/json.h"
#include "common/scope.h"
#include "model/repository.h"
#include "model/task.h"

static int not_available(struct err *err, const char *path, const char *what)
{
	return err_set(err, ERR_INVALID, "not_available", "%s: %s", path, what);
}

/* "Enabled" (also when absent) or "Disabled", without case. */
static int read_status(bool *enabled, const json_t *object, const char *path, struct err *err)
{
	const char *status = "Enabled";

	if (json_opt_string(object, path, "status", &status, err) < 0)
		return -1;
	if (!str_is_i(str_from(status), "Enabled") && !str_is_i(str_from(status), "Disabled"))
		return err_set(err, ERR_INVALID, "bad_request",
			       "%s.status: must be Enabled or Disabled", path);
	*enabled = str_is_i(str_from(status), "Enabled");
	return 0;
}

/* ---- the source trigger ---- */

static int read_events(struct source_trigger *t, const json_t *object, const char *path,
		       struct err *err)
{
	cleanup_strvec struct strvec events = { 0 };

	if (!json_object_get(object, "sourceTriggerEvents"))
		strvec_push(&events, "commit");
	if (json_opt_strings(object, path, "sourceTriggerEvents", &events, err) < 0)
		return -1;
	STRVEC_FOREACH (event, &events) {
		if (str_is_i(str_from(*event), "commit"))
			t->on_commit = true;
		else if (str_is_i(str_from(*event), "pullrequest"))
			t->on_pull_request = true;
		else
			return err_set(err, ERR_INVALID, "bad_request",
				       "%s.sourceTriggerEvents: '%.100s' is not known: use commit",
				       path, *event);
	}
	if (t->enabled && t->on_pull_request)
		return not_available(err, path,
				     "pull request triggers are not part of this version; leave "
				     "pullrequest out of sourceTriggerEvents");
	return 0;
}

/* The branch in "URL#branch:folder", or master, which is what ACR's client says for none. */
static char *branch_of(const char *url)
{
	struct str text = str_from(url);
	struct str ref = str_after(text, str_find(text, '#', 0) + 1);
	ref = str_slice(ref, 0, str_find(ref, ':', 0));
	return ref.len ? str_dup(ref) : xstrdup("master");
}

static int read_auth(struct source_trigger *t, const json_t *repository, const char *path,
		     struct err *err)
{
	const char *token = NULL, *type = NULL, *scope = NULL;
	json_t *auth = NULL;

	if (json_opt_object(repository, path, "sourceControlAuthProperties", &auth, err) < 0)
		return -1;
	if (!auth)
		return 0;
	cleanup_free char *where = xasprintf("%s.sourceControlAuthProperties", path);
	if (json_opt_string(auth, where, "token", &token, err) < 0 ||
	    json_opt_string(auth, where, "tokenType", &type, err) < 0 ||
	    json_opt_string(auth, where, "scope", &scope, err) < 0)
		return -1;
	t->token_type = xstrdup(type);
	t->token_scope = xstrdup(scope);
	if (token && *token)
		secret_set(&t->token, str_from(token));
	return 0;
}

static int read_repository(struct source_trigger *t, const json_t *repository, const char *path,
			   struct err *err)
{
	const char *url = NULL, *branch = NULL, *control = NULL;

	if (json_need_string(repository, path, "repositoryUrl", &url, err) < 0 ||
	    json_opt_string(repository, path, "branch", &branch, err) < 0 ||
	    json_opt_string(repository, path, "sourceControlType", &control, err) < 0)
		return -1;
	if (repository_identity(&t->repository, str_from(url), err) < 0)
		return err_wrap(err, "%s.repositoryUrl", path);
	t->repository_url = xstrdup(url);
	t->branch = branch && *branch ? xstrdup(branch) : branch_of(url);
	t->control_type = xstrdup(control);
	return read_auth(t, repository, path, err);
}

static int read_trigger(struct source_trigger *t, const json_t *object, const char *path,
			struct err *err)
{
	cleanup_free char *where = xasprintf("%s.sourceRepository", path);
	const char *name = "defaultSourceTriggerName";
	json_t *repository = NULL;

	if (json_opt_string(object, path, "name", &name, err) < 0 ||
	    read_status(&t->enabled, object, path, err) < 0 ||
	    read_events(t, object, path, err) < 0 ||
	    json_opt_object(object, path, "sourceRepository", &repository, err) < 0)
		return -1;
	if (!repository)
		return err_set(err, ERR_INVALID, "bad_request", "%s: is required, an object",
			       where);
	t->name = xstrdup(name);
	return read_repository(t, repository, where, err);
}

static int read_source_triggers(struct task *t, const json_t *trigger, struct err *err)
{
	static const char path[] = "properties.trigger";
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(trigger, path, "sourceTriggers", &array, err) < 0)
		return -1;
	if (json_array_size(array) > TASK_TRIGGERS_MAX)
		return not_available(err, "properties.trigger.sourceTriggers",
				     "several source triggers are not part of this version; make a "
				     "task for each");
	if (json_array_size(array))
		t->triggers = xcalloc(json_array_size(array), sizeof *t->triggers);
	json_array_foreach (array, i, item) {
		cleanup_free char *where = xasprintf("%s.sourceTriggers[%zu]", path, i);
		t->triggers_len++;
		if (read_trigger(&t->triggers[i], item, where, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what is only kept, so that a client finds it again ---- */

/* A new object with those of `keys` that `from` has. Named one by one, so that no secret slips in.
 */
static json_t *those(const json_t *from, const char *const *keys)
{
	json_t *kept = json_object();

	for (; *keys; keys++) {
		json_t *value = json_object_get(from, *keys);
		if (json_is_string(value) || json_is_integer(value))
			json_object_set(kept, *keys, value);
	}
	return kept;
}

static void keep(struct task *t, const char *group, json_t *value)
{
	if (!t->passthrough)
		t->passthrough = json_object();
	json_object_set_new(t->passthrough, group, value);
}

static int read_base_image_trigger(struct task *t, const json_t *trigger, struct err *err)
{
	static const char path[] = "properties.trigger.baseImageTrigger";
	static const char *const keys[] = { "name", "baseImageTriggerType",
					    "updateTriggerPayloadType", "status", NULL };
	json_t *object = NULL;
	bool enabled;

	if (json_opt_object(trigger, "properties.trigger", "baseImageTrigger", &object, err) < 0)
		return -1;
	if (!object)
		return 0;
	if (read_status(&enabled, object, path, err) < 0)
		return -1;
	if (enabled)
		return not_available(err, path,
				     "base image triggers are not part of this version; leave it "
				     "out or set its status to Disabled");
	keep(t, "baseImageTrigger", those(object, keys));
	return 0;
}

static int read_timer_triggers(struct task *t, const json_t *trigger, struct err *err)
{
	static const char path[] = "properties.trigger.timerTriggers";
	static const char *const keys[] = { "name", "schedule", "status", NULL };
	json_t *array = NULL, *item;
	bool enabled;
	size_t i;

	if (json_opt_array(trigger, "properties.trigger", "timerTriggers", &array, err) < 0)
		return -1;
	if (json_array_size(array) == 0)
		return 0;
	cleanup_json json_t *kept = json_array();
	json_array_foreach (array, i, item) {
		if (read_status(&enabled, item, path, err) < 0)
			return -1;
		if (enabled)
			return not_available(err, path,
					     "timer triggers are not part of this version; leave "
					     "them out or set their status to Disabled");
		json_array_append_new(kept, those(item, keys));
	}
	keep(t, "timerTriggers", json_incref(kept));
	return 0;
}

static int read_triggers(struct task *t, const json_t *properties, struct err *err)
{
	json_t *trigger = NULL;

	if (json_opt_object(properties, "properties", "trigger", &trigger, err) < 0)
		return -1;
	if (!trigger)
		return 0;
	if (read_source_triggers(t, trigger, err) < 0 ||
	    read_base_image_trigger(t, trigger, err) < 0)
		return -1;
	return read_timer_triggers(t, trigger, err);
}

static int read_agent(struct task *t, const json_t *properties, struct err *err)
{
	static const char *const keys[] = { "cpu", NULL };
	json_t *agent = NULL;
	int64_t cpu = 0;

	if (json_opt_object(properties, "properties", "agentConfiguration", &agent, err) < 0)
		return -1;
	if (!agent)
		return 0;
	if (json_opt_int(agent, "properties.agentConfiguration", "cpu", 1, 1024, &cpu, err) < 0)
		return -1;
	keep(t, "agentConfiguration", those(agent, keys));
	return 0;
}

/* ---- what would have to be honoured ---- */

static int refuse_identity(const json_t *resource, struct err *err)
{
	const char *type = "None";
	json_t *identity = NULL;

	if (json_opt_object(resource, "", "identity", &identity, err) < 0)
		return -1;
	if (identity && json_opt_string(identity, "identity", "type", &type, err) < 0)
		return -1;
	return str_is_i(str_from(type), "None")
		       ? 0
		       : not_available(err, "identity",
				       "managed identities belong to a cloud; registry logins are "
				       "in the service's configuration");
}

static int refuse_unavailable(const json_t *properties, struct err *err)
{
	const char *pool = "";
	json_t *credentials = NULL, *custom = NULL;
	bool is_system = false;

	if (json_opt_string(properties, "properties", "agentPoolName", &pool, err) < 0 ||
	    json_opt_bool(properties, "properties", "isSystemTask", &is_system, err) < 0 ||
	    json_opt_object(properties, "properties", "credentials", &credentials, err) < 0)
		return -1;
	if (credentials && json_opt_object(credentials, "properties.credentials",
					   "customRegistries", &custom, err) < 0)
		return -1;
	if (*pool)
		return not_available(err, "properties.agentPoolName",
				     "agent pools are not part of this version; leave it out");
	if (is_system)
		return not_available(err, "properties.isSystemTask",
				     "system tasks are not part of this version; leave it out");
	if (json_object_size(custom))
		return not_available(err, "properties.credentials.customRegistries",
				     "registry logins of a task are not part of this version; put "
				     "them under registries in the service's configuration");
	return 0;
}

/* ---- the task ---- */

static int read_step(struct task *t, const json_t *properties, struct err *err)
{
	const char *type = NULL;
	json_t *step = NULL;

	if (json_opt_object(properties, "properties", "step", &step, err) < 0)
		return -1;
	if (!step)
		return err_set(err, ERR_INVALID, "bad_request",
			       "properties.step: is required, an object");
	if (json_need_string(step, "properties.step", "type", &type, err) < 0)
		return -1;
	if (str_is_i(str_from(type), "FileTask") || str_is_i(str_from(type), "EncodedTask"))
		return not_available(err, "properties.step.type",
				     "task files are not part of this version; use a Docker step");
	if (!str_is_i(str_from(type), "Docker"))
		return err_set(err, ERR_INVALID, "bad_request",
			       "properties.step.type: '%.100s' is not known: use Docker", type);
	return build_from_json(&t->step, step, "properties.step", err);
}

/* Timeout and platform are the task's, and stand beside the step. */
static int read_beside_step(struct task *t, const json_t *properties, struct err *err)
{
	int64_t timeout_s = t->step.timeout_s;
	json_t *platform = NULL;

	if (json_opt_int(properties, "properties", "timeout", BUILD_TIMEOUT_MIN_S,
			 BUILD_TIMEOUT_MAX_S, &timeout_s, err) < 0 ||
	    json_opt_object(properties, "properties", "platform", &platform, err) < 0)
		return -1;
	t->step.timeout_s = (int)timeout_s;
	if (!platform)
		return 0;
	platform_release(&t->step.platform);
	return platform_from_json(&t->step.platform, platform, "properties.platform", err);
}

static int read_tags(struct task *t, const json_t *resource, struct err *err)
{
	json_t *tags = NULL, *value;
	const char *key;

	if (json_opt_object(resource, "", "tags", &tags, err) < 0)
		return -1;
	json_object_foreach (tags, key, value)
		if (!json_is_string(value))
			return err_set(err, ERR_INVALID, "bad_request",
				       "tags.%.100s: must be a string", key);
	t->tags = json_incref(tags);
	return 0;
}

static int read_task(struct task *t, const json_t *resource, struct err *err)
{
	const char *location = "local";
	json_t *properties = NULL;

	if (json_opt_string(resource, "", "location", &location, err) < 0 ||
	    json_opt_object(resource, "", "properties", &properties, err) < 0)
		return -1;
	if (!properties)
		return err_set(err, ERR_INVALID, "bad_request",
			       "properties: is required, an object");
	t->location = xstrdup(location);
	if (read_tags(t, resource, err) < 0 || refuse_identity(resource, err) < 0 ||
	    refuse_unavailable(properties, err) < 0 ||
	    read_status(&t->enabled, properties, "properties", err) < 0 ||
	    read_step(t, properties, err) < 0 || read_beside_step(t, properties, err) < 0 ||
	    read_agent(t, properties, err) < 0)
		return -1;
	return read_triggers(t, properties, err);
}

int task_from_json(struct task *out, const json_t *resource, const char *registry, const char *name,
		   struct err *err)
{
	struct task t = { 0 };

	if (!task_name_is_valid(str_from(name)))
		return err_set(err, ERR_INVALID, "bad_name",
			       "'%.100s' is no task name: use 1 to %d of [A-Za-z0-9_-]", name,
			       TASK_NAME_MAX);
	if (read_task(&t, resource, err) < 0) {
		task_release(&t);
		return -1;
	}
	t.registry = xstrdup(registry);
	t.name = xstrdup(name);
	*out = t;
	return 0;
}
