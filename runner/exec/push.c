#include "runner/exec/push.h"

#include <poll.h>
#include <sys/inotify.h>

#include "common/clock.h"
#include "common/scope.h"
#include "runner/contract/report.h"
#include "runner/contract/rundir.h"
#include "runner/exec/registry.h"
#include "runner/exec/runlog.h"

enum {
	ATTEMPTS = 3,
	FIRST_PAUSE_MS = 250,
	LONGEST_PAUSE_MS = 5000,
	GRANT_TICK_MS = 1000, /* should the news of the grant get lost */
	SETTLE_READS = 4,
	SETTLE_PAUSE_MS = 1000,
	SETTLE_READ_MS = 2000,
};

/* ---- the fence ---- */

static bool is_granted(const struct exec *x)
{
	return rundir_is_granted(x->spec.data_dir, x->spec.run_id, x->spec.attempt);
}

static int wait_for_grant(struct exec *x, struct err *err)
{
	cleanup_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (watch >= 0)
		inotify_add_watch(watch, x->dir, IN_MOVED_TO | IN_CLOSE_WRITE);
	exec_report(x, (struct report_line){ .type = REPORT_PUSH_WANTED });
	while (!is_granted(x)) {
		char events[4096];
		struct pollfd fds[] = {
			{ .fd = watch, .events = POLLIN },
			{ .fd = x->stop_fd, .events = POLLIN },
		};
		if (exec_may_go_on(x, err) < 0)
			return -1;
		int64_t left_ms = x->deadline_ms - clock_monotonic_ms();
		poll(fds, ARRAY_LEN(fds), left_ms < GRANT_TICK_MS ? (int)left_ms : GRANT_TICK_MS);
		if (fds[0].revents && read(watch, events, sizeof events) < 0)
			continue;
	}
	return 0;
}

/* ---- after a push that was cut short ---- */

/* 1 when two reads a second apart agree, and *digest is what they read; 0 when they do not. */
static int read_until_sure(char **digest, const struct exec *x, const struct image *image)
{
	char *before = NULL;
	bool has_before = false;

	for (int i = 0; i < SETTLE_READS; i++) {
		char *now = NULL;
		if (registry_read_digest(&now, x, image, SETTLE_READ_MS, NULL) == 0) {
			bool same = has_before && ((!now && !before) ||
						   (now && before && strcmp(now, before) == 0));
			free(before);
			before = now;
			has_before = true;
			if (same) {
				*digest = before;
				return 1;
			}
		}
		poll(NULL, 0, SETTLE_PAUSE_MS);
	}
	free(before);
	return 0;
}

/*
 * Did the push get through although it was cut short? `before` is what the tag pointed at, and
 * behind the fence nobody but us moves it.
 */
static bool arrived_anyway(char **digest, struct exec *x, const struct image *image,
			   const char *before)
{
	char *now = NULL;

	runlog_say(x->log, "The push was interrupted: asking %s what it holds", image->registry);
	if (!read_until_sure(&now, x, image)) {
		runlog_say(x->log, "%s does not say for sure", image->registry);
		return false;
	}
	if (!now || (before && strcmp(now, before) == 0)) {
		runlog_say(x->log, "%s was not changed", image->tag);
		free(now);
		return false;
	}
	*digest = now;
	return true;
}

/* ---- one image ---- */

static int push_with_retries(struct exec *x, struct engine *engine, const struct engine_ops *ops,
			     const char *name, char **digest, struct err *err)
{
	struct err failure = { 0 };
	int64_t pause_ms = FIRST_PAUSE_MS;

	for (int i = 1; ops->push(engine, name, digest, &failure) < 0; i++) {
		if (failure.code != ERR_UNAVAILABLE || i == ATTEMPTS) {
			if (err)
				*err = failure;
			return -1;
		}
		runlog_say(x->log, "%s; trying again", failure.msg);
		if (exec_pause(x, pause_ms, err) < 0)
			return -1;
		pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
	}
	return 0;
}

static int compare(const char *pushed, const char *read, const char *name, struct err *err)
{
	if (!read)
		return err_set(err, ERR_UNAVAILABLE, "registry_digest",
			       "the registry took %.200s and does not have it", name);
	if (strcmp(pushed, read) != 0)
		return err_set(err, ERR_CONFLICT, "registry_digest",
			       "the registry holds %.80s under %.200s, and we pushed %.80s", read,
			       name, pushed);
	return 0;
}

static int push_image(struct exec *x, struct engine *engine, const struct engine_ops *ops,
		      struct image *image, const char *name, struct err *err)
{
	cleanup_free char *before = NULL, *pushed = NULL, *read = NULL;

	runlog_say(x->log, "Pushing %s", name);
	if (registry_read_digest(&before, x, image, 0, err) < 0)
		return -1;
	if (push_with_retries(x, engine, ops, name, &pushed, err) < 0) {
		bool stopped = err->code == ERR_CANCELED || err->code == ERR_TIMEOUT;
		if (!stopped || !arrived_anyway(&pushed, x, image, before))
			return -1;
		read = xstrdup(pushed);
	} else if (registry_read_digest(&read, x, image, SETTLE_READ_MS, err) < 0) {
		return -1;
	}
	if (compare(pushed, read, name, err) < 0)
		return -1;
	runlog_say(x->log, "Pushed %s@%s", name, read);
	struct report_line line = { .type = REPORT_IMAGE, .image = *image };
	line.image.digest = read;
	exec_report(x, line);
	return 0;
}

int push_images(struct exec *x, struct engine *engine, const struct engine_ops *ops,
		const struct image_names *names, struct err *err)
{
	if (wait_for_grant(x, err) < 0)
		return -1;
	for (size_t i = 0; i < names->len; i++) {
		if (push_image(x, engine, ops, &names->items[i], names->texts.items[i], err) < 0)
			return -1;
	}
	return 0;
}
