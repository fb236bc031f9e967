#include "runner/exec/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"
#include "runner/contract/report.h"
#include "runner/contract/rundir.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/engine.h"
#include "runner/exec/namespace.h"
#include "runner/exec/run.h"
#include "runner/exec/runlog.h"

/* Of the grace time, what is left for sweeping up and for telling. */
enum { GRACE_RESERVE = 10 };

struct supervisor {
	struct exec x;
	int lock_fd;
	struct cgroup cgroup;
	struct isolation isolation;
	pid_t inner;
	enum run_status stopped; /* RUN_CANCELED or RUN_TIMEOUT once it was asked to stop; else 0 */
	int64_t kill_at_ms;
	bool killed;
};

/* ---- preparing ---- */

/* SIGTERM and SIGINT become readable here, and nowhere interrupt. Each process needs its own. */
static int open_stop_fd(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_files(struct supervisor *s, struct err *err)
{
	const struct spec *spec = &s->x.spec;
	cleanup_free char *report = rundir_path(spec->data_dir, spec->run_id, "report");

	s->x.dir = rundir_path(spec->data_dir, spec->run_id, NULL);
	s->x.work = rundir_path(spec->data_dir, spec->run_id, "work");
	if (rundir_create(spec->data_dir, spec->run_id, err) < 0 ||
	    rundir_lock(&s->lock_fd, spec->data_dir, spec->run_id, err) < 0)
		return -1;
	s->x.report_fd = open(report, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->x.report_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "storage", errno, "cannot open %.200s",
				     report);
	if (fs_remove_tree(s->x.work, err) < 0 || fs_mkdirs(s->x.work, 0700, err) < 0)
		return -1;
	return 0;
}

static void make_cgroup(struct supervisor *s)
{
	const struct spec_limits *limits = &s->x.spec.limits;
	cleanup_free char *name = cgroup_name(&s->x.spec);
	struct cgroup_limits wanted = {
		.memory_bytes = limits->memory_bytes,
		.pids = limits->pids,
		.cpus = limits->cpus,
	};

	cgroup_make(&s->cgroup, name, &wanted);
	STRVEC_FOREACH (limit, &s->cgroup.missing)
		log_warn("cgroup.limit", "run=%s limit=%s kept=no", s->x.spec.run_id, *limit);
}

static int prepare(struct supervisor *s, const struct spec *spec, struct err *err)
{
	int64_t left_ms = spec->deadline_ms - clock_now_ms();

	*s = (struct supervisor){ .lock_fd = -1 };
	s->x = (struct exec){ .spec = *spec, .report_fd = -1 };
	/* The wall clock may jump while the run is under way; the monotonic one does not. */
	s->x.deadline_ms = clock_monotonic_ms() + left_ms;
	s->x.stop_fd = open_stop_fd();
	if (open_files(s, err) < 0)
		return -1;
	make_cgroup(s);
	return 0;
}

static void release(struct supervisor *s)
{
	free(s->x.dir);
	free(s->x.work);
	cgroup_release(&s->cgroup);
	const int fds[] = { s->x.report_fd, s->x.stop_fd, s->lock_fd };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* ---- the inner process ---- */

static void be_inner(struct supervisor *s)
{
	close(s->x.stop_fd);
	s->x.stop_fd = open_stop_fd();
	s->x.cgroup = &s->cgroup;
	s->x.own_mounts = s->isolation.mount;
	cgroup_enter(&s->cgroup);
	_exit(run_main(&s->x, &s->isolation));
}

static void pass_on_stop(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->x.stop_fd, &info, sizeof info) == sizeof info) {
		if (s->stopped)
			continue; /* asking again changes nothing, least of all the deadline */
		kill(s->inner, SIGTERM);
		s->stopped = RUN_CANCELED;
		s->kill_at_ms = clock_monotonic_ms() + s->x.spec.grace_ms -
				s->x.spec.grace_ms / GRACE_RESERVE;
	}
}

/* The inner process watches the deadline itself; this is for one that cannot. */
static void look_at_clock(struct supervisor *s)
{
	int64_t now = clock_monotonic_ms();

	if (!s->stopped && now >= s->x.deadline_ms) {
		s->stopped = RUN_TIMEOUT;
		s->kill_at_ms = s->x.deadline_ms + s->x.spec.grace_ms;
	}
	if (s->stopped && now >= s->kill_at_ms)
		s->killed = true;
}

static int next_wake_ms(const struct supervisor *s)
{
	int64_t left = (s->stopped ? s->kill_at_ms : s->x.deadline_ms) - clock_monotonic_ms();

	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* Until the inner process has ended, or must be ended. It is not reaped yet. */
static void follow(struct supervisor *s)
{
	cleanup_fd int pidfd = pidfd_open(s->inner, 0);
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = s->x.stop_fd, .events = POLLIN },
	};

	while (!s->killed) {
		poll(fds, ARRAY_LEN(fds), next_wake_ms(s));
		if (fds[0].revents)
			return;
		pass_on_stop(s);
		look_at_clock(s);
	}
}

/* What became of the inner process, or -1 when it did not end by itself. Reaps it. */
static int end_inner(struct supervisor *s)
{
	siginfo_t info = { 0 };
	int code = -1;

	if (!s->killed && waitid(P_PID, (id_t)s->inner, &info, WEXITED | WNOWAIT) == 0 &&
	    info.si_code == CLD_EXITED)
		code = info.si_status;
	else if (!s->killed)
		log_error("run.crashed", "run=%s signal=%d", s->x.spec.run_id, info.si_status);
	namespace_kill(s->inner, &s->isolation);
	return code;
}

/* ---- afterwards ---- */

/* No engine command runs outside a mount namespace of its own. */
static int sweep_engine(const struct spec *spec)
{
	const struct engine_ops *engine = engine_find(spec->engine.kind);
	struct isolation isolation;
	struct err err;
	siginfo_t info = { 0 };

	if (!engine)
		return 0;
	pid_t child = namespace_fork(&isolation, &err);
	if (child == 0) {
		if (engine->sweep(spec, &err) == 0)
			_exit(0);
		log_error("sweep.engine", "run=%s error=\"%s\"", spec->run_id, err.msg);
		_exit(1);
	}
	if (child < 0)
		return -1;
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	namespace_kill(child, &isolation);
	return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : -1;
}

static int sweep(const struct spec *spec, bool with_engine)
{
	cleanup_free char *work = rundir_path(spec->data_dir, spec->run_id, "work");
	cleanup_free char *group = cgroup_name(spec);
	struct err err;
	int rc = 0;

	if (cgroup_remove(group, &err) < 0) {
		log_error("sweep.cgroup", "run=%s error=\"%s\"", spec->run_id, err.msg);
		rc = -1;
	}
	if (with_engine && sweep_engine(spec) < 0)
		rc = -1;
	if (fs_remove_tree(work, &err) < 0) {
		log_error("sweep.work", "run=%s error=\"%s\"", spec->run_id, err.msg);
		rc = -1;
	}
	return rc;
}

/*
 * The inner process could not say it any more; if it did in the very last moment, the fold of the
 * report (report.h) ignores this one.
 */
static void tell_end(struct supervisor *s)
{
	static const char *const messages[] = {
		[RUN_CANCELED] = "the run was canceled, and killed because it did not stop",
		[RUN_TIMEOUT] = "the run did not end within its time, and was killed",
	};
	static const char *const words[] = {
		[RUN_CANCELED] = "canceled",
		[RUN_TIMEOUT] = "timeout",
	};
	cleanup_free char *path = rundir_path(s->x.spec.data_dir, s->x.spec.run_id, "log");
	struct runlog *log = NULL;

	if (runlog_open(&log, path, 0, 0, NULL) == 0)
		runlog_say(log, "%s: %s", run_status_name(s->stopped), messages[s->stopped]);
	runlog_close(log);
	exec_report(&s->x, (struct report_line){
				   .type = REPORT_RESULT,
				   .status = s->stopped,
				   .error_code = (char *)words[s->stopped],
				   .message = (char *)messages[s->stopped],
			   });
}

static int carry_out(struct supervisor *s, struct err *err)
{
	exec_report(&s->x, (struct report_line){ .type = REPORT_STARTED, .pid = getpid() });
	s->inner = namespace_fork(&s->isolation, err);
	if (s->inner < 0)
		return -1;
	if (s->inner == 0)
		be_inner(s);
	follow(s);
	int code = end_inner(s);
	if (s->killed)
		tell_end(s);
	sweep(&s->x.spec, code != RUN_EXIT_DONE);
	return s->killed || code == RUN_EXIT_DONE || code == RUN_EXIT_SWEEP ? 0 : 1;
}

int supervisor_run(const struct spec *spec)
{
	struct supervisor s;
	struct err err = { 0 };
	int rc = prepare(&s, spec, &err);

	if (rc == 0)
		rc = carry_out(&s, &err);
	if (rc < 0)
		log_error("run.not_started", "run=%s error=\"%s\"", spec->run_id, err.msg);
	release(&s);
	return rc ? 1 : 0;
}

int supervisor_sweep(const struct spec *spec)
{
	struct err err;
	cleanup_fd int lock = -1;

	if (rundir_lock(&lock, spec->data_dir, spec->run_id, &err) < 0) {
		log_error("sweep.locked", "run=%s error=\"%s\"", spec->run_id, err.msg);
		return 1;
	}
	return sweep(spec, true) < 0 ? 1 : 0;
}
