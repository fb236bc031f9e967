#include "triggers/match.h"

#include "common/buf.h"

/* The branch of a trigger as a full ref: it may be given short ("main") or full. */
static char *trigger_ref(const struct source_trigger *t)
{
	if (strncmp(t->branch, "refs/", 5) == 0)
		return xstrdup(t->branch);
	return xasprintf("refs/heads/%s", t->branch);
}

static bool follows(const struct source_trigger *t, const struct event *event)
{
	return t->repository && event->repository && strcmp(t->repository, event->repository) == 0;
}

/* Why this trigger says no, owned by the caller; NULL when it says yes. */
static char *why_not(const struct task *task, const struct source_trigger *t,
		     const struct event *event)
{
	if (!task->enabled)
		return xstrdup("the task is disabled");
	if (!t->enabled)
		return xstrdup("the source trigger is disabled");
	if (!t->on_commit)
		return xstrdup("the commit trigger is off");
	if (event->deleted)
		return xasprintf("%s was deleted: there is nothing to build", event->ref);

	char *ref = trigger_ref(t), *reason = NULL;
	if (strcmp(ref, event->ref) != 0)
		reason = xasprintf("the task follows %s, not %s", ref, event->ref);
	free(ref);
	return reason;
}

static char *describe(const struct event *event)
{
	const char *what = event_is_tag(event) ? "tag" : "push to";
	const char *how = event->created && !event_is_tag(event) ? " (new branch)"
			  : event->forced                        ? " (forced)"
								 : "";

	if (event->sender)
		return xasprintf("%s %s by %s%s", what, event_short_ref(event), event->sender, how);
	return xasprintf("%s %s%s", what, event_short_ref(event), how);
}

/* The run that the task wants for this event; the queue gives it id and time. */
static void draft_run(struct run *run, const struct task *task, const struct delivery *delivery)
{
	const struct event *event = &delivery->event;

	*run = (struct run){
		.registry = xstrdup(task->registry),
		.type = RUN_AUTO_BUILD,
		.task = xstrdup(task->name),
		.order_key = xasprintf("%s/%s/%s", task->registry, task->name, event->ref),
		.reason = describe(event),
		.source = {
			.id = xstrdup(delivery->delivery_id),
			.event_type = xstrdup("Commit"),
			.commit_id = xstrdup(event->after),
			.repository_url = xstrdup(event->repository_url),
			.branch = xstrdup(event_short_ref(event)),
			.provider = xstrdup(strcmp(event->provider, "github") == 0 ? "Github" : event->provider),
		},
	};
	build_copy(&run->build, &task->step);
	free(run->build.commit);
	free(run->build.ref);
	run->build.commit = xstrdup(event->after);
	run->build.ref = xstrdup(event->ref);
}

static void want(struct match *out, const struct task *task, const struct delivery *delivery)
{
	out->wanted = xreallocarray(out->wanted, out->len + 1, sizeof *out->wanted);
	draft_run(&out->wanted[out->len++], task, delivery);
}

/* A task may hold several triggers for one repository: the first that says yes counts. */
static void ask_task(struct match *out, struct delivery *delivery, const struct task *task)
{
	char *reason = NULL;
	bool matched = false;

	for (size_t i = 0; i < task->triggers_len && !matched; i++) {
		const struct source_trigger *t = &task->triggers[i];
		if (!follows(t, &delivery->event))
			continue;
		free(reason);
		reason = why_not(task, t, &delivery->event);
		matched = reason == NULL;
	}
	if (matched) {
		want(out, task, delivery);
		reason = describe(&delivery->event);
	}
	struct verdict *verdict = delivery_add_verdict(delivery);
	verdict->registry = xstrdup(task->registry);
	verdict->task = xstrdup(task->name);
	verdict->matched = matched;
	verdict->reason = reason ? reason : xstrdup("no source trigger follows this repository");
}

void match_event(struct match *out, struct delivery *delivery, const struct task *const *tasks,
		 size_t len)
{
	*out = (struct match){ 0 };
	for (size_t i = 0; i < len; i++)
		ask_task(out, delivery, tasks[i]);
	if (len == 0)
		delivery_add_verdict(delivery)->reason =
			xasprintf("no task follows %.200s", delivery->event.repository);
}

void match_release(struct match *m)
{
	for (size_t i = 0; i < m->len; i++)
		run_release(&m->wanted[i]);
	free(m->wanted);
	*m = (struct match){ 0 };
}
