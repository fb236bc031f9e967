#include "runner/launch/probe.h"

#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "runner/launch/helper.h"

enum { DEADLINE_MS = 60000 };

struct waiter {
	launcher_probe_cb cb;
	void *data;
};

struct probe {
	struct uv_loop_s *loop;
	const char *program;
	struct helper *helper; /* while it is under way */
	struct waiter *waiters;
	size_t waiters_len;
	bool closing;
	void (*closed)(void *data);
	void *closed_data;
};

struct probe *probe_create(struct uv_loop_s *loop, const char *program)
{
	struct probe *p = xnew(struct probe);

	p->loop = loop;
	p->program = program;
	return p;
}

static void release(struct probe *p)
{
	void (*closed)(void *) = p->closed;
	void *data = p->closed_data;

	free(p->waiters);
	free(p);
	if (closed)
		closed(data);
}

/* A waiter may ask again from its callback: it gets a probe of its own. */
static void answer(struct probe *p, const char *lines, const struct err *err)
{
	struct waiter *waiters = p->waiters;
	size_t len = p->waiters_len;

	p->waiters = NULL;
	p->waiters_len = 0;
	for (size_t i = 0; i < len; i++)
		waiters[i].cb(lines, err, waiters[i].data);
	free(waiters);
}

static void on_done(struct str output, const struct err *err, void *data)
{
	struct probe *p = data;
	char *lines = str_dup(output);

	p->helper = NULL;
	answer(p, lines, err);
	free(lines);
	if (p->closing)
		release(p);
}

static int start(struct probe *p, const struct spec *spec, struct err *err)
{
	json_t *json = spec_to_json(spec);
	struct helper_opts opts = {
		.program = p->program,
		.verb = "probe",
		.text = json_text(json),
		.deadline_ms = DEADLINE_MS,
		.done = on_done,
		.data = p,
	};

	json_decref(json);
	return helper_start(&p->helper, p->loop, &opts, err);
}

void probe_ask(struct probe *p, const struct spec *spec, launcher_probe_cb cb, void *data)
{
	struct err err = { 0 };

	if (p->closing || (!p->helper && start(p, spec, &err) < 0)) {
		if (p->closing)
			err_set(&err, ERR_CANCELED, "canceled", "the service is stopping");
		cb("", &err, data);
		return;
	}
	p->waiters = xreallocarray(p->waiters, p->waiters_len + 1, sizeof *p->waiters);
	p->waiters[p->waiters_len++] = (struct waiter){ cb, data };
}

void probe_close(struct probe *p, void (*closed)(void *data), void *data)
{
	p->closing = true;
	p->closed = closed;
	p->closed_data = data;
	if (p->helper)
		helper_cancel(p->helper);
	else
		release(p);
}
