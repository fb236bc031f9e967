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

/* An image on its way. */
struct push {
	struct exec *x;
	struct engine *engine;
	const struct engine_ops *ops;
	const struct image *image;
	const char *name;
	char *before; /* what the tag pointed at, or NULL */
	char *pushed; /* the digest, as the engine says it */
	char *read;   /* the digest, as the registry says it, or NULL */
};

static int read_before(struct push *p, struct err *err)
{
	return registry_read_digest(&p->before, p->x, p->image, 0, err);
}

static int push_once(struct push *p, struct err *err)
{
	return p->ops->push(p->engine, p->name, &p->pushed, err);
}

/* The image is there: a cancel in this moment must not keep us from saying so. */
static int read_after(struct push *p, struct err *err)
{
	return registry_read_digest(&p->read, p->x, p->image, SETTLE_READ_MS, err);
}

/* Registries have bad moments: what may change is tried again. *err is set on failure. */
static int try_often(struct push *p, int (*once)(struct push *, struct err *), struct err *err)
{
	int64_t pause_ms = FIRST_PAUSE_MS;

	for (int i = 1; once(p, err) < 0; i++) {
		if (err->code != ERR_UNAVAILABLE || i == ATTEMPTS)
			return -1;
		runlog_say(p->x->log, "%s; trying again", err->msg);
		if (exec_pause(p->x, pause_ms, err) < 0)
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

static int push_and_read(struct push *p, struct err *err)
{
	if (try_often(p, read_before, err) < 0)
		return -1;
	if (try_often(p, push_once, err) == 0)
		return try_often(p, read_after, err);
	bool stopped = err->code == ERR_CANCELED || err->code == ERR_TIMEOUT;
	if (!stopped || !arrived_anyway(&p->pushed, p->x, p->image, p->before))
		return -1;
	p->read = xstrdup(p->pushed);
	return 0;
}

static int push_image(struct push *p, struct err *err)
{
	struct err why = { 0 };

	runlog_say(p->x->log, "Pushing %s", p->name);
	int rc = push_and_read(p, &why);
	if (rc == 0)
		rc = compare(p->pushed, p->read, p->name, &why);
	if (rc < 0) {
		if (err)
			*err = why;
		return -1;
	}
	runlog_say(p->x->log, "Pushed %s@%s", p->name, p->read);
	struct report_line line = { .type = REPORT_IMAGE, .image = *p->image };
	line.image.digest = p->read;
	exec_report(p->x, line);
	return 0;
}

int push_images(struct exec *x, struct engine *engine, const struct engine_ops *ops,
		const struct image_names *names, struct err *err)
{
	if (wait_for_grant(x, err) < 0)
		return -1;
	for (size_t i = 0; i < names->len; i++) {
		struct push p = {
			.x = x,
			.engine = engine,
			.ops = ops,
			.image = &names->items[i],
			.name = names->texts.items[i],
		};
		int rc = push_image(&p, err);
		free(p.before);
		free(p.pushed);
		free(p.read);
		if (rc < 0)
			return -1;
	}
	return 0;
}
