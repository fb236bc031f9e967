#include "model/task.h"

#include <ctype.h>

static void release_trigger(struct source_trigger *t)
{
	free(t->name);
	free(t->control_type);
	free(t->repository_url);
	free(t->repository);
	free(t->branch);
	free(t->token_type);
	free(t->token_scope);
	secret_release(&t->token);
}

void task_release(struct task *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->triggers_len; i++)
		release_trigger(&t->triggers[i]);
	free(t->triggers);
	free(t->registry);
	free(t->name);
	free(t->location);
	json_decref(t->tags);
	build_release(&t->step);
	json_decref(t->passthrough);
	*t = (struct task){ 0 };
}

static void copy_trigger(struct source_trigger *to, const struct source_trigger *from)
{
	*to = (struct source_trigger){
		.name = xstrdup(from->name),
		.enabled = from->enabled,
		.on_commit = from->on_commit,
		.on_pull_request = from->on_pull_request,
		.control_type = xstrdup(from->control_type),
		.repository_url = xstrdup(from->repository_url),
		.repository = xstrdup(from->repository),
		.branch = xstrdup(from->branch),
		.token_type = xstrdup(from->token_type),
		.token_scope = xstrdup(from->token_scope),
	};
	secret_copy(&to->token, &from->token);
}

void task_copy(struct task *to, const struct task *from)
{
	struct task copy = {
		.registry = xstrdup(from->registry),
		.name = xstrdup(from->name),
		.location = xstrdup(from->location),
		.tags = from->tags ? json_deep_copy(from->tags) : NULL,
		.enabled = from->enabled,
		.passthrough = from->passthrough ? json_deep_copy(from->passthrough) : NULL,
		.created_ms = from->created_ms,
		.updated_ms = from->updated_ms,
	};
	build_copy(&copy.step, &from->step);
	if (from->triggers_len)
		copy.triggers = xcalloc(from->triggers_len, sizeof *copy.triggers);
	for (; copy.triggers_len < from->triggers_len; copy.triggers_len++)
		copy_trigger(&copy.triggers[copy.triggers_len], &from->triggers[copy.triggers_len]);
	task_release(to);
	*to = copy;
}

bool task_name_is_valid(struct str name)
{
	if (name.len == 0 || name.len > TASK_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_' &&
		    name.ptr[i] != '-')
			return false;
	return true;
}
