/*
 * slipway-runner: carries out one run. Its specification comes as JSON on standard input, which is
 * read to its end; everything costly to load is loaded before that, so that a spare runner can
 * wait for its specification.
 *
 *   slipway-runner             carry out the run
 *   slipway-runner probe       check lines of engine, isolation and registries, as JSON
 *   slipway-runner sweep       remove what an earlier runner of this run left behind
 *   slipway-runner --version
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <git2/global.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/json.h"
#include "common/log.h"
#include "common/scope.h"
#include "runner/contract/spec.h"
#include "runner/exec/git_fetch.h"
#include "runner/exec/health.h"
#include "runner/exec/supervisor.h"

enum { SPEC_BYTES = 16 * 1024 * 1024, EXIT_USAGE = 2 };

static const struct {
	const char *name;
	int (*main)(const struct spec *spec);
} verbs[] = {
	{ "", supervisor_run },
	{ "probe", health_probe },
	{ "sweep", supervisor_sweep },
};

/* What must hold before a secret enters this process, and before a child leaves it. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	while (open("/dev/null", O_RDWR | O_CLOEXEC) <= STDERR_FILENO)
		;
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
}

/* 1 when there is none: the server that kept this spare runner is gone. */
static int read_spec(struct spec *out, struct err *err)
{
	struct buf text = BUF_LIMIT(SPEC_BYTES);
	json_t *object = NULL;
	ssize_t n;
	int rc = -1;

	for (;;) {
		if (buf_reserve(&text, 16 * 1024) < 0)
			break;
		n = read(STDIN_FILENO, text.ptr + text.len, 16 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_grown(&text, (size_t)n);
	}
	if (text.len == 0)
		rc = 1;
	else if (text.full)
		err_set(err, ERR_LIMIT, "spec_invalid", "the specification is too long");
	else if (json_read(&object, buf_str(&text), NULL, err) == 0)
		rc = spec_from_json(out, object, err);
	json_decref(object);
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	buf_release(&text);
	return rc;
}

static int carry_out(int (*verb)(const struct spec *spec))
{
	struct spec spec = { 0 };
	struct err err = { 0 };

	curl_global_init(CURL_GLOBAL_DEFAULT);
	git_libgit2_init();
	int rc = read_spec(&spec, &err);
	if (rc < 0)
		log_error("spec.invalid", "error=\"%s\"", err.msg);
	if (rc != 0)
		return rc < 0 ? EXIT_USAGE : 0;
	git_fetch_configure(spec.limits.git_objects, spec.limits.git_object_bytes);
	int code = verb(&spec);
	spec_release(&spec);
	git_libgit2_shutdown();
	curl_global_cleanup();
	return code;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--version") == 0) {
		puts("slipway-runner " SLIPWAY_VERSION);
		return 0;
	}
	harden();
	for (size_t i = 0; argc <= 2 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return carry_out(verbs[i].main);
	}
	fputs("usage: slipway-runner [probe | sweep | --version] < specification\n", stderr);
	return EXIT_USAGE;
}
