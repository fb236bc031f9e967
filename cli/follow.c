#include "cli/follow.h"

#include <errno.h>
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
	bool cancel_told, cancel_sent;
	bool connected; /* the service answered once: it is worth waiting for */
	bool detached;
	int write_error; /* errno of `out`, or 0 */
};

static void ask_cancel(struct follow *f)
{
	struct err err = { 0 };
	cleanup_free char *path = cli_path(f->cli, &err, "/runs/%s/cancel", f->run_id);
	/* The stream has the client's connection: the cancel goes through one of its own. */
	struct client *other = client_create(f->cli->server, f->cli->token_file, f->cli->verbose);

	if (!f->cancel_told)
		cli_say("asking for a cancel of %s; Ctrl-C again leaves it alone and detaches",
			f->run_id);
	f->cancel_told = true;
	int rc = path ? client_json(other, "POST", path, NULL, NULL, &err) : -1;
	client_destroy(other);
	/* A service that is just being restarted is asked again at the next look. */
	f->cancel_sent = rc == 0 || err.code != ERR_UNAVAILABLE;
	if (rc < 0 && f->cancel_sent)
		cli_say("%s", err.msg);
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

	f->connected = f->connected || bytes.len;
	if (out && (fwrite(bytes.ptr, 1, bytes.len, out) != bytes.len || fflush(out) != 0)) {
		f->write_error = errno;
		return false;
	}
	return heed_interrupts(f);
}

static void pause_ms(int ms)
{
	struct timespec delay = { ms / 1000, ms % 1000 * 1000000L };
	nanosleep(&delay, NULL);
}

/* A program that was started with Ctrl-C ignored (nohup, '&' of a script) goes on ignoring it. */
static void catch_interrupts(struct sigaction *before)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	sigaction(SIGINT, NULL, before);
	if (before->sa_handler != SIG_IGN)
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
		f->connected = f->connected || client_status(cli_client(f->cli)) != 0;
		if (trouble.code != ERR_UNAVAILABLE || !f->opts->live || !f->connected) {
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

	struct sigaction before;

	interrupts = 0;
	if (opts->cancel)
		catch_interrupts(&before);
	int rc = stream_log(&f, &err);
	if (opts->cancel)
		sigaction(SIGINT, &before, NULL);
	if (f.detached) {
		cli_say("detached; to come back: slipway task logs --run-id %s", run_id);
		return EXIT_RUN;
	}
	if (f.write_error) {
		cli_say("cannot write the log: %s", strerror(f.write_error));
		return EXIT_SERVICE;
	}
	return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int follow_verdict(const json_t *run)
{
	const json_t *properties = json_object_get(run, "properties");
	const char *status = json_string_value(json_object_get(properties, "status"));
	const char *message = json_string_value(json_object_get(properties, "runErrorMessage"));
	const char *code = json_string_value(json_object_get(properties, "errorCode"));
	const char *run_id = json_string_value(json_object_get(properties, "runId"));
	enum run_status value;

	if (!status || run_status_parse(&value, str_from(status)) < 0 ||
	    !run_status_is_terminal(value)) {
		cli_say("the log of run %s ended, but not the run: %s", run_id ? run_id : "?",
			status ? status : "the service gave no status");
		return EXIT_SERVICE;
	}
	if (value == RUN_SUCCEEDED)
		return EXIT_OK;
	cli_say("run %s: %s%s%s%s", run_id ? run_id : "?", status, code ? " (" : "",
		code ? code : "", code ? ")" : "");
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
