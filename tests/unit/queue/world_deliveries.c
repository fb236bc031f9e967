/* What comes in, and the tasks that follow it. */
#include "tests/unit/queue/world.h"

#include "common/clock.h"

/* ---- deliveries ---- */

static const char * or (const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

/* "A" stands for a commit of forty digits. */
static char *commit_id(const char *letter)
{
	unsigned char sha[SHA256_BYTES];

	sha256(sha, str_from(letter));
	char *hex = hex_encode(sha, SHA256_BYTES);
	hex[40] = '\0';
	return hex;
}

static void make_run(struct run *run, const struct delivery *d, const struct happening *h)
{
	const char *task = or (h->task, "web");

	*run = (struct run){
		.registry = xstrdup("main"),
		.type = RUN_AUTO_BUILD,
		.task = xstrdup(task),
		.order_key = xasprintf("main/%s/%s", task, d->event.ref),
		.reason = xstrdup("push to main by octocat"),
		.source = { .id = xstrdup(d->delivery_id),
			    .event_type = xstrdup("Commit"),
			    .commit_id = xstrdup(d->event.after),
			    .repository_url = xstrdup(d->event.repository_url),
			    .branch = xstrdup(event_short_ref(&d->event)),
			    .provider = xstrdup("Github") },
		.build = { .context = xstrdup("https://github.com/acme/app.git#main:app"),
			   .commit = xstrdup(d->event.after),
			   .ref = xstrdup(d->event.ref),
			   .dockerfile = xstrdup("Dockerfile"),
			   .push = true },
	};
	if (h->order_key) {
		free(run->order_key);
		run->order_key = *h->order_key ? xstrdup(h->order_key) : NULL;
	}
	if (h->secret) {
		run->build.args = xcalloc(1, sizeof *run->build.args);
		run->build.args_len = 1;
		run->build.args[0].name = xstrdup("TOKEN");
		run->build.args[0].is_secret = true;
		secret_set(&run->build.args[0].secret, str_from(h->secret));
	}
}

void make_delivery(struct delivery *d, struct run *run, const struct happening *h)
{
	*d = (struct delivery){
		.webhook = xstrdup(or (h->webhook, "github")),
		.delivery_id = xstrdup(h->id),
		.received_ms = clock_now_ms(),
		.event = { .kind = strcmp(or (h->name, "push"), "pull_request") == 0
					   ? EVENT_PULL_REQUEST
					   : EVENT_PUSH,
			   .name = xstrdup(or (h->name, "push")),
			   .provider = xstrdup("github"),
			   .repository = xstrdup("github.com/acme/app"),
			   .repository_url = xstrdup("https://github.com/acme/app.git"),
			   .ref = xstrdup(or (h->ref, "refs/heads/main")),
			   .before = commit_id(or (h->before, "0")),
			   .after = commit_id(or (h->after, "A")),
			   .forced = true,
			   .sender = xstrdup("octocat") },
	};
	sha256(d->body_sha256, str_from(or (h->body, h->id)));
	*delivery_add_verdict(d) = (struct verdict){
		.registry = xstrdup("main"),
		.task = xstrdup(or (h->task, "web")),
		.matched = !h->unmatched,
		.reason = xstrdup(h->unmatched ? "the task is disabled" : "push to main"),
	};
	if (!h->unmatched)
		make_run(run, d, h);
}

static void read_delivery(struct answer *a, const struct delivery *d)
{
	strvec_push(&a->names, d->delivery_id);
	strvec_push_all(&a->runs, &d->runs);
	for (size_t i = 0; i < d->verdicts_len; i++) {
		strvec_push(&a->texts, d->verdicts[i].reason);
		strvec_push(&a->others, or (d->verdicts[i].run_id, "-"));
	}
}

void accept_answered(enum accept_outcome outcome, const struct delivery *stored,
		     const struct err *err, void *data)
{
	struct world *w = data;

	answer_came(w, err);
	w->answer.outcome = outcome;
	if (!err)
		read_delivery(&w->answer, stored);
	else
		assert_null(stored);
}

void receive_async(struct world *w, const struct happening *h)
{
	struct delivery d;
	struct run run = { 0 };

	make_delivery(&d, &run, h);
	w->waiting++;
	queue_accept(w->queue, &d, &run, h->unmatched ? 0 : 1, accept_answered, w);
	assert_null(d.delivery_id); /* taken */
	assert_null(run.registry);
}

void receive(struct world *w, struct happening h)
{
	answer_clear(&w->answer);
	receive_async(w, &h);
	world_wait(w);
}

void push(struct world *w, const char *id, const char *before, const char *after)
{
	receive(w, (struct happening){ .id = id, .before = before, .after = after });
}

static void on_deliveries(const struct delivery *deliveries, size_t len, const struct err *err,
			  void *data)
{
	struct world *w = data;

	answer_came(w, err);
	for (size_t i = 0; i < len; i++)
		read_delivery(&w->answer, &deliveries[i]);
}

void list_deliveries(struct world *w, const char *id)
{
	answer_begin(w);
	if (id)
		queue_get_delivery(w->queue, id, on_deliveries, w);
	else
		queue_list_deliveries(w->queue, 50, on_deliveries, w);
	world_wait(w);
}

/* ---- tasks ---- */

static void on_task(const struct task *task, const struct err *err, void *data)
{
	struct world *w = data;

	answer_came(w, err);
	w->answer.found = task != NULL;
	if (task)
		strvec_push(&w->answer.names, task->name);
}

void put_task(struct world *w, struct task *task)
{
	answer_begin(w);
	queue_put_task(w->queue, task, on_task, w);
	world_wait(w);
}

void delete_task(struct world *w, const char *registry, const char *name)
{
	answer_begin(w);
	queue_delete_task(w->queue, registry, name, on_task, w);
	world_wait(w);
}
