#include "runner/exec/probe_try.h"

#include <fcntl.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/child.h"

enum { LIMIT_MS = 60 * 1000, TAIL_BYTES = 16 * 1024, REASON_MAX = 160 };

extern const char probe_program[], probe_program_end[];

/* One probe under way. */
struct attempt {
	const struct spec *spec;
	const struct exec *x;
	char *dir;       /* data_dir/engine/probe: store, context, private folders */
	char *cgroup;    /* name of the control group */
	struct choice c; /* what is known so far */
};

/* ---- one build ---- */

/* The first sentence in what was printed that says why: the runtime's, else the engine's. */
static struct str reason_in(struct str output)
{
	static const char *const marks[] = { "level=error msg=", "error running container: ",
					     "Error: " };
	struct str line = str_trim(output);

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = memmem(output.ptr, output.len, marks[i], strlen(marks[i]));
		if (!at)
			continue;
		line = str_after(output, (size_t)(at - output.ptr) + strlen(marks[i]));
		break;
	}
	line = str_slice(line, 0, str_find(line, '\n', 0));
	return str_slice(line, 0, REASON_MAX);
}

/* 0, or -1 with the reason in *err (any word). */
static int run_build(const struct attempt *a, const struct buildah *b, const struct strvec *argv,
		     struct err *err)
{
	cleanup_buf struct buf tail = BUF_LIMIT(TAIL_BYTES);
	struct child_result result;
	struct child_opts opts = {
		.argv = argv->items, .envp = b->env.items, .tail = &tail, .limit_ms = LIMIT_MS
	};

	if (child_run(&result, a->x, &opts, err) < 0)
		return buildah_start_failed(err);
	if (result.exit_code == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "engine_unusable", STR_FMT,
		       STR_ARG(reason_in(buf_str(&tail))));
}

static int put(const char *dir, const char *name, struct str text, mode_t mode, struct err *err)
{
	cleanup_free char *path = fs_join(dir, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	return fd < 0 ? fs_fail(err, "write", path) : fs_write_all(fd, text, err);
}

static int put_context(const char *dir, bool with_run, struct err *err)
{
	struct str program = { probe_program, (size_t)(probe_program_end - probe_program) };
	cleanup_free char *text = xasprintf("FROM scratch\nCOPY probe /probe\n%s",
					    with_run ? "RUN [\"/probe\"]\n" : "");

	if (fs_mkdirs(dir, 0700, err) < 0 || put(dir, "probe", program, 0755, err) < 0)
		return -1;
	return put(dir, "Dockerfile", str_from(text), 0600, err);
}

/* Build FROM scratch in a store of its own, with the choice as it is now. */
static int build(const struct attempt *a, bool with_run, const struct network *network,
		 struct err *err)
{
	cleanup_free char *root = fs_join(a->dir, "store"), *private = fs_join(a->dir, "use"),
			  *context = fs_join(a->dir, "context");
	cleanup_strvec struct strvec argv = { 0 };
	struct buildah_opts opts = {
		.spec = a->spec, .dir = private, .root = root, .driver = a->c.driver
	};
	struct buildah b;

	if (put_context(context, with_run, err) < 0 || buildah_prepare(&b, &opts, err) < 0)
		return -1;
	buildah_argv(&b, &argv, "bud");
	buildah_run_args(&b, &argv, &a->c, a->cgroup, network);
	strvec_push(&argv, "--layers");
	strvec_push(&argv, context);
	buildah_cgroups_make(a->cgroup);
	int rc = run_build(a, &b, &argv, err);
	buildah_cgroups_remove(a->cgroup);
	buildah_release(&b);
	return rc;
}

/* ---- what there is to choose from ---- */

static bool is_wanted(const char *configured, const char *candidate)
{
	return strcmp(configured, "auto") == 0 || strcmp(configured, candidate) == 0;
}

static void set(char **field, const char *text)
{
	char *copy = xstrdup(text);

	free(*field);
	*field = copy;
}

static void note(struct attempt *a, const char *what, const struct err *err)
{
	strvec_pushf(&a->c.notes, "%s: %s", what, err->msg);
}

/* Reasons to give up that are no property of the machine. */
static bool is_final(const struct err *err)
{
	return err->code == ERR_CANCELED || err_is(err, "timeout") ||
	       err_is(err, "engine_missing") || err_is(err, "disk_full");
}

static int read_version(struct attempt *a, struct err *err)
{
	cleanup_buf struct buf out = BUF_LIMIT(4096);
	cleanup_free char *program = probe_engine_path(a->spec);
	char *argv[] = { program, (char *)"--version", NULL };
	struct child_opts opts = { .argv = argv, .out = &out, .limit_ms = LIMIT_MS };
	struct child_result result;
	struct str rest, word;

	if (child_run(&result, a->x, &opts, err) < 0)
		return buildah_start_failed(err);
	rest = str_trim(buf_str(&out));
	if (result.exit_code != 0 || !str_starts(rest, "buildah version "))
		return err_set(err, ERR_INTERNAL, "engine_unusable",
			       "%.200s is not buildah: it printed " STR_FMT, program,
			       STR_ARG(str_slice(rest, 0,
						 str_find(str_slice(rest, 0, 80), '\n', 0))));
	rest = str_after(rest, strlen("buildah version "));
	str_split(&rest, ' ', &word);
	a->c.version = str_dup(word);
	return 0;
}

static int choose_driver(struct attempt *a, struct err *err)
{
	static const char *const drivers[] = { "overlay", "vfs" };
	struct network *none = NULL;

	set(&a->c.isolation, "oci");
	network_open(&none, "none", a->spec, NULL);
	int rc = -1;
	for (size_t i = 0; rc < 0 && i < ARRAY_LEN(drivers); i++) {
		cleanup_free char *store = fs_join(a->dir, "store");
		set(&a->c.driver, drivers[i]);
		rc = build(a, false, none, err);
		if (rc == 0)
			break;
		if (is_final(err))
			break;
		note(a, drivers[i], err);
		fs_remove_tree(store, NULL);
	}
	network_close(none);
	return rc;
}

/* "auto" takes the network of its own when that works, else none; what was said is kept to. */
static int choose_network(struct attempt *a, struct network **out, struct err *err)
{
	const char *configured = probe_setting(a->spec->engine.network);
	bool automatic = strcmp(configured, "auto") == 0;
	const char *kind = automatic ? "slirp4netns" : configured;

	set(&a->c.network, kind);
	if (network_open(out, kind, a->spec, err) == 0 && network_wait(*out, err) == 0)
		return 0;
	network_close(*out);
	*out = NULL;
	if (!automatic)
		return -1;
	note(a, "slirp4netns", err);
	set(&a->c.network, "none");
	return network_open(out, "none", a->spec, err);
}

static int try_runtime(struct attempt *a, const char *runtime, const struct network *network,
		       struct err *err)
{
	cleanup_free char *path = probe_find_program(runtime);

	if (!path)
		return err_set(err, ERR_NOTFOUND, "engine_unusable", "not installed");
	set(&a->c.isolation, "oci");
	set(&a->c.runtime, path);
	return build(a, true, network, err);
}

static int choose_runtime(struct attempt *a, const struct network *network, struct err *err)
{
	static const char *const known[] = { "crun", "runc" };
	const char *configured = probe_setting(a->spec->engine.runtime);
	bool automatic = strcmp(configured, "auto") == 0;

	for (size_t i = 0; i < (automatic ? ARRAY_LEN(known) : 1); i++) {
		const char *runtime = automatic ? known[i] : configured;
		if (try_runtime(a, runtime, network, err) == 0)
			return 0;
		if (is_final(err))
			return -1;
		note(a, runtime, err);
	}
	return -1;
}

/* The last resort, as RUN then shares our network and processes: only when nobody forbade it. */
static int choose_chroot(struct attempt *a, struct err *err)
{
	const char *network = probe_setting(a->spec->engine.network);
	struct network *host = NULL;

	if (!is_wanted(network, "host"))
		return err_set(err, ERR_INTERNAL, "engine_unusable",
			       "isolation chroot cannot give builds the network %.40s: it shares "
			       "the host's",
			       network);
	set(&a->c.isolation, "chroot");
	set(&a->c.network, "host");
	set(&a->c.runtime, NULL);
	network_open(&host, "host", a->spec, NULL);
	int rc = build(a, true, host, err);
	network_close(host);
	return rc;
}

static int choose_isolation(struct attempt *a, struct err *err)
{
	const char *configured = probe_setting(a->spec->engine.isolation);
	struct network *network = NULL;

	if (is_wanted(configured, "oci")) {
		if (choose_network(a, &network, err) < 0)
			return -1;
		int rc = choose_runtime(a, network, err);
		network_close(network);
		if (rc == 0 || is_final(err) || !is_wanted(configured, "chroot"))
			return rc;
	}
	if (choose_chroot(a, err) == 0)
		return 0;
	if (!is_final(err))
		note(a, "chroot", err);
	return -1;
}

static int give_up(struct attempt *a, struct err *err)
{
	struct buf reasons = BUF_INIT;

	if (is_final(err) || a->c.notes.len == 0)
		return -1;
	STRVEC_FOREACH (text, &a->c.notes)
		buf_addf(&reasons, "%s%s", reasons.len ? "; " : "", *text);
	err_set(err, ERR_INTERNAL, "engine_unusable", "the engine cannot build here: %s",
		reasons.ptr);
	buf_release(&reasons);
	return -1;
}

int probe_try(struct choice *out, const struct spec *s, const struct exec *x, struct err *err)
{
	cleanup_free char *token = random_token(5);
	struct attempt a = {
		.spec = s,
		.x = x,
		.dir = buildah_shared(s, "probe"),
		.cgroup = xasprintf("probe-%s", token),
	};

	int rc = fs_remove_tree(a.dir, err); /* of a probe that was cut short */
	if (rc == 0)
		rc = read_version(&a, err);
	if (rc == 0 && (choose_driver(&a, err) < 0 || choose_isolation(&a, err) < 0))
		rc = give_up(&a, err);
	fs_remove_tree(a.dir, NULL);
	free(a.dir);
	free(a.cgroup);
	if (rc == 0)
		*out = a.c;
	else
		choice_release(&a.c);
	return rc;
}
