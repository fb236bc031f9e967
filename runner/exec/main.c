/*
 * slipway-runner: carries out one run. Its specification comes as JSON on standard input, which is
 * read to its end; everything costly to load is loaded before that, so that a spare runner can
 * wait for its specification.
 *
 *   slipway-runner             carry out the run
 *   slipway-runner probe       check lines of engine, isolation and registries, as JSON
 *   slipway-runner sweep       remove what an earlier runner of this run left behind
 *   slipway-runner tidy        keep the mirrors of repositories within their budget (tidy.h)
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
#include "runner/exec/tidy.h"

enum { SPEC_BYTES = 16 * 1024 * 1024, EXIT_USAGE = 2 };

static const struct verb {
	const char *name;
	int (*of_spec)(const struct spec *spec);
	int (*of_order)(const struct tidy_order *order);
} verbs[] = {
	{ "", supervisor_run, NULL },
	{ "probe", health_probe, NULL },
	{ "sweep", supervisor_sweep, NULL },
	{ "tidy", NULL, tidy_main },
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
static int read_document(json_t **out, struct err *err)
{
	struct buf text = BUF_LIMIT(SPEC_BYTES);
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
	else
		rc = json_read(out, buf_str(&text), NULL, err);
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	buf_release(&text);
	return rc;
}

/* The document holds secrets, and goes before the work begins. Both set *code, the program's. */
static int carry_out_spec(int *code, const struct verb *verb, json_t *object, struct err *err)
{
	struct spec spec = { 0 };
	int rc = spec_from_json(&spec, object, err);

	json_decref(object);
	if (rc < 0)
		return -1;
	git_fetch_configure(spec.limits.git_objects, spec.limits.git_object_bytes);
	*code = verb->of_spec(&spec);
	spec_release(&spec);
	return 0;
}

static int carry_out_order(int *code, const struct verb *verb, json_t *object, struct err *err)
{
	struct tidy_order order = { 0 };
	int rc = tidy_order_from_json(&order, object, err);

	json_decref(object);
	if (rc < 0)
		return -1;
	*code = verb->of_order(&order);
	tidy_order_release(&order);
	return 0;
}

static int carry_out(const struct verb *verb)
{
	json_t *object = NULL;
	struct err err = { 0 };
	int code = 0;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	git_libgit2_init();
	int rc = read_document(&object, &err);
	if (rc == 0)
		rc = verb->of_spec ? carry_out_spec(&code, verb, object, &err)
				   : carry_out_order(&code, verb, object, &err);
	if (rc < 0)
		log_error("spec.invalid", "error=\"%s\"", err.msg);
	git_libgit2_shutdown();
	curl_global_cleanup();
	return rc < 0 ? EXIT_USAGE : code;
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
			return carry_out(&verbs[i]);
	}
	fputs("usage: slipway-runner [probe | sweep | tidy | --version] < specification\n", stderr);
	return EXIT_USAGE;
}
