/*
 * fetch_context: source_fetch() alone, for tests: the runner without engine and registry.
 *
 *   fetch_context [mounts | hold] FOLDER < specification
 *
 * FOLDER is the run directory; the context stays in FOLDER/work, the log in FOLDER/log. Prints the
 * source as JSON, or {"word","message"}. Ends with 0 or 1.
 *
 * "mounts": in a mount namespace of its own, as a run is, where that is permitted. What is mounted
 * there ends with it, so a copy of the context stays in FOLDER/seen. "hold": the same without the
 * copy, and it lives on, as a build would, until SIGTERM.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <git2/global.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_fetch.h"
#include "runner/exec/runlog.h"

static int open_stop_fd(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int set_up(struct exec *x, const char *folder, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_json json_t *object = NULL;
	cleanup_free char *log = fs_join(folder, "log");

	if (fs_read(&text, "/dev/stdin", err) < 0 ||
	    json_read(&object, buf_str(&text), NULL, err) < 0 ||
	    spec_from_json(&x->spec, object, err) < 0)
		return -1;
	x->dir = xstrdup(folder);
	x->work = fs_join(folder, "work");
	x->deadline_ms = clock_monotonic_ms() + x->spec.timeout_ms;
	x->stop_fd = open_stop_fd();
	git_fetch_configure(x->spec.limits.git_objects, x->spec.limits.git_object_bytes);
	if (fs_mkdirs(x->work, 0700, err) < 0)
		return -1;
	return runlog_open(&x->log, log, 0, 0, err);
}

/* ---- a mount namespace, as namespace.c makes it ---- */

static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

/* What the run sees, for those who come after it. */
static int keep_seen(struct source *source, const char *folder, struct err *err)
{
	char *seen = fs_join(folder, "seen");
	int status = 0;

	pid_t pid = fork();
	if (pid == 0) {
		execlp("cp", "cp", "-a", source->dir, seen, NULL);
		_exit(127);
	}
	free(source->dir);
	source->dir = seen;
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(err, ERR_INTERNAL, "test", "cannot copy the context");
	return 0;
}

static void hold(const struct exec *x)
{
	struct pollfd stop = { .fd = x->stop_fd, .events = POLLIN };

	fflush(stdout);
	while (poll(&stop, 1, -1) <= 0)
		;
}

/* ---- what it says ---- */

static void print(json_t *object)
{
	cleanup_free char *text = json_text(object);
	puts(text);
	json_decref(object);
}

static void print_source(const struct source *source)
{
	json_t *object = json_object();

	json_put_string(object, "dir", source->dir);
	json_put_string(object, "dockerfile", source->dockerfile);
	json_put_string(object, "commit", source->commit);
	json_put_string(object, "branch", source->branch);
	json_put_string(object, "tag", source->git_tag);
	print(object);
}

static void print_error(const struct err *err)
{
	json_t *object = json_object();

	json_put_string(object, "word", err->word);
	json_put_string(object, "message", err->msg);
	print(object);
}

static int fetch(struct exec *x, const char *mode, const char *folder)
{
	struct source source = { 0 };
	struct err err = { 0 };

	int rc = set_up(x, folder, &err);
	x->own_mounts = *mode && own_mounts();
	if (rc == 0)
		rc = source_fetch(&source, x, &err);
	if (rc == 0 && x->own_mounts && strcmp(mode, "mounts") == 0)
		rc = keep_seen(&source, folder, &err);
	if (rc == 0)
		print_source(&source);
	else
		print_error(&err);
	if (rc == 0 && strcmp(mode, "hold") == 0)
		hold(x);
	source_release(&source);
	return rc;
}

int main(int argc, char **argv)
{
	struct exec x = { .report_fd = -1 };

	if (argc < 2 || argc > 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	git_libgit2_init();
	int rc = fetch(&x, argc == 3 ? argv[1] : "", argv[argc - 1]);
	runlog_close(x.log);
	spec_release(&x.spec);
	free(x.dir);
	free(x.work);
	git_libgit2_shutdown();
	curl_global_cleanup();
	return rc < 0;
}
