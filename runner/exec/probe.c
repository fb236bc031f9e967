#include "runner/exec/probe.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/exec.h"
#include "runner/exec/probe_try.h"

enum { VERSION = 1, CACHE_BYTES = 64 * 1024, LOCK_PAUSE_MS = 50 };

char *probe_find_program(const char *name)
{
	static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					       "/usr/bin",        "/sbin",          "/bin" };

	if (name[0] == '/')
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char *path = fs_join(folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *probe_engine_path(const struct spec *s)
{
	const char *configured = s->engine.path ? s->engine.path : "buildah";
	char *path = probe_find_program(configured);

	return path ? path : xstrdup(configured); /* starting it will say what is wrong */
}

const char *probe_setting(const char *configured)
{
	return configured ? configured : "auto";
}

void choice_release(struct choice *c)
{
	free(c->driver);
	free(c->isolation);
	free(c->runtime);
	free(c->network);
	free(c->version);
	strvec_release(&c->notes);
	*c = (struct choice){ 0 };
}

/* ---- the cache ---- */

static void add_program(struct buf *key, const char *name)
{
	cleanup_free char *path = probe_find_program(name);
	struct stat st;

	if (path && stat(path, &st) == 0)
		buf_addf(key, "%s %lld.%09ld %lld\n", path, (long long)st.st_mtim.tv_sec,
			 st.st_mtim.tv_nsec, (long long)st.st_size);
	else
		buf_addf(key, "%s -\n", name);
}

/* Everything that the answer depends on: another key, another answer. */
static char *cache_key(const struct spec *s)
{
	const char *runtime = probe_setting(s->engine.runtime);
	cleanup_free char *program = probe_engine_path(s);
	struct buf key = BUF_INIT;
	cleanup_buf struct buf boot = BUF_LIMIT(64);

	fs_read(&boot, "/proc/sys/kernel/random/boot_id", NULL);
	buf_addf(&key, "%s\n%s\n%s %s %s\n", SLIPWAY_VERSION, boot.ptr ? boot.ptr : "",
		 probe_setting(s->engine.isolation), runtime, probe_setting(s->engine.network));
	add_program(&key, program);
	add_program(&key, "crun");
	add_program(&key, "runc");
	add_program(&key, "slirp4netns");
	if (runtime[0] == '/')
		add_program(&key, runtime);
	return buf_detach(&key);
}

static int get_string(const json_t *object, const char *key, char **out)
{
	const char *text = json_string_value(json_object_get(object, key));

	*out = xstrdup(text);
	return text ? 0 : -1;
}

/* Anything that is not as we wrote it is no answer. */
static int read_cache(struct choice *out, const char *path, const char *key)
{
	cleanup_buf struct buf text = BUF_LIMIT(CACHE_BYTES);
	cleanup_json json_t *object = NULL;
	struct choice c = { 0 };
	json_t *note;
	size_t i;

	if (fs_read(&text, path, NULL) < 0 || json_read(&object, buf_str(&text), NULL, NULL) < 0)
		return -1;
	const char *its_key = json_string_value(json_object_get(object, "key"));
	if (json_integer_value(json_object_get(object, "v")) != VERSION || !its_key ||
	    strcmp(its_key, key) != 0)
		return -1;
	get_string(object, "runtime", &c.runtime);
	if (get_string(object, "driver", &c.driver) < 0 ||
	    get_string(object, "isolation", &c.isolation) < 0 ||
	    get_string(object, "network", &c.network) < 0 ||
	    get_string(object, "version", &c.version) < 0) {
		choice_release(&c);
		return -1;
	}
	json_array_foreach (json_object_get(object, "notes"), i, note)
		strvec_push(&c.notes, json_string_value(note) ? json_string_value(note) : "");
	*out = c;
	return 0;
}

static void write_cache(const struct choice *c, const char *path, const char *key)
{
	cleanup_json json_t *object = json_object();
	json_t *notes = json_array();

	json_object_set_new(object, "v", json_integer(VERSION));
	json_put_string(object, "key", key);
	json_put_string(object, "driver", c->driver);
	json_put_string(object, "isolation", c->isolation);
	json_put_string(object, "runtime", c->runtime);
	json_put_string(object, "network", c->network);
	json_put_string(object, "version", c->version);
	STRVEC_FOREACH (note, &c->notes)
		json_array_append_new(notes, json_string(*note));
	json_object_set_new(object, "notes", notes);
	cleanup_free char *text = json_text(object);
	fs_write_atomic(path, str_from(text), 0600,
			NULL); /* without it, the next run tries again */
}

/* ---- choosing ---- */

/* Several runs may start on a new machine at once: one tries, the others wait for its answer. */
static int wait_for_lock(int *fd, const char *path, const struct exec *x, struct err *err)
{
	struct err locked = { 0 };

	while (fs_lock(fd, path, NULL, &locked) < 0) {
		if (!err_is(&locked, "locked")) {
			*err = locked;
			return -1;
		}
		if (x && exec_may_go_on(x, err) < 0)
			return -1;
		poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return 0;
}

static int try_and_remember(struct choice *out, const struct spec *s, const struct exec *x,
			    const char *cache, const char *key, struct err *err)
{
	cleanup_free char *lock_path = buildah_shared(s, "probe.lock");
	cleanup_fd int lock = -1;

	if (wait_for_lock(&lock, lock_path, x, err) < 0)
		return -1;
	if (read_cache(out, cache, key) == 0)
		return 0;
	if (probe_try(out, s, x, err) < 0)
		return -1;
	write_cache(out, cache, key);
	return 0;
}

int probe_choose(struct choice *out, const struct spec *s, const struct exec *x, struct err *err)
{
	cleanup_free char *cache = buildah_shared(s, "probe.json");
	cleanup_free char *folder = xasprintf("%s/engine", s->data_dir);
	cleanup_free char *key = cache_key(s);
	struct err failure = { 0 };

	if (read_cache(out, cache, key) == 0)
		return 0;
	if (fs_mkdirs(folder, 0700, err) < 0)
		return -1;
	if (try_and_remember(out, s, x, cache, key, &failure) == 0)
		return 0;
	if (err)
		*err = failure;
	return -1;
}
