#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/namespace.h"

struct fixture {
	char name[32];
	struct cgroup group;
};

static int setup(void **state)
{
	static int counter;
	struct fixture *f = xnew(struct fixture);
	const struct cgroup_limits limits = { .memory_bytes = 1 << 30, .pids = 500, .cpus = 1.5 };

	snprintf(f->name, sizeof f->name, "test-%d-%d", (int)getpid(), counter++);
	cgroup_make(&f->group, f->name, &limits);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	cgroup_remove(f->name, NULL);
	cgroup_release(&f->group);
	free(f);
	return 0;
}

static void need_cgroups(struct fixture *f)
{
	if (f->group.dirs.len == 0)
		skip(); /* this host lets us make none */
}

/* A child in the group, which forks and forks again away from its session. */
static pid_t start_escaping_child(struct fixture *f)
{
	pid_t pid = fork();
	if (pid == 0) {
		cgroup_enter(&f->group);
		cgroup_entered(&f->group);
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				signal(SIGTERM, SIG_IGN);
				for (;;)
					pause();
			}
		}
		_exit(0);
	}
	return pid;
}

static bool is_in_group(const char *dir)
{
	cleanup_free char *path = xasprintf("%s/runner/cgroup.procs", dir);
	cleanup_buf struct buf text = BUF_INIT;

	return fs_read(&text, path, NULL) == 0 && text.len > 0;
}

static void limits_are_kept_or_named_as_missing(void **state)
{
	struct fixture *f = *state;
	int kept = 0;

	need_cgroups(f);
	STRVEC_FOREACH (dir, &f->group.dirs) {
		cleanup_free char *path = fs_join(*dir, "pids.max");
		cleanup_buf struct buf text = BUF_INIT;
		if (fs_read(&text, path, NULL) == 0)
			kept += strcmp(text.ptr, "500\n") == 0;
	}
	assert_int_equal(kept, strvec_find(&f->group.missing, "pids") < 0);
}

static void kill_reaches_processes_that_left_their_session(void **state)
{
	struct fixture *f = *state;

	need_cgroups(f);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t child = start_escaping_child(f);
	waitpid(child, NULL, 0);
	assert_true(is_in_group(f->group.dirs.items[0]));
	cgroup_kill(&f->group);
	while (waitpid(-1, NULL, 0) > 0)
		; /* ends only when all of them have died */
	assert_int_equal(errno, ECHILD);
}

static void remove_leaves_no_folder_in_any_hierarchy(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	need_cgroups(f);
	pid_t child = start_escaping_child(f);
	waitpid(child, NULL, 0);
	cleanup_free char *nested = fs_join(f->group.dirs.items[0], "engine");
	assert_int_equal(mkdir(nested, 0755), 0);
	assert_int_equal(cgroup_remove(f->name, NULL), 0);
	STRVEC_FOREACH (dir, &f->group.dirs)
		assert_int_equal(stat(*dir, &st), -1);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void removing_what_never_was_is_fine(void **state)
{
	(void)state;
	assert_int_equal(cgroup_remove("test-never-made", NULL), 0);
}

/* ---- namespace.h: the other half of certain death ---- */

/* Runs in the child: leave a grandchild behind that has escaped, and stay. */
static void leave_escaped_grandchild(const struct isolation *got, int tell)
{
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			/* Whoever still holds the pipe is alive. */
			for (;;)
				pause();
		}
		_exit(0);
	}
	char isolated = (char)('0' + (got->pid && getpid() == 1));
	if (write(tell, &isolated, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* True when all that escaped has died with the child. */
static void assert_takes_all_others(void)
{
	struct isolation got;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid_t child = namespace_fork(&got, NULL);
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		leave_escaped_grandchild(&got, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, '0' + got.pid);
	namespace_kill(child, &got);
	/* The end of the pipe: nobody holds it any more. */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	/* Later children are not for the namespace that has ended. */
	pid_t later = fork();
	if (later == 0)
		_exit(0);
	assert_int_equal(waitpid(later, NULL, 0), later);
}

static void death_of_the_first_process_takes_all_others(void **state)
{
	(void)state;
	assert_takes_all_others();
}

/* As for a service that may make no namespaces: in a process of its own, which gives it up. */
static void orphans_are_hunted_where_there_are_no_namespaces(void **state)
{
	int status = 0;
	(void)state;

	pid_t pid = fork();
	if (pid == 0) {
		struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct none[2] = { 0 };
		syscall(SYS_capset, &header, none);
		struct isolation got;
		pid_t child = namespace_fork(&got, NULL);
		if (child == 0)
			_exit(got.pid || got.mount || !got.why[0]);
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
		assert_takes_all_others();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(limits_are_kept_or_named_as_missing),
		TEST(kill_reaches_processes_that_left_their_session),
		TEST(remove_leaves_no_folder_in_any_hierarchy),
		cmocka_unit_test(removing_what_never_was_is_fine),
		cmocka_unit_test(death_of_the_first_process_takes_all_others),
		cmocka_unit_test(orphans_are_hunted_where_there_are_no_namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
