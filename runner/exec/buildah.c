#include "runner/exec/buildah.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/buildah_config.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/mask.h"

enum { PRIVATE_MODE = 0700, FILE_MODE = 0600 };

char *buildah_shared(const struct spec *s, const char *name)
{
	return xasprintf("%s/engine/%s", s->data_dir, name);
}

char *buildah_cgroup(const char *cgroup_name)
{
	return xasprintf("/slipway/%s/build", cgroup_name);
}

int buildah_start_failed(struct err *err)
{
	if (!err || !err_is(err, "program_start"))
		return -1;
	const char *word = err->code == ERR_NOTFOUND ? "engine_missing" : "engine_unusable";
	snprintf(err->word, sizeof err->word, "%s", word);
	return err_wrap(err, "the engine (engine.path)");
}

void buildah_hide_secrets(const struct spec *s, struct err *err)
{
	struct buf clean = BUF_INIT;

	if (!err)
		return;
	struct mask *m = mask_create();
	for (size_t i = 0; i < s->build.args_len; i++) {
		const struct secret *secret = &s->build.args[i].secret;
		mask_add(m, (struct str){ secret_reveal(secret), secret->len });
	}
	for (size_t i = 0; i < s->registries_len; i++) {
		const struct secret *secret = &s->registries[i].password;
		mask_add(m, (struct str){ secret_reveal(secret), secret->len });
	}
	mask_feed(m, str_from(err->msg), &clean);
	mask_finish(m, &clean);
	snprintf(err->msg, sizeof err->msg, "%s", clean.ptr ? clean.ptr : "");
	mask_destroy(m);
	buf_release(&clean);
}

/* ---- preparing ---- */

/*
 * A mount namespace of this process, so that nothing that is mounted here, by us or by buildah, is
 * seen or left outside. False where that is not permitted; then we mount nothing.
 */
static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

/* Where buildah keeps global state, whatever it is told: something of ours goes on top. */
static void cover_host_folders(const char *cache)
{
	mkdir("/run/containers", 0755);
	mkdir("/var/lib/containers", 0755);
	/* A failure is visible to the operator only as files there; the build is as good. */
	mount("tmpfs", "/run/containers", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700");
	mount(cache, "/var/lib/containers", NULL, MS_BIND, NULL);
}

static int make_folder(const char *parent, const char *name, struct err *err)
{
	cleanup_free char *path = fs_join(parent, name);

	return fs_mkdirs(path, PRIVATE_MODE, err);
}

static int make_folders(struct buildah *b, const char *cache, struct err *err)
{
	static const char *const inner[] = { "run", "home", "runtime", "networks", "empty" };

	if (fs_mkdirs(b->root, PRIVATE_MODE, err) < 0 || fs_mkdirs(cache, PRIVATE_MODE, err) < 0 ||
	    fs_mkdirs(b->dir, PRIVATE_MODE, err) < 0 || fs_mkdirs(b->tmp, PRIVATE_MODE, err) < 0)
		return -1;
	if (own_mounts()) {
		b->mounted = mount("tmpfs", b->dir, "tmpfs", MS_NOSUID | MS_NODEV,
				   "mode=700,size=64m") == 0;
		cover_host_folders(cache);
	}
	for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
		if (make_folder(b->dir, inner[i], err) < 0)
			return -1;
	}
	return 0;
}

static int put_file(const struct buildah *b, const char *name, struct str text, struct err *err)
{
	cleanup_free char *path = fs_join(b->dir, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return fs_fail(err, "write", path);
	return fs_write_all(fd, text, err);
}

static int put_auth(const struct buildah *b, const struct spec *s, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT;

	buildah_auth(&text, s);
	int rc = put_file(b, "auth.json", buf_str(&text), err);
	OPENSSL_cleanse(text.ptr, text.len);
	return rc;
}

static int put_files(const struct buildah *b, const struct spec *s, struct err *err)
{
	cleanup_free char *networks = fs_join(b->dir, "networks");
	cleanup_free char *runroot = fs_join(b->dir, "run");
	cleanup_buf struct buf registries = BUF_INIT, containers = BUF_INIT, storage = BUF_INIT,
			       policy = BUF_INIT;

	buildah_registries_conf(&registries, s);
	buildah_containers_conf(&containers, networks);
	buildah_storage_conf(&storage, b->driver, b->root, runroot);
	buildah_policy(&policy);
	if (put_file(b, "registries.conf", buf_str(&registries), err) < 0 ||
	    put_file(b, "containers.conf", buf_str(&containers), err) < 0 ||
	    put_file(b, "storage.conf", buf_str(&storage), err) < 0 ||
	    put_file(b, "policy.json", buf_str(&policy), err) < 0 ||
	    put_file(b, "nothing", STR(""), err) < 0)
		return -1;
	return put_auth(b, s, err);
}

static void set_env(struct buildah *b)
{
	/* The operator's proxies and certificates reach registries for us. */
	static const char *const inherited[] = {
		"HTTP_PROXY",  "HTTPS_PROXY", "NO_PROXY",      "http_proxy",
		"https_proxy", "no_proxy",    "SSL_CERT_FILE", "SSL_CERT_DIR",
	};
	struct strvec *env = &b->env;

	strvec_push(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strvec_pushf(env, "HOME=%s/home", b->dir);
	strvec_pushf(env, "XDG_CONFIG_HOME=%s/home", b->dir);
	strvec_pushf(env, "XDG_DATA_HOME=%s/home", b->dir);
	strvec_pushf(env, "XDG_CACHE_HOME=%s/home", b->dir);
	strvec_pushf(env, "XDG_RUNTIME_DIR=%s/run", b->dir);
	strvec_pushf(env, "TMPDIR=%s", b->tmp);
	strvec_pushf(env, "CONTAINERS_CONF=%s/containers.conf", b->dir);
	strvec_pushf(env, "CONTAINERS_REGISTRIES_CONF=%s/registries.conf", b->dir);
	strvec_pushf(env, "CONTAINERS_STORAGE_CONF=%s/storage.conf", b->dir);
	strvec_pushf(env, "REGISTRY_AUTH_FILE=%s/auth.json", b->dir);
	/* One build starts buildah some twenty times, mostly for milliseconds: collecting garbage
	 * at 32 MiB instead of 4 saves about a tenth of its time. */
	strvec_push(env, "GOGC=800");
	for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
		const char *value = getenv(inherited[i]);
		if (value)
			strvec_pushf(env, "%s=%s", inherited[i], value);
	}
}

int buildah_prepare(struct buildah *out, const struct buildah_opts *opts, struct err *err)
{
	cleanup_free char *cache = buildah_shared(opts->spec, "cache");
	struct buildah b = {
		.program = probe_engine_path(opts->spec),
		.dir = xstrdup(opts->dir),
		.tmp = xasprintf("%s-tmp", opts->dir),
		.root = xstrdup(opts->root),
		.driver = xstrdup(opts->driver),
	};

	if (make_folders(&b, cache, err) < 0 || put_files(&b, opts->spec, err) < 0) {
		buildah_release(&b);
		return -1;
	}
	set_env(&b);
	*out = b;
	return 0;
}

void buildah_release(struct buildah *b)
{
	if (b->mounted)
		umount2(b->dir, MNT_DETACH);
	if (b->dir)
		fs_remove_tree(b->dir, NULL);
	if (b->tmp)
		fs_remove_tree(b->tmp, NULL);
	free(b->program);
	free(b->dir);
	free(b->tmp);
	free(b->root);
	free(b->driver);
	strvec_release(&b->env);
	*b = (struct buildah){ 0 };
}

/* ---- arguments ---- */

void buildah_argv(const struct buildah *b, struct strvec *argv, const char *verb)
{
	strvec_push(argv, b->program);
	strvec_pushf(argv, "--root=%s", b->root);
	strvec_pushf(argv, "--runroot=%s/run", b->dir);
	strvec_pushf(argv, "--storage-driver=%s", b->driver);
	strvec_pushf(argv, "--registries-conf=%s/registries.conf", b->dir);
	strvec_pushf(argv, "--registries-conf-dir=%s/empty", b->dir);
	strvec_pushf(argv, "--short-name-alias-conf=%s/home/aliases.conf", b->dir);
	strvec_pushf(argv, "--default-mounts-file=%s/nothing", b->dir);
	strvec_push(argv, "--cgroup-manager=cgroupfs");
	strvec_push(argv, verb);
}

void buildah_run_args(const struct buildah *b, struct strvec *argv, const struct choice *choice,
		      const char *cgroup_name, const struct network *network)
{
	cleanup_free char *cgroup = buildah_cgroup(cgroup_name);

	strvec_pushf(argv, "--isolation=%s", choice->isolation);
	strvec_pushf(argv, "--cgroup-parent=%s", cgroup);
	strvec_pushf(argv, "--hooks-dir=%s/empty", b->dir);
	strvec_pushf(argv, "--signature-policy=%s/policy.json", b->dir);
	if (choice->runtime) {
		strvec_pushf(argv, "--runtime=%s", choice->runtime);
		strvec_pushf(argv, "--runtime-flag=root=%s/runtime", b->dir);
	}
	network_args(network, argv);
}

int buildah_read_digest(char **out, const struct buildah *b, const char *name, struct err *err)
{
	cleanup_free char *path = fs_join(b->dir, name);
	cleanup_buf struct buf text = BUF_LIMIT(256);

	if (fs_read(&text, path, NULL) < 0)
		return err_set(err, ERR_INTERNAL, "builder_crash",
			       "the engine ended without saying which image it made");
	struct str digits = str_trim(buf_str(&text));
	if (str_starts(digits, "sha256:"))
		digits = str_after(digits, strlen("sha256:"));
	if (digits.len != 64 || strspn(digits.ptr, "0123456789abcdef") < 64)
		return err_set(err, ERR_INTERNAL, "builder_crash",
			       "the engine said what is no digest: %.80s", text.ptr);
	*out = str_dup(digits);
	return 0;
}

/* ---- the engine ---- */

static int buildah_open(struct engine **out, struct exec *x, struct err *err)
{
	cleanup_free char *dir = fs_join(x->work, "engine");
	cleanup_free char *root = buildah_shared(&x->spec, "storage");
	struct engine *e = xnew(struct engine);
	struct buildah_opts opts = { .spec = &x->spec, .dir = dir, .root = root };

	e->x = x;
	e->cgroup = cgroup_name(&x->spec);
	if (probe_choose(&e->choice, &x->spec, x, err) == 0) {
		opts.driver = e->choice.driver;
		if (buildah_prepare(&e->b, &opts, err) == 0) {
			*out = e;
			return 0;
		}
	}
	choice_release(&e->choice);
	free(e->cgroup);
	free(e);
	return -1;
}

static void buildah_close(struct engine *e)
{
	if (!e)
		return;
	buildah_release(&e->b);
	buildah_cgroups_remove(e->cgroup);
	choice_release(&e->choice);
	free(e->image_id);
	free(e->cgroup);
	free(e);
}

const struct engine_ops buildah_ops = {
	.kind = "buildah",
	.open = buildah_open,
	.build = buildah_build,
	.push = buildah_push,
	.close = buildah_close,
	.sweep = buildah_sweep,
	.probe = buildah_probe,
};
