#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "config/check.h"
#include "config/read.h"
#include "config/value.h"

enum { FILE_MAX_BYTES = 256 * 1024 };

/* ---- where things are ---- */

/* $NAME when it is an absolute path (other values are to be ignored), else HOME/`below`. */
static char *user_folder(const char *name, const char *below)
{
	const char *told = getenv(name), *home = getenv("HOME");

	if (told && *told == '/')
		return xstrdup(told);
	if (!home || *home != '/') {
		const struct passwd *user = getpwuid(geteuid());
		home = user && *user->pw_dir == '/' ? user->pw_dir : "/";
	}
	return fs_join(home, below);
}

static char *default_data_dir(void)
{
	if (geteuid() == 0)
		return xstrdup("/var/lib/slipway");
	cleanup_free char *base = user_folder("XDG_DATA_HOME", ".local/share");
	return fs_join(base, "slipway");
}

/* The file to read, or NULL when there is none. */
static char *find_file(void)
{
	const char *told = getenv("SLIPWAY_CONFIG");
	if (told && *told)
		return xstrdup(told);

	char *path;
	if (geteuid() == 0) {
		path = xstrdup("/etc/slipway/slipway.yaml");
	} else {
		cleanup_free char *base = user_folder("XDG_CONFIG_HOME", ".config");
		path = fs_join(base, "slipway/slipway.yaml");
	}
	if (fs_exists(path))
		return path;
	free(path);
	return NULL;
}

static char *absolute(const char *path)
{
	if (*path == '/')
		return xstrdup(path);
	cleanup_free char *here = getcwd(NULL, 0);
	return fs_join(here ? here : "/", path);
}

/* ---- the file ---- */

static int read_text(struct buf *out, bool *is_private, const char *path, struct err *err)
{
	struct stat st;
	/* Not blocking, so that a FIFO is refused and not waited for. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_INVALID, "config", errno, "cannot open %.300s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "config", "%.300s is %s, not a file", path,
			       S_ISDIR(st.st_mode) ? "a folder" : "something special");
	if (st.st_size > FILE_MAX_BYTES)
		return err_set(err, ERR_INVALID, "config", "%.300s is larger than 256 KiB", path);
	buf_reserve(out, FILE_MAX_BYTES);
	ssize_t n = read(fd, out->ptr, FILE_MAX_BYTES);
	if (n < 0)
		return err_set_errno(err, ERR_INVALID, "config", errno, "cannot read %.300s", path);
	buf_grown(out, (size_t)n);
	if (str_trim(buf_str(out)).len == 0)
		return err_set(err, ERR_INVALID, "config",
			       "%.300s is empty; write {} for nothing but defaults", path);
	*is_private = fs_is_private(path, &st);
	return 0;
}

/* What follows from other values, or from the machine. */
static void derive(struct config *c)
{
	if (!c->data_dir)
		c->data_dir = default_data_dir();
	if (!c->max_running) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);
		c->max_running = processors > 0 ? processors : 1;
	}
	if (!c->registries_len) {
		free(c->registries);
		c->registries = xnew(struct config_registry);
		c->registries->name = xstrdup("default");
		c->registries_len = 1;
	}
	if (!c->default_registry)
		c->default_registry = xstrdup(c->registries[0].name);
	while (c->base_url && str_ends(str_from(c->base_url), "/"))
		c->base_url[strlen(c->base_url) - 1] = '\0';
}

static int load(struct config *out, const struct source *s, struct err *err)
{
	struct config c = { 0 };

	if (config_read(&c, s, err) < 0) {
		config_release(&c);
		return -1;
	}
	derive(&c);
	if (check_config(&c, s, err) < 0) {
		config_release(&c);
		return -1;
	}
	*out = c;
	return 0;
}

static int load_file(struct config *out, const char *path, struct err *err)
{
	cleanup_free char *whole = absolute(path);
	cleanup_buf struct buf text = BUF_INIT;
	struct yaml_node *root = NULL;
	struct source s = { .file = path };

	if (read_text(&text, &s.is_private, path, err) < 0 ||
	    yaml_read(&root, buf_str(&text), path, FILE_MAX_BYTES, err) < 0)
		return -1;
	explicit_bzero(text.ptr, text.len); /* it may hold secrets */
	s.root = root;
	s.folder = xstrndup(whole, (size_t)(strrchr(whole, '/') - whole) + 1);
	int rc = load(out, &s, err);
	if (rc == 0)
		out->file = xstrdup(whole);
	free(s.folder);
	yaml_release(root);
	return rc;
}

int config_load(struct config *out, const char *path, struct err *err)
{
	cleanup_free char *found = path ? NULL : find_file();

	if (path || found)
		return load_file(out, path ? path : found, err);
	config_defaults(out);
	return 0;
}

void config_defaults(struct config *out)
{
	struct source none = { 0 };
	struct err err = { 0 };
	int rc = load(out, &none, &err);
	assert(rc == 0);
	(void)rc;
}

int config_override(struct config *c, const char *data_dir, const char *listen, struct err *err)
{
	struct source command_line = { 0 };

	if (listen) {
		if (check_listen_any_port(str_from(listen), err) < 0)
			return err_wrap(err, "--listen %.60s", listen);
		char *before = c->listen;
		c->listen = xstrdup(listen);
		if (check_listen_is_safe(c, &command_line, err) < 0) {
			free(c->listen);
			c->listen = before;
			return -1;
		}
		free(before);
	}
	if (data_dir && !*data_dir)
		return err_set(err, ERR_INVALID, "config_invalid", "--data-dir: must not be empty");
	if (data_dir) {
		free(c->data_dir);
		c->data_dir = absolute(data_dir);
	}
	return 0;
}

/* ---- reading it ---- */

const struct config_registry *config_registry(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->registries_len; i++) {
		if (str_is_i(name, c->registries[i].name))
			return &c->registries[i];
	}
	return NULL;
}

const struct config_registry *config_default_registry(const struct config *c)
{
	return config_registry(c, str_from(c->default_registry));
}

char *config_database_path(const struct config *c)
{
	const char *file = c->database + strlen("sqlite:");
	return *file == '/' ? xstrdup(file) : fs_join(c->data_dir, file);
}

/* ---- its end ---- */

static void release_section(void *base, const struct key *table)
{
	KEYS_FOREACH(key, table)
	{
		if (key->kind == KEY_SECTION)
			release_section(base, key->keys);
		value_release(base, key);
		if (key->kind != KEY_LIST)
			continue;
		char *items = *(char **)((char *)base + key->offset);
		size_t len = *(size_t *)((char *)base + key->len);
		for (size_t i = 0; i < len; i++)
			release_section(items + i * key->size, key->keys);
		free(items);
	}
}

void config_release(struct config *c)
{
	release_section(c, config_keys);
	free(c->file);
	*c = (struct config){ 0 };
}
