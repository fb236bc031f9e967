#include "runner/exec/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"

enum { HUNT_MS = 5000, PAUSE_US = 2000 };

/* Where runtimes keep state that would outlive a run, or be seen by another one. */
static const char *const state_folders[] = { "/run/runc", "/run/crun", "/run/containers",
					     "/run/netns" };

static void note(struct isolation *got, const char *what)
{
	snprintf(got->why, sizeof got->why, "%s: %s", what, strerror(errno));
}

/* ---- in the child ---- */

/*
 * Slave: what the host unmounts is unmounted here too, so that a run pins no device, and nothing
 * that is mounted here is seen outside.
 */
static int own_mounts(struct isolation *got)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
		note(got, "no mount namespace");
		return -1;
	}
	got->mount = true;
	if (got->pid && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		note(got, "no /proc of its own");
	for (size_t i = 0; i < ARRAY_LEN(state_folders); i++) {
		mkdir(state_folders[i], 0755); /* exists, or is not needed by whoever cannot */
		if (mount("tmpfs", state_folders[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") <
			    0 &&
		    errno != ENOENT)
			note(got, state_folders[i]);
	}
	return 0;
}

/* Ask to die with the parent, which may have died before we could ask. */
static void die_with(int parent)
{
	struct pollfd gone = { .fd = parent, .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent < 0 || poll(&gone, 1, 0) > 0)
		_exit(1);
	close(parent);
}

/* ---- in the parent ---- */

/* Children, not we ourselves, go into the new namespace. */
static bool unshare_pids(struct isolation *got, int *back)
{
	*back = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (*back < 0 || unshare(CLONE_NEWPID) < 0) {
		note(got, "no PID namespace");
		return false;
	}
	return true;
}

pid_t namespace_fork(struct isolation *got, struct err *err)
{
	int back = -1, self = pidfd_open(getpid(), 0);

	*got = (struct isolation){ 0 };
	got->pid = unshare_pids(got, &back);
	/* Harmless in a namespace, and the only hold on orphans without one. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = fork();
	int errnum = errno;
	if (pid == 0) {
		die_with(self);
		close(back);
		setpgid(0, 0);
		own_mounts(got);
		return 0;
	}
	/* Later children of ours (those of the sweep) are not for a namespace that has ended. */
	if (got->pid)
		setns(back, CLONE_NEWPID);
	if (back >= 0)
		close(back);
	if (self >= 0)
		close(self);
	if (pid < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "fork", errnum, "cannot fork");
	setpgid(pid, pid);
	return pid;
}

/* Kill all children of ours; what they had become theirs becomes ours. */
static void kill_children(void)
{
	cleanup_free char *path = xasprintf("/proc/self/task/%d/children", (int)gettid());
	cleanup_buf struct buf text = BUF_LIMIT(1024 * 1024);
	struct str rest, word;
	uint64_t pid;

	if (fs_read(&text, path, NULL) < 0)
		return;
	rest = str_trim(buf_str(&text));
	while (str_split(&rest, ' ', &word)) {
		if (str_to_u64(word, INT32_MAX, &pid) && pid > 1)
			kill((pid_t)pid, SIGKILL);
	}
}

/* Until we have no child left, or one cannot be killed (a process in the kernel's hands). */
static void hunt(void)
{
	int64_t until_ms = clock_monotonic_ms() + HUNT_MS;

	while (clock_monotonic_ms() < until_ms) {
		kill_children();
		pid_t reaped = waitpid(-1, NULL, WNOHANG);
		if (reaped < 0 && errno == ECHILD)
			return;
		if (reaped == 0)
			usleep(PAUSE_US);
	}
}

void namespace_kill(pid_t child, const struct isolation *got)
{
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	if (got->pid)
		waitpid(child, NULL, 0); /* returns when the whole namespace is gone */
	else
		hunt();
}
