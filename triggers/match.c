#include "triggers/match.h"

#include "common/buf.h"

/* The branch of a trigger as a full ref: it may be given short ("main") or full. */
static char *trigger_ref(const struct source_trigger *t)
{
	if (strncmp(t->branch, "refs/", 5) == 0)
		return xstrdup(t->branch);
	return xasprintf("refs/heads/%s", t->branch);
}

static bool is_identity(const char *wanted, const char *of)
{
	return wanted && of && strcmp(wanted, of) == 0;
}

static bool follows(const struct source_trigger *t, const struct event *event)
{
	return is_identity(t->repository, event->repository) ||
	       is_identity(t->repository, event->repository_id);
}

static char *why_other_branch(const struct source_trigger *t, const char *ref)
{
	char *wanted = trigger_ref(t), *reason = NULL;

	if (!ref || strcmp(wanted, ref) != 0)
		reason = xasprintf("the task follows %s, not %s", wanted, ref ? ref : "nothing");
	free(wanted);
	return reason;
}

static char *why_not_push(const struct source_trigger *t, const struct event *event)
{
	if (!t->on_commit)
		return xstrdup("the commit trigger is off");
	if (event->deleted)
		return xasprintf("%s was deleted: there is nothing to build", event->ref);
	if (event->skip)
		return xasprintf("the newest commit says to skip: \"%s\"",
				 event->title ? event->title : "");
	return why_other_branch(t, event->ref);
}

static char *why_not_pull(const struct source_trigger *t, const struct event *event)
{
	const struct pull_request *pull = &event->pull;

	if (!t->on_pull_request)
		return xstrdup("the pull request trigger is off");
	if (pull->action > PULL_RETARGETED)
		return xasprintf("pull request %lld: \"%s\" brings nothing new to build",
				 (long long)pull->number, pull_action_name(pull->action));
	if (pull->draft)
		return xasprintf("pull request %lld is a draft", (long long)pull->number);
	if (pull->fork)
		return xasprintf("pull request %lld comes from a fork, which is not built",
				 (long long)pull->number);
	return why_other_branch(t, pull->target);
}

/* Why this trigger says no, owned by the caller; NULL when it says yes. */
static char *why_not(const struct task *task, const struct source_trigger *t,
		     const struct event *event)
{
	if (!task->enabled)
		return xstrdup("the task is disabled");
	if (!t->enabled)
		return xstrdup("the source trigger is disabled");
	return event->kind == EVENT_PULL_REQUEST ? why_not_pull(t, event) : why_not_push(t, event);
}

static char *describe_pull(const struct event *event)
{
	const struct pull_request *pull = &event->pull;
	const char *by = event->sender ? " by " : "", *who = event->sender ? event->sender : "";

	return xasprintf("pull request %lld %s%s%s", (long long)pull->number,
			 pull_action_name(pull->action), by, who);
}

static char *describe(const struct event *event)
{
	if (event->kind == EVENT_PULL_REQUEST)
		return describe_pull(event);

	const char *what = event_is_tag(event) ? "tag" : "push to";
	const char *how = event->created && !event_is_tag(event) ? " (new branch)"
			  : event->forced                        ? " (forced)"
								 : "";

	if (event->sender)
		return xasprintf("%s %s by %s%s", what, event_short_ref(event), event->sender, how);
	return xasprintf("%s %s%s", what, event_short_ref(event), how);
}

/* The run that the task wants for this event; the queue gives it id and time. */
static void draft_run(struct run *run, const struct task *task, const struct delivery *delivery,
		      size_t n)
{
	const struct event *event = delivery_event(delivery, n);

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

static void want(struct match *out, const struct task *task, const struct delivery *delivery,
		 size_t n)
{
	out->wanted = xreallocarray(out->wanted, out->len + 1, sizeof *out->wanted);
	draft_run(&out->wanted[out->len++], task, delivery, n);
}

/* A task may hold several triggers for one repository: the first that says yes counts. */
static void ask_task(struct match *out, struct delivery *delivery, size_t n,
		     const struct task *task)
{
	const struct event *event = delivery_event(delivery, n);
	char *reason = NULL;
	bool matched = false;

	for (size_t i = 0; i < task->triggers_len && !matched; i++) {
		const struct source_trigger *t = &task->triggers[i];
		if (!follows(t, event))
			continue;
		free(reason);
		reason = why_not(task, t, event);
		matched = reason == NULL;
	}
	if (matched) {
		want(out, task, delivery, n);
		reason = describe(event);
	}
	struct verdict *verdict = delivery_add_verdict(delivery);
	verdict->registry = xstrdup(task->registry);
	verdict->task = xstrdup(task->name);
	verdict->event = n;
	verdict->matched = matched;
	verdict->reason = reason ? reason : xstrdup("no source trigger follows this repository");
}

void match_event(struct match *out, struct delivery *delivery, size_t n,
		 const struct task *const *tasks, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ask_task(out, delivery, n, tasks[i]);
	if (len == 0) {
		struct verdict *verdict = delivery_add_verdict(delivery);
		verdict->event = n;
		verdict->reason = xasprintf("no task follows %.200s",
					    delivery_event(delivery, n)->repository);
	}
}

void match_release(struct match *m)
{
	for (size_t i = 0; i < m->len; i++)
		run_release(&m->wanted[i]);
	free(m->wanted);
	*m = (struct match){ 0 };
}
