/*
 * fetch_context: source_fetch() alone, for tests: the runner without engine and registry.
 *
 *   fetch_context FOLDER < specification
 *
 * FOLDER is the run directory; the context stays in FOLDER/work, the log in FOLDER/log. Prints the
 * source as JSON, or {"word","message"}. Ends with 0 or 1.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <git2/global.h>
#include <signal.h>
#include <sys/signalfd.h>

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

int main(int argc, char **argv)
{
	struct exec x = { .report_fd = -1 };
	struct source source = { 0 };
	struct err err = { 0 };

	if (argc != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	git_libgit2_init();
	int rc = set_up(&x, argv[1], &err);
	if (rc == 0)
		rc = source_fetch(&source, &x, &err);
	if (rc == 0)
		print_source(&source);
	else
		print_error(&err);
	source_release(&source);
	runlog_close(x.log);
	spec_release(&x.spec);
	free(x.dir);
	free(x.work);
	git_libgit2_shutdown();
	curl_global_cleanup();
	return rc < 0;
}
