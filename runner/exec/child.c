#include "runner/exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/runlog.h"

enum {
	DRAIN_MS = 1000, /* after the exit, for pipes that a stray process holds open */
	TICK_MS = 1000,  /* the longest sleep, so that orphans given to us are reaped */
	READ_BYTES = 64 * 1024,
};

/* A program under way. Times are monotonic; 0 means "not yet". */
struct running {
	const struct exec *x;
	const struct child_opts *opts;
	pid_t pid;
	int pidfd;
	int log_fd, out_fd; /* -1 at their end */
	int64_t limit_at_ms;
	bool exited;
	int64_t drain_until_ms;
	int64_t kill_at_ms; /* set with the SIGTERM */
	struct err why;     /* why it was asked to stop; ERR_NONE while it was not */
};

/* ---- starting ---- */

/* A file in memory, so that no one has to feed a pipe while the program runs. */
static int open_input(struct str input)
{
	if (input.len == 0)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fs_write_all(fd, input, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int start_error(int errnum, const char *program, struct err *err)
{
	enum err_code code = errnum == ENOENT || errnum == ENOTDIR   ? ERR_NOTFOUND
			     : errnum == EACCES || errnum == ENOEXEC ? ERR_DENIED
								     : ERR_UNAVAILABLE;
	return err_set_errno(err, code, "program_start", errnum, "cannot start %.200s", program);
}

/* posix_spawn() with the descriptors given as 0, 1 and 2, and no others. */
static int spawn(pid_t *pid, const struct child_opts *opts, int in, int out, int log)
{
	static char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawn_file_actions_addchdir_np(&files, opts->dir ? opts->dir : "/");
	int rc = posix_spawn(pid, opts->argv[0], &files, &attr, opts->argv,
			     opts->envp ? opts->envp : no_environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/*
 * Descriptors 0 to 2 of ours must not be closed by accident, or a pipe could land there and be
 * overwritten by the dup2() above; main() makes sure that they are open.
 */
static int start(struct running *r, struct err *err)
{
	const struct child_opts *opts = r->opts;
	int log[2] = { -1, -1 }, out[2] = { -1, -1 };
	int rc = 0;

	int in = open_input(opts->input);
	if (in < 0 || pipe2(log, O_CLOEXEC) < 0 || (opts->out && pipe2(out, O_CLOEXEC) < 0))
		rc = errno;
	if (rc == 0)
		rc = spawn(&r->pid, opts, in, opts->out ? out[1] : log[1], log[1]);
	if (rc == 0) {
		r->pidfd = pidfd_open(r->pid, 0);
		fcntl(log[0], F_SETFL, O_NONBLOCK);
		r->log_fd = log[0];
		if (opts->out) {
			fcntl(out[0], F_SETFL, O_NONBLOCK);
			r->out_fd = out[0];
		}
	}
	const int ours[] = { in, log[1], out[1], rc ? log[0] : -1, rc ? out[0] : -1 };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (ours[i] >= 0)
			close(ours[i]);
	}
	return rc ? start_error(rc, opts->argv[0], err) : 0;
}

/* ---- output ---- */

static void keep_tail(struct buf *tail, struct str bytes)
{
	size_t limit = tail->limit;

	bytes = str_after(bytes, bytes.len > limit ? bytes.len - limit : 0);
	if (tail->len + bytes.len > limit)
		buf_drop_front(tail, tail->len + bytes.len - limit);
	buf_addstr(tail, bytes);
}

static void take_log(struct running *r, struct str bytes)
{
	if (r->opts->log)
		runlog_write(r->opts->log, bytes);
	if (r->opts->tail)
		keep_tail(r->opts->tail, bytes);
}

static void take_out(struct running *r, struct str bytes)
{
	buf_addstr(r->opts->out, bytes);
}

/* Read what is there; at the end close the pipe and set *fd to -1. */
static void drain(struct running *r, int *fd, void (*take)(struct running *, struct str))
{
	char bytes[READ_BYTES];

	if (*fd < 0)
		return;
	ssize_t n = read(*fd, bytes, sizeof bytes);
	if (n > 0) {
		take(r, (struct str){ bytes, (size_t)n });
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
}

/* ---- stopping ---- */

/* The first reason to stop, in *err; 0 while there is none. */
static int may_go_on(struct running *r, struct err *err)
{
	if (r->x && exec_may_go_on(r->x, err) < 0)
		return -1;
	if (r->limit_at_ms && clock_monotonic_ms() >= r->limit_at_ms)
		return err_set(err, ERR_TIMEOUT, "program_timeout",
			       "%.200s did not end within %lld ms", r->opts->argv[0],
			       (long long)r->opts->limit_ms);
	if (r->opts->log && runlog_is_full(r->opts->log))
		return err_set(err, ERR_LIMIT, "log_limit", "the run wrote more log than is kept");
	if (r->opts->out && r->opts->out->full)
		return err_set(err, ERR_LIMIT, "program_output",
			       "%.200s printed more than %zu bytes", r->opts->argv[0],
			       r->opts->out->limit);
	return 0;
}

static int64_t half_grace_ms(const struct running *r)
{
	return r->x && r->x->spec.grace_ms > 0 ? r->x->spec.grace_ms / 2 : 1000;
}

/* TERM once, KILL when it did not help. The leader is not reaped yet, so the group's id is ours. */
static void stop_if_asked(struct running *r)
{
	if (r->exited)
		return;
	if (r->why.code == ERR_NONE) {
		if (may_go_on(r, &r->why) == 0)
			return;
		r->kill_at_ms = clock_monotonic_ms() + half_grace_ms(r);
		kill(-r->pid, SIGTERM);
	} else if (clock_monotonic_ms() >= r->kill_at_ms) {
		kill(-r->pid, SIGKILL);
		r->kill_at_ms = INT64_MAX;
	}
}

/*
 * Notice the exit without reaping, so that the process group cannot be another's when its rest is
 * killed. Orphans that fell to us (we are the first process of a namespace, or a subreaper) are
 * reaped on the way.
 */
static void look_for_exit(struct running *r)
{
	siginfo_t info = { 0 };

	while (!r->exited) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		if (info.si_pid != r->pid) {
			waitpid(info.si_pid, NULL, 0);
			continue;
		}
		r->exited = true;
		r->drain_until_ms = clock_monotonic_ms() + DRAIN_MS;
		kill(-r->pid, SIGKILL);
	}
}

/* ---- the loop ---- */

static int next_wake_ms(const struct running *r)
{
	int64_t now = clock_monotonic_ms(), at = now + TICK_MS;
	const int64_t wakes[] = {
		r->exited ? r->drain_until_ms : 0,
		r->kill_at_ms,
		r->why.code == ERR_NONE ? r->limit_at_ms : 0,
		r->why.code == ERR_NONE && r->x ? r->x->deadline_ms : 0,
	};
	for (size_t i = 0; i < ARRAY_LEN(wakes); i++) {
		if (wakes[i] && wakes[i] < at)
			at = wakes[i];
	}
	return at > now ? (int)(at - now) : 0;
}

static bool is_over(const struct running *r)
{
	bool drained = r->log_fd < 0 && r->out_fd < 0;
	return r->exited && (drained || clock_monotonic_ms() >= r->drain_until_ms);
}

static void follow(struct running *r)
{
	while (!is_over(r)) {
		struct pollfd fds[] = {
			{ .fd = r->log_fd, .events = POLLIN },
			{ .fd = r->out_fd, .events = POLLIN },
			{ .fd = r->exited ? -1 : r->pidfd, .events = POLLIN },
			/* Stays readable once it is: no longer interesting then. */
			{ .fd = r->x && r->why.code == ERR_NONE ? r->x->stop_fd : -1,
			  .events = POLLIN },
		};
		poll(fds, ARRAY_LEN(fds), next_wake_ms(r));
		drain(r, &r->log_fd, take_log);
		drain(r, &r->out_fd, take_out);
		look_for_exit(r);
		stop_if_asked(r);
	}
}

static void reap(struct running *r, struct child_result *out)
{
	int status = 0;

	waitpid(r->pid, &status, 0);
	out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	const int ours[] = { r->pidfd, r->log_fd, r->out_fd };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (ours[i] >= 0)
			close(ours[i]);
	}
	if (r->opts->log)
		runlog_flush(r->opts->log);
}

int child_run(struct child_result *out, const struct exec *x, const struct child_opts *opts,
	      struct err *err)
{
	struct running r = { .x = x, .opts = opts, .pidfd = -1, .log_fd = -1, .out_fd = -1 };

	if (opts->limit_ms)
		r.limit_at_ms = clock_monotonic_ms() + opts->limit_ms;
	if (may_go_on(&r, err) < 0 || start(&r, err) < 0)
		return -1;
	follow(&r);
	reap(&r, out);
	/* Output that did not fit is a failure also when the program had ended by itself. */
	if (r.why.code == ERR_NONE && opts->out && opts->out->full)
		may_go_on(&r, &r.why);
	if (r.why.code == ERR_NONE)
		return 0;
	if (err)
		*err = r.why;
	return -1;
}
