/* GET, PUT, DELETE /tasks/{name}, GET /tasks, POST /tasks/{name}/listDetails */
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "server/api.h"
#include "server/context_check.h"

void api_tasks_list(struct call *c)
{
	const struct task *const *tasks;
	size_t len = queue_tasks(c->app->queue, c->registry, &tasks);
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, task_to_json(tasks[i], c->prefix, false));
	call_respond_list(c, list);
}

static void answer_task(struct call *c, bool details)
{
	const struct task *task = queue_task(c->app->queue, c->registry, c->name);

	if (!task)
		http_respond_error(c->req, 404, "not_found", NULL, "there is no task '%.60s'",
				   c->name);
	else
		call_respond(c, 200, task_to_json(task, c->prefix, details));
}

void api_tasks_get(struct call *c)
{
	answer_task(c, false);
}

void api_tasks_list_details(struct call *c)
{
	answer_task(c, true);
}

static void on_put(const struct task *task, const struct err *err, void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req)
		call_respond(c, 200, task_to_json(task, c->prefix, false));
	call_unref(c);
}

/* A task follows a git repository, whose credentials are kept apart from its URL. */
static int check_task(struct call *c, struct task *task, struct err *err)
{
	if (context_check(&task->step, CONTEXT_CHECK_GIT, c->app->config, err) < 0)
		return err_wrap(err, "properties.step.contextPath");
	for (size_t i = 0; i < task->triggers_len; i++) {
		if (context_check_trigger(&task->triggers[i], err) < 0)
			return err_wrap(err, "properties.trigger.sourceTriggers[%zu]", i);
	}
	return 0;
}

static void on_put_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	cleanup_json json_t *resource = call_body_object(c, body);
	struct task task = { 0 };
	struct err err = { 0 };

	(void)app;
	if (!resource)
		return;
	if (task_from_json(&task, resource, c->registry, c->name, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	if (check_task(c, &task, &err) < 0) {
		task_release(&task);
		call_fail(c, &err);
		return;
	}
	queue_put_task(c->app->queue, &task, on_put, call_ref(c));
}

void api_tasks_put(struct call *c)
{
	if (!task_name_is_valid(str_from(c->name)))
		http_respond_error(c->req, 400, "bad_name", NULL,
				   "a task's name has 1 to 50 letters, digits, '-' and '_'");
	else
		http_body_collect(c->req, (size_t)c->app->config->limits.api_body_bytes,
				  on_put_body);
}

static void on_delete(const struct task *task, const struct err *err, void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req)
		http_respond(c->req, task ? 200 : 204, "application/json; charset=utf-8", STR(""));
	call_unref(c);
}

void api_tasks_delete(struct call *c)
{
	queue_delete_task(c->app->queue, c->registry, c->name, on_delete, call_ref(c));
}
