#include "runner/exec/checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/scope.h"

enum {
	STATE_VERSION = 1, /* also of the rules by which this program writes trees */
	STATE_BYTES = 4096,
	SLOTS_MAX = 64,
	NAME_BYTES = 8, /* of a hash; a collision costs writing all files, no more */
};

static char *hash_of(struct str text, size_t bytes)
{
	unsigned char hash[SHA256_BYTES];

	sha256(hash, text);
	return hex_encode(hash, bytes);
}

/* ---- the lock ---- */

/* Is that file still the one of this name? Whoever removes a slot unlinks its lock last. */
static bool is_called(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

static int take_lock(int *out, const char *path, struct err *err)
{
	for (;;) {
		int fd;
		if (fs_lock(&fd, path, NULL, err) < 0)
			return -1;
		if (is_called(fd, path)) {
			futimens(fd, NULL); /* when it was used last, for retention */
			*out = fd;
			return 0;
		}
		close(fd);
	}
}

/* Slots are numbered; the first ones are used most. */
static int take_slot(struct checkout *c, const char *folder, const char *name, struct err *err)
{
	for (int i = 0; i < SLOTS_MAX; i++) {
		cleanup_free char *path = xasprintf("%s/%s-%d", folder, name, i);
		cleanup_free char *lock = xasprintf("%s.lock", path);
		struct err why = { 0 };

		if (take_lock(&c->lock_fd, lock, &why) == 0) {
			c->path = xstrdup(path);
			return 0;
		}
		if (!err_is(&why, "locked")) {
			if (err)
				*err = why;
			return -1;
		}
	}
	return err_set(err, ERR_LIMIT, "checkouts_taken", "%d runs use checkouts of one folder",
		       SLOTS_MAX);
}

/* ---- what is in it ---- */

/* Of this boot: what it wrote has reached the disk only if there was no other one since. */
static int read_boot_id(char **out, struct err *err)
{
	cleanup_buf struct buf text = BUF_LIMIT(STATE_BYTES);

	if (fs_read(&text, "/proc/sys/kernel/random/boot_id", err) < 0)
		return -1;
	*out = str_dup(str_trim(buf_str(&text)));
	return 0;
}

static bool is_member(const json_t *object, const char *key, const char *wanted)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && strcmp(value, wanted) == 0;
}

static bool read_id(git_oid *out, const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && strlen(value) == GIT_OID_HEXSZ && git_oid_fromstr(out, value) == 0;
}

static int64_t read_number(const json_t *object, const char *key)
{
	int64_t value = 0;

	return json_opt_int(object, "", key, 0, INT64_MAX, &value, NULL) < 0 ? 0 : value;
}

static bool read_state(struct checkout *c)
{
	cleanup_free char *path = fs_join(c->path, "state");
	cleanup_free char *boot = NULL;
	cleanup_buf struct buf text = BUF_LIMIT(STATE_BYTES);
	cleanup_json json_t *state = NULL;

	if (fs_read(&text, path, NULL) < 0 || read_boot_id(&boot, NULL) < 0 ||
	    json_read(&state, buf_str(&text), NULL, NULL) < 0)
		return false;
	if (read_number(state, "v") != STATE_VERSION || !is_member(state, "boot", boot) ||
	    !is_member(state, "rules", c->rules) || !read_id(&c->commit, state, "commit") ||
	    !read_id(&c->tree, state, "tree"))
		return false;
	c->tally.entries = read_number(state, "entries");
	c->tally.bytes = read_number(state, "bytes");
	return true;
}

/* Not synced, as the files are not: the boot id stands for that. */
static int write_state(const struct checkout *c, const json_t *state, struct err *err)
{
	cleanup_free char *path = fs_join(c->path, "state");
	cleanup_free char *fresh = fs_join(c->path, "state.new");
	cleanup_free char *text = json_text(state);
	cleanup_fd int fd = -1;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fs_fail(err, "write", fresh);
	if (fs_write_all(fd, str_from(text), err) < 0)
		return -1;
	return rename(fresh, path) < 0 ? fs_fail(err, "write", path) : 0;
}

static int open_files(struct checkout *c, struct err *err)
{
	if (fs_mkdirs(c->files, 0755, err) < 0)
		return -1;
	c->files_fd = open(c->files, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->files_fd < 0 ? fs_fail(err, "open", c->files) : 0;
}

/* ---- the whole ---- */

int checkout_open(struct checkout **out, const struct checkout_wanted *wanted, struct err *err)
{
	cleanup_free char *folder = xasprintf("%s.checkouts", wanted->mirror);
	cleanup_free char *name = hash_of(wanted->name, NAME_BYTES);
	struct checkout *c = xnew(struct checkout);

	*c = (struct checkout){ .lock_fd = -1, .files_fd = -1 };
	if (fs_mkdirs(folder, 0700, err) < 0 || take_slot(c, folder, name, err) < 0)
		goto fail;
	c->files = fs_join(c->path, "files");
	c->rules = hash_of(wanted->rules, SHA256_BYTES);
	c->known = fs_exists(c->files) && read_state(c);
	if (open_files(c, err) < 0)
		goto fail;
	*out = c;
	return 0;
fail:
	checkout_close(c);
	return -1;
}

void checkout_close(struct checkout *c)
{
	if (!c)
		return;
	if (c->files_fd >= 0)
		close(c->files_fd);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c->path);
	free(c->files);
	free(c->rules);
	free(c);
}

int checkout_begin(struct checkout *c, struct err *err)
{
	cleanup_free char *path = fs_join(c->path, "state");

	c->known = false;
	if (unlink(path) < 0 && errno != ENOENT)
		return fs_fail(err, "remove", path);
	return 0;
}

int checkout_empty(struct checkout *c, struct err *err)
{
	if (checkout_begin(c, err) < 0)
		return -1;
	close(c->files_fd);
	c->files_fd = -1;
	c->tally = (struct git_tally){ 0 };
	if (fs_remove_tree(c->files, err) < 0)
		return -1;
	return open_files(c, err);
}

void checkout_done(struct checkout *c, const git_oid *commit, const git_oid *tree,
		   const struct git_tally *tally)
{
	cleanup_json json_t *state = json_object();
	cleanup_free char *boot = NULL;
	char hex[GIT_OID_HEXSZ + 1];
	struct err err = { 0 };

	if (read_boot_id(&boot, &err) == 0) {
		json_object_set_new(state, "v", json_integer(STATE_VERSION));
		json_put_string(state, "boot", boot);
		json_put_string(state, "rules", c->rules);
		json_put_string(state, "commit", git_oid_tostr(hex, sizeof hex, commit));
		json_put_string(state, "tree", git_oid_tostr(hex, sizeof hex, tree));
		json_object_set_new(state, "entries", json_integer(tally->entries));
		json_object_set_new(state, "bytes", json_integer(tally->bytes));
		if (write_state(c, state, &err) == 0)
			return;
	}
	log_warn("checkout.state", "path=%s error=\"%s\"", c->path, err.msg);
}
