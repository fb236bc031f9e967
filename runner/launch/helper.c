#include "runner/launch/helper.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/buf.h"
#include "common/mem.h"
#include "runner/launch/process.h"

enum { OUTPUT_BYTES = 256 << 10 };

struct helper {
	struct process *process;
	uv_timer_t deadline;
	bool late, canceled;
	struct buf output;
	struct helper_opts opts;
};

static void on_timer_closed(uv_handle_t *handle)
{
	struct helper *h = handle->data;

	buf_release(&h->output);
	free(h);
}

static void on_output(struct str bytes, void *data)
{
	struct helper *h = data;
	buf_addstr(&h->output, bytes);
}

static int verdict(const struct helper *h, int status, struct err *err)
{
	char how[80];

	if (h->canceled)
		return err_set(err, ERR_CANCELED, "canceled", "%s was stopped", h->opts.verb);
	if (h->late)
		return err_set(err, ERR_TIMEOUT, "timeout", "%s did not end within %d s",
			       h->opts.verb, (int)(h->opts.deadline_ms / 1000));
	if (status != 0)
		return err_set(err, ERR_INTERNAL, "runner_failed", "%s %s", h->opts.verb,
			       process_end_text(how, sizeof how, status));
	if (h->output.full)
		return err_set(err, ERR_LIMIT, "too_large", "%s wrote more than %d bytes",
			       h->opts.verb, OUTPUT_BYTES);
	return 0;
}

static void on_end(int status, void *data)
{
	struct helper *h = data;
	struct err err = { 0 };
	bool bad = verdict(h, status, &err) < 0;

	h->opts.done(buf_str(&h->output), bad ? &err : NULL, h->opts.data);
	process_close(h->process);
	uv_close((uv_handle_t *)&h->deadline, on_timer_closed);
}

static void on_deadline(uv_timer_t *timer)
{
	struct helper *h = timer->data;

	h->late = true;
	process_signal(h->process, SIGKILL);
}

void helper_cancel(struct helper *h)
{
	h->canceled = true;
	process_signal(h->process, SIGKILL);
}

int helper_start(struct helper **out, struct uv_loop_s *loop, const struct helper_opts *opts,
		 struct err *err)
{
	struct helper *h = xnew(struct helper);
	struct process_opts process = {
		.program = opts->program,
		.verb = opts->verb,
		.on_output = on_output,
		.on_end = on_end,
		.data = h,
	};
	size_t len = strlen(opts->text);

	*h = (struct helper){ .output = BUF_LIMIT(OUTPUT_BYTES), .opts = *opts };
	if (process_start(&h->process, loop, &process, err) < 0) {
		explicit_bzero(opts->text, len);
		free(opts->text);
		free(h);
		return -1;
	}
	process_feed(h->process, opts->text, len);
	uv_timer_init(loop, &h->deadline);
	h->deadline.data = h;
	uv_timer_start(&h->deadline, on_deadline, (uint64_t)opts->deadline_ms, 0);
	*out = h;
	return 0;
}
