#include "cli/follow.h"

#include <signal.h>
#include <time.h>

#include "cli/client.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/scope.h"
#include "model/run.h"

enum { RESUME_MS = 30000, RETRY_MS = 250 };

/* The two Ctrl-Cs: counted by the handler, acted on by the loop. */
static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupts++;
}

struct follow {
	struct cli *cli;
	const char *run_id;
	const struct follow_opts *opts;
	bool cancel_sent;
	bool detached;
};

static void ask_cancel(struct follow *f)
{
	struct err err = { 0 };
	cleanup_free char *path = cli_path(f->cli, &err, "/runs/%s/cancel", f->run_id);
	/* The stream has the client's connection: the cancel goes through one of its own. */
	struct client *other = client_create(f->cli->server, f->cli->token_file, f->cli->verbose);

	cli_say("asking for a cancel of %s; Ctrl-C again leaves it alone and detaches", f->run_id);
	if (!path || client_json(other, "POST", path, NULL, NULL, &err) < 0)
		cli_say("%s", err.msg);
	client_destroy(other);
	f->cancel_sent = true;
}

/* False: the user wants to leave. */
static bool heed_interrupts(struct follow *f)
{
	if (interrupts >= 2 && f->opts->cancel) {
		f->detached = true;
		return false;
	}
	if (interrupts >= 1 && f->opts->cancel && !f->cancel_sent)
		ask_cancel(f);
	return true;
}

static bool on_bytes(struct str bytes, void *data)
{
	struct follow *f = data;
	FILE *out = f->opts->out;
	bool written =
		!out || (fwrite(bytes.ptr, 1, bytes.len, out) == bytes.len && fflush(out) == 0);

	return heed_interrupts(f) && written;
}

static void pause_ms(int ms)
{
	struct timespec delay = { ms / 1000, ms % 1000 * 1000000L };
	nanosleep(&delay, NULL);
}

static void catch_interrupts(bool on)
{
	struct sigaction action = { .sa_handler = on ? on_interrupt : SIG_DFL };
	sigaction(SIGINT, &action, NULL);
}

static int stream_log(struct follow *f, struct err *err)
{
	cleanup_free char *path = cli_path(f->cli, err, "/runs/%s/log%s", f->run_id,
					   f->opts->live ? "?follow=1" : "");
	uint64_t offset = 0, before = 0;
	int64_t give_up_ms = 0;

	if (!path)
		return -1;
	for (;;) {
		struct err trouble = { 0 };
		if (client_stream(cli_client(f->cli), path, &offset, on_bytes, f, &trouble) == 0)
			return 0;
		if (trouble.code != ERR_UNAVAILABLE || !f->opts->live) {
			*err = trouble;
			return -1;
		}
		if (offset != before || give_up_ms == 0)
			give_up_ms = clock_monotonic_ms() + RESUME_MS;
		before = offset;
		if (clock_monotonic_ms() > give_up_ms || !heed_interrupts(f)) {
			*err = trouble;
			return -1;
		}
		pause_ms(RETRY_MS);
	}
}

int follow_log(struct cli *cli, const char *run_id, const struct follow_opts *opts)
{
	struct follow f = { .cli = cli, .run_id = run_id, .opts = opts };
	struct err err = { 0 };

	interrupts = 0;
	catch_interrupts(opts->cancel);
	int rc = stream_log(&f, &err);
	catch_interrupts(false);
	if (f.detached) {
		cli_say("detached; %s goes on: slipway task logs --run-id %s", run_id, run_id);
		return EXIT_RUN;
	}
	return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int follow_verdict(const json_t *run)
{
	const json_t *properties = json_object_get(run, "properties");
	const char *status = json_string_value(json_object_get(properties, "status"));
	const char *message = json_string_value(json_object_get(properties, "runErrorMessage"));
	const char *code = json_string_value(json_object_get(properties, "errorCode"));
	enum run_status value;

	if (!status || run_status_parse(&value, str_from(status)) < 0 ||
	    !run_status_is_terminal(value))
		return EXIT_SERVICE;
	if (value == RUN_SUCCEEDED)
		return EXIT_OK;
	cli_say("run %s: %s%s%s%s%s", json_string_value(json_object_get(properties, "runId")),
		status, code ? " (" : "", code ? code : "", code ? ")" : "", "");
	if (message)
		cli_say("%s", message);
	return EXIT_RUN;
}

int follow_run(struct cli *cli, const char *run_id, const struct follow_opts *opts, json_t **run)
{
	struct err err = { 0 };
	int code = follow_log(cli, run_id, opts);

	if (code != EXIT_OK)
		return code;
	cleanup_free char *path = cli_path(cli, &err, "/runs/%s", run_id);
	if (!path || client_json(cli_client(cli), "GET", path, NULL, run, &err) < 0)
		return cli_fail(&err);
	return follow_verdict(*run);
}
