#include <fcntl.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/buildah_config.h"
#include "runner/exec/buildah_errors.h"
#include "runner/exec/child.h"
#include "runner/exec/runlog.h"

enum {
	DOCKERFILE_BYTES = 1024 * 1024, /* when the specification says nothing */
	TAIL_BYTES = 16 * 1024,
	ARG_BYTES_MAX = 128 * 1024 - 256, /* the kernel's limit for one string of argv */
};

/* ---- the Dockerfile ---- */

/*
 * The engine gets a copy with a name of ours: buildah would run the C preprocessor, with the host's
 * files within reach, over a name that ends in ".in".
 */
static int take_dockerfile(struct dockerfile *out, const struct engine *e, const char *path,
			   struct err *err)
{
	int64_t limit = e->x->spec.limits.dockerfile_bytes;
	cleanup_buf struct buf text = BUF_LIMIT(limit > 0 ? (size_t)limit : DOCKERFILE_BYTES);
	cleanup_free char *copy = fs_join(e->b.dir, "Dockerfile");

	if (fs_read(&text, path, err) < 0) {
		if (err && err_is(err, "too_large"))
			return err_set(err, ERR_LIMIT, "dockerfile_limit",
				       "the Dockerfile is larger than %zu bytes", text.limit);
		return -1;
	}
	cleanup_fd int fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fs_fail(err, "write", copy);
	if (fs_write_all(fd, buf_str(&text), err) < 0)
		return -1;
	return dockerfile_scan(out, buf_str(&text), err);
}

static bool has_secret_arg(const struct build *o)
{
	for (size_t i = 0; i < o->args_len; i++) {
		if (o->args[i].is_secret)
			return true;
	}
	return false;
}

static void say_what_differs(const struct engine *e, const struct build *o,
			     const struct dockerfile *d)
{
	struct runlog *log = e->x->log;

	if (d->runs && has_secret_arg(o))
		runlog_say(log, "Build arguments that RUN steps use stay in the image's history, "
				"secret ones too: whoever may pull the image can read them");
	if (d->syntax)
		runlog_say(log,
			   "# syntax=%.100s is not fetched: the engine reads the Dockerfile itself",
			   d->syntax);
	if (d->runs && strcmp(e->choice.isolation, "chroot") == 0)
		runlog_say(log, "RUN steps share the host's network and processes: only chroot "
				"isolation works here (see slipway check-health)");
	else if (d->runs && strcmp(e->choice.network, "none") == 0 &&
		 strcmp(probe_setting(e->x->spec.engine.network), "none") != 0)
		runlog_say(log, "RUN steps have no network: install slirp4netns, or set "
				"engine.network (see slipway check-health)");
}

/* ---- arguments ---- */

/*
 * Plain ones stand in argv. A secret one stands there by name only: buildah takes the value from
 * its own environment, which only root and the service can read.
 */
static int add_build_args(const struct build *o, struct strvec *argv, struct strvec *env,
			  struct err *err)
{
	for (size_t i = 0; i < o->args_len; i++) {
		const struct build_arg *a = &o->args[i];
		const char *value = a->is_secret ? secret_reveal(&a->secret) : a->value;
		if (strlen(a->name) + strlen(value ? value : "") > ARG_BYTES_MAX)
			return err_set(err, ERR_LIMIT, "arg_invalid",
				       "the build argument %.60s is longer than %d bytes", a->name,
				       ARG_BYTES_MAX);
		if (!a->is_secret) {
			strvec_pushf(argv, "--build-arg=%s=%s", a->name, value ? value : "");
			continue;
		}
		if (!buildah_env_is_free(a->name))
			return err_set(err, ERR_INVALID, "arg_invalid",
				       "the secret build argument %.60s has a name that the engine "
				       "itself reads from its environment: rename it",
				       a->name);
		strvec_pushf(argv, "--build-arg=%s", a->name);
		strvec_pushf(env, "%s=%s", a->name, value);
	}
	return 0;
}

/* engine.pull in buildah's words. */
static const char *pull_option(const char *policy)
{
	static const struct {
		const char *policy, *option;
	} rows[] = {
		{ "newer", "--pull=true" },
		{ "always", "--pull=always" },
		{ "missing", "--pull=false" },
		{ "never", "--pull=never" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (policy && strcmp(policy, rows[i].policy) == 0)
			return rows[i].option;
	}
	return rows[0].option;
}

/*
 * No -t: the image is known by its id, so that runs at the same time cannot mistake each other's,
 * and nothing has to be untagged. It stays in the store as part of the layer cache.
 *
 * Docker's image format, because OCI's has no place for HEALTHCHECK, SHELL and ONBUILD, and would
 * drop them in silence.
 */
static void add_options(const struct engine *e, const struct build *o, struct strvec *argv)
{
	const char *dir = e->b.dir;
	cleanup_free char *platform = platform_text(&o->platform);

	strvec_push(argv, "--layers");
	if (o->no_cache)
		strvec_push(argv, "--no-cache");
	strvec_push(argv, "--format=docker");
	strvec_push(argv, pull_option(e->x->spec.engine.pull));
	strvec_pushf(argv, "--iidfile=%s/image-id", dir);
	/* Ignore rules have been applied to the context already. */
	strvec_pushf(argv, "--ignorefile=%s/nothing", dir);
	strvec_pushf(argv, "--file=%s/Dockerfile", dir);
	if (o->target)
		strvec_pushf(argv, "--target=%s", o->target);
	if (platform)
		strvec_pushf(argv, "--platform=%s", platform);
}

/* ---- the build ---- */

static int run_build(struct engine *e, const struct strvec *argv, const struct strvec *env,
		     const struct dockerfile *d, const char *context_dir, struct err *err)
{
	cleanup_buf struct buf tail = BUF_LIMIT(TAIL_BYTES);
	struct child_result result;
	struct child_opts opts = { .argv = argv->items,
				   .envp = env->items,
				   .dir = context_dir,
				   .log = e->x->log,
				   .tail = &tail };

	if (child_run(&result, e->x, &opts, err) < 0)
		return buildah_start_failed(err);
	if (result.exit_code == 0)
		return 0;
	struct buildah_end end = { .phase = BUILDAH_BUILD,
				   .result = result,
				   .tail = buf_str(&tail),
				   .dockerfile = d,
				   .memory_bytes = e->x->spec.limits.memory_bytes };
	buildah_explain(&end, err);
	buildah_hide_secrets(&e->x->spec, err);
	return -1;
}

/* The environment held the values of secret arguments. */
static void wipe(struct strvec *env)
{
	STRVEC_FOREACH (entry, env)
		explicit_bzero(*entry, strlen(*entry));
	strvec_release(env);
}

static int build_in(struct engine *e, const struct engine_build *b, const struct dockerfile *d,
		    struct network *network, struct err *err)
{
	cleanup_strvec struct strvec argv = { 0 };
	__attribute__((cleanup(wipe))) struct strvec env = { 0 };

	buildah_argv(&e->b, &argv, "bud");
	buildah_run_args(&e->b, &argv, &e->choice, e->cgroup, network);
	add_options(e, b->options, &argv);
	strvec_push_all(&env, &e->b.env);
	if (add_build_args(b->options, &argv, &env, err) < 0)
		return -1;
	strvec_push(&argv, b->context_dir);
	buildah_cgroups_make(e->cgroup);
	if (network_wait(network, err) < 0)
		return -1;
	if (run_build(e, &argv, &env, d, b->context_dir, err) < 0)
		return -1;
	return buildah_read_digest(&e->image_id, &e->b, "image-id", err);
}

int buildah_build(struct engine *e, const struct engine_build *b, struct err *err)
{
	struct dockerfile d = { 0 };
	struct network *network = NULL;
	int rc = -1;

	if (take_dockerfile(&d, e, b->dockerfile, err) < 0)
		return -1;
	say_what_differs(e, b->options, &d);
	/* What runs nothing needs no network, and should not wait for one. */
	const char *kind = d.runs || strcmp(e->choice.network, "slirp4netns") != 0
				   ? e->choice.network
				   : "none";
	if (network_open(&network, kind, &e->x->spec, err) == 0)
		rc = build_in(e, b, &d, network, err);
	network_close(network);
	dockerfile_release(&d);
	return rc;
}
