#include "runner/exec/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/contract/spec.h"

enum {
	KILL_MS = 1000,
	REMOVE_MS = 2000,
	PAUSE_US = 2000,
	CPU_PERIOD_US = 100000,
	NAME_HASH_BYTES = 4,
};

/* The hierarchies worth having, by the word in the mount's options; NULL stands for unified. */
static const char *const controllers[] = { "memory", "pids", "cpu", "freezer" };

struct hierarchy {
	char *mount;
	bool unified;
	bool has[ARRAY_LEN(controllers)];
};

struct hierarchies {
	struct hierarchy items[ARRAY_LEN(controllers) + 1];
	size_t len;
};

char *cgroup_name(const struct spec *spec)
{
	unsigned char hash[SHA256_BYTES];

	sha256(hash, str_from(spec->data_dir));
	cleanup_free char *hex = hex_encode(hash, NAME_HASH_BYTES);
	return xasprintf("%s-%s", spec->run_id, hex);
}

/* ---- which hierarchies there are ---- */

static bool option_has(struct str options, const char *word)
{
	struct str option;

	while (str_split(&options, ',', &option)) {
		if (str_is(option, word))
			return true;
	}
	return false;
}

/* Controllers of the unified hierarchy stand in a file, separated by blanks. */
static void read_controllers(struct hierarchy *h)
{
	cleanup_free char *path = fs_join(h->mount, "cgroup.controllers");
	cleanup_buf struct buf text = BUF_LIMIT(4096);
	struct str rest, word;

	if (fs_read(&text, path, NULL) < 0)
		return;
	rest = str_trim(buf_str(&text));
	while (str_split(&rest, ' ', &word)) {
		for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
			h->has[i] |= str_is(word, controllers[i]);
	}
}

/* "31 23 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids" */
static void add_mount(struct hierarchies *all, struct str line)
{
	struct str fields[5], rest = line, tail, kind, source, options;
	struct hierarchy h = { 0 };
	bool useful = false;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!str_split(&rest, ' ', &fields[i]))
			return;
	}
	const char *dash = rest.len ? memmem(rest.ptr, rest.len, " - ", 3) : NULL;
	if (!dash || all->len == ARRAY_LEN(all->items))
		return;
	tail = str_after(rest, (size_t)(dash - rest.ptr) + 3);
	if (!str_split(&tail, ' ', &kind) || !str_split(&tail, ' ', &source))
		return;
	options = tail;
	h.unified = str_is(kind, "cgroup2");
	for (size_t i = 0; str_is(kind, "cgroup") && i < ARRAY_LEN(controllers); i++) {
		h.has[i] = option_has(options, controllers[i]);
		useful |= h.has[i];
	}
	if (!h.unified && !useful)
		return;
	h.mount = str_dup(fields[4]);
	if (h.unified)
		read_controllers(&h);
	all->items[all->len++] = h;
}

static void find_hierarchies(struct hierarchies *out)
{
	cleanup_buf struct buf text = BUF_LIMIT(1024 * 1024);
	struct str rest, line;

	*out = (struct hierarchies){ 0 };
	if (fs_read(&text, "/proc/self/mountinfo", NULL) < 0)
		return;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line))
		add_mount(out, line);
}

static void release_hierarchies(struct hierarchies *all)
{
	for (size_t i = 0; i < all->len; i++)
		free(all->items[i].mount);
}

/* ---- making ---- */

static int put(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = fs_join(dir, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return fs_write_all(fd, str_from(text), NULL);
}

/* Below `dir`, children may be limited by what there is. Each alone: one refusal is one. */
static void delegate(const struct hierarchy *h, const char *dir)
{
	for (size_t i = 0; h->unified && i < ARRAY_LEN(controllers); i++) {
		cleanup_free char *text = xasprintf("+%s", controllers[i]);
		if (h->has[i])
			put(dir, "cgroup.subtree_control", text);
	}
}

/* The parent is removed with its last child, perhaps in this very moment by another run. */
static int make_dirs(const struct hierarchy *h, const char *dir)
{
	cleanup_free char *base = fs_join(h->mount, "slipway");
	cleanup_free char *leaf = fs_join(dir, "runner");

	delegate(h, h->mount);
	for (int i = 0; i < 10; i++) {
		if (mkdir(base, 0755) < 0 && errno != EEXIST)
			return -1;
		if (mkdir(dir, 0755) == 0 || errno == EEXIST)
			break;
		if (errno != ENOENT)
			return -1;
	}
	delegate(h, base);
	return mkdir(leaf, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

/* "memory" and its friends were asked for: set it here when this hierarchy has the controller. */
static bool set_limits(const struct hierarchy *h, const char *dir, const char *controller,
		       const struct cgroup_limits *limits)
{
	cleanup_free char *text = NULL;
	double quota = limits->cpus * CPU_PERIOD_US;

	if (strcmp(controller, "memory") == 0) {
		text = xasprintf("%lld", (long long)limits->memory_bytes);
		return put(dir, h->unified ? "memory.max" : "memory.limit_in_bytes", text) == 0;
	}
	if (strcmp(controller, "pids") == 0) {
		text = xasprintf("%lld", (long long)limits->pids);
		return put(dir, "pids.max", text) == 0;
	}
	if (h->unified) {
		text = xasprintf("%.0f %d", quota, CPU_PERIOD_US);
		return put(dir, "cpu.max", text) == 0;
	}
	text = xasprintf("%.0f", quota);
	return put(dir, "cpu.cfs_quota_us", text) == 0;
}

static bool is_wanted(const struct cgroup_limits *limits, const char *controller)
{
	if (strcmp(controller, "memory") == 0)
		return limits->memory_bytes > 0;
	if (strcmp(controller, "pids") == 0)
		return limits->pids > 0;
	return strcmp(controller, "cpu") == 0 && limits->cpus > 0;
}

void cgroup_make(struct cgroup *out, const char *name, const struct cgroup_limits *limits)
{
	cleanup_free char *below = fs_join("slipway", name);
	bool kept[ARRAY_LEN(controllers)] = { false };
	struct hierarchies all;

	*out = (struct cgroup){ 0 };
	find_hierarchies(&all);
	for (size_t i = 0; i < all.len; i++) {
		const struct hierarchy *h = &all.items[i];
		cleanup_free char *dir = fs_join(h->mount, below);
		if (make_dirs(h, dir) < 0)
			continue;
		strvec_push(&out->dirs, dir);
		for (size_t c = 0; c < ARRAY_LEN(controllers); c++) {
			if (h->has[c] && is_wanted(limits, controllers[c]))
				kept[c] |= set_limits(h, dir, controllers[c], limits);
		}
	}
	for (size_t c = 0; c < ARRAY_LEN(controllers); c++) {
		if (is_wanted(limits, controllers[c]) && !kept[c])
			strvec_push(&out->missing, controllers[c]);
	}
	release_hierarchies(&all);
}

/* "0" is the writer's process, whichever of its threads writes. */
static void *move(void *data)
{
	const struct cgroup *g = data;

	STRVEC_FOREACH (dir, &g->dirs) {
		cleanup_free char *leaf = fs_join(*dir, "runner");
		put(leaf, "cgroup.procs", "0");
	}
	return NULL;
}

void cgroup_enter(struct cgroup *g)
{
	g->moving = g->dirs.len && pthread_create(&g->mover, NULL, move, g) == 0;
	if (!g->moving)
		move(g);
}

void cgroup_entered(struct cgroup *g)
{
	if (g->moving)
		pthread_join(g->mover, NULL);
	g->moving = false;
}

void cgroup_release(struct cgroup *g)
{
	strvec_release(&g->dirs);
	strvec_release(&g->missing);
}

/* ---- ending ---- */

/* Do something with a group and all below it, the deepest first. */
static int visit(const char *dir, int (*visitor)(const char *dir, void *data), void *data)
{
	cleanup_dir DIR *folder = opendir(dir);
	struct dirent *entry;
	int rc = 0;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		cleanup_free char *inner = fs_join(dir, entry->d_name);
		if (visit(inner, visitor, data) < 0)
			rc = -1;
	}
	return visitor(dir, data) < 0 ? -1 : rc;
}

/* Counts and kills the processes of one group. */
static int kill_group(const char *dir, void *data)
{
	cleanup_free char *path = fs_join(dir, "cgroup.procs");
	cleanup_buf struct buf text = BUF_LIMIT(4 * 1024 * 1024);
	struct str rest, line;
	uint64_t pid;

	if (fs_read(&text, path, NULL) < 0)
		return 0;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (!str_to_u64(line, INT32_MAX, &pid) || pid == 0 || (pid_t)pid == getpid())
			continue;
		kill((pid_t)pid, SIGKILL);
		*(int *)data += 1;
	}
	return 0;
}

/*
 * The unified hierarchy kills a whole tree at once. Elsewhere the freezer makes sure that nothing
 * forks while the pids are read; where there is neither, repeating has to do.
 */
void cgroup_kill(const struct cgroup *g)
{
	int64_t until_ms = clock_monotonic_ms() + KILL_MS;
	int alive = 1;

	while (alive > 0 && clock_monotonic_ms() < until_ms) {
		alive = 0;
		STRVEC_FOREACH (dir, &g->dirs) {
			put(*dir, "cgroup.kill", "1");
			put(*dir, "freezer.state", "FROZEN");
			visit(*dir, kill_group, &alive);
			put(*dir, "freezer.state", "THAWED");
		}
		if (alive > 0)
			usleep(PAUSE_US);
	}
}

static int remove_group(const char *dir, void *data)
{
	(void)data;
	return rmdir(dir) == 0 || errno == ENOENT ? 0 : -1;
}

/* A group stays busy for a moment after the last of its processes was killed. */
static int remove_dir(const char *dir, struct err *err)
{
	int64_t until_ms = clock_monotonic_ms() + REMOVE_MS;

	while (visit(dir, remove_group, NULL) < 0) {
		if (clock_monotonic_ms() >= until_ms)
			return err_set_errno(err, ERR_INTERNAL, "cgroup_busy", errno,
					     "cannot remove %.200s", dir);
		usleep(PAUSE_US);
	}
	return 0;
}

int cgroup_remove(const char *name, struct err *err)
{
	cleanup_free char *below = fs_join("slipway", name);
	struct hierarchies all;
	struct cgroup g = { 0 };
	int rc = 0;

	find_hierarchies(&all);
	for (size_t i = 0; i < all.len; i++) {
		char *dir = fs_join(all.items[i].mount, below);
		struct stat st;
		if (stat(dir, &st) == 0)
			strvec_push_take(&g.dirs, dir);
		else
			free(dir);
	}
	if (g.dirs.len)
		cgroup_kill(&g);
	STRVEC_FOREACH (dir, &g.dirs) {
		if (remove_dir(*dir, err) < 0)
			rc = -1;
	}
	for (size_t i = 0; i < all.len; i++) {
		cleanup_free char *base = fs_join(all.items[i].mount, "slipway");
		rmdir(base); /* when it was the last run's */
	}
	release_hierarchies(&all);
	cgroup_release(&g);
	return rc;
}
