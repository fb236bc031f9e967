#include "runner/contract/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/fs.h"
#include "common/scope.h"

enum { LOCK_TRIES = 25, LOCK_PAUSE_MS = 20, LINE_MAX_BYTES = 128, STAT_MAX_BYTES = 4096 };

char *rundir_path(const char *data_dir, const char *run_id, const char *name)
{
	return xasprintf("%s/runs/%s%s%s", data_dir, run_id, name ? "/" : "", name ? name : "");
}

int rundir_create(const char *data_dir, const char *run_id, struct err *err)
{
	cleanup_free char *dir = rundir_path(data_dir, run_id, NULL);
	cleanup_free char *log = rundir_path(data_dir, run_id, "log");

	if (fs_mkdirs(dir, 0700, err) < 0)
		return -1;
	cleanup_fd int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? fs_fail(err, "make the log", log) : 0;
}

/* ---- the owner's line: "pid starttime boot-id" ---- */

static int read_boot_id(char out[40], struct err *err)
{
	cleanup_buf struct buf text = BUF_LIMIT(64);

	if (fs_read(&text, "/proc/sys/kernel/random/boot_id", err) < 0)
		return -1;
	struct str id = str_trim(buf_str(&text));
	snprintf(out, 40, "%.*s", (int)id.len, id.ptr);
	return 0;
}

/* Field 22 of a stat file. The second one, the name, may hold blanks and brackets: count from its
 * last bracket. */
static int read_start_time(uint64_t *out, const char *stat_path, struct err *err)
{
	cleanup_buf struct buf text = BUF_LIMIT(STAT_MAX_BYTES);

	if (fs_read(&text, stat_path, err) < 0)
		return -1;
	struct str rest = buf_str(&text), field;
	const char *bracket = rest.len ? memrchr(rest.ptr, ')', rest.len) : NULL;
	if (bracket)
		rest = str_after(rest, (size_t)(bracket - rest.ptr) + 2);
	for (int number = 3; bracket && str_split(&rest, ' ', &field); number++)
		if (number == 22 && str_to_u64(field, UINT64_MAX, out))
			return 0;
	return err_set(err, ERR_INTERNAL, "internal", "%s has no start time in field 22",
		       stat_path);
}

/* This process as the /proc that is mounted now sees it: getpid() is another number in an own PID
 * namespace. */
static int read_own_pid(pid_t *out, struct err *err)
{
	char text[24];
	uint64_t pid;
	ssize_t n = readlink("/proc/self", text, sizeof text);

	if (n < 0)
		return fs_fail(err, "read", "/proc/self");
	if (!str_to_u64((struct str){ text, (size_t)n }, INT32_MAX, &pid))
		return err_set(err, ERR_INTERNAL, "internal", "/proc/self is no process id");
	*out = (pid_t)pid;
	return 0;
}

static int write_owner(int fd, const char *path, struct err *err)
{
	cleanup_buf struct buf line = BUF_INIT;
	struct rundir_owner me = { 0 };

	if (read_own_pid(&me.pid, err) < 0 ||
	    read_start_time(&me.start_time, "/proc/self/stat", err) < 0 ||
	    read_boot_id(me.boot_id, err) < 0)
		return -1;
	buf_addf(&line, "%d %llu %s\n", (int)me.pid, (unsigned long long)me.start_time, me.boot_id);
	/* Over the old line first and the rest cut off after: never empty, never two lines. */
	if (lseek(fd, 0, SEEK_SET) < 0 || fs_write_all(fd, buf_str(&line), err) < 0 ||
	    ftruncate(fd, (off_t)line.len) < 0 || fsync(fd) < 0)
		return fs_fail(err, "write", path);
	return 0;
}

static void read_owner(struct rundir_owner *out, const char *path)
{
	cleanup_buf struct buf text = BUF_LIMIT(LINE_MAX_BYTES);
	struct str line, pid = { 0 }, start = { 0 }, boot = { 0 };
	uint64_t number;

	*out = (struct rundir_owner){ 0 };
	if (fs_read(&text, path, NULL) < 0)
		return;
	line = str_slice(buf_str(&text), 0, str_find(buf_str(&text), '\n', 0));
	str_split(&line, ' ', &pid);
	str_split(&line, ' ', &start);
	str_split(&line, ' ', &boot);
	if (!str_to_u64(start, UINT64_MAX, &out->start_time) || boot.len == 0 ||
	    boot.len >= sizeof out->boot_id || !str_to_u64(pid, INT32_MAX, &number))
		return;
	memcpy(out->boot_id, boot.ptr, boot.len);
	out->pid = (pid_t)number;
}

/* ---- the lock ---- */

int rundir_lock(int *out_fd, const char *data_dir, const char *run_id, struct err *err)
{
	cleanup_free char *path = rundir_path(data_dir, run_id, "lock");
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
	cleanup_fd int fd = -1;
	struct err why = { 0 };

	/* A server that asks rundir_is_locked() holds it for an instant. */
	for (int try = 1; fs_lock(&fd, path, NULL, &why) < 0; try++) {
		if (!err_is(&why, "locked") || try == LOCK_TRIES)
			return err_set(err, why.code, why.word, "%s", why.msg);
		nanosleep(&pause, NULL);
	}
	if (write_owner(fd, path, err) < 0)
		return -1;
	*out_fd = fd;
	fd = -1;
	return 0;
}

int rundir_is_locked(bool *out, struct rundir_owner *owner, const char *data_dir,
		     const char *run_id, struct err *err)
{
	cleanup_free char *path = rundir_path(data_dir, run_id, "lock");
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		*out = false;
		return 0;
	}
	if (fd < 0)
		return fs_fail(err, "open", path);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		*out = false;
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return fs_fail(err, "ask for the lock of", path);
	*out = true;
	read_owner(owner, path);
	return 0;
}

static int gone(struct err *err, const struct rundir_owner *owner)
{
	return err_set(err, ERR_NOTFOUND, "runner_lost", "process %d is not the runner any more",
		       (int)owner->pid);
}

int rundir_owner_pidfd(int *out_fd, const struct rundir_owner *owner, struct err *err)
{
	cleanup_free char *stat_path = xasprintf("/proc/%d/stat", (int)owner->pid);
	char boot_id[40];
	uint64_t start_time;

	if (owner->pid <= 0)
		return gone(err, owner);
	if (read_boot_id(boot_id, err) < 0)
		return -1;
	if (strcmp(boot_id, owner->boot_id) != 0)
		return gone(err, owner);
	/* First the handle, then the look: the number cannot change hands in between. */
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, owner->pid, 0);
	if (fd < 0 && errno == ESRCH)
		return gone(err, owner);
	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "internal", errno,
				     "cannot open a handle of process %d", (int)owner->pid);
	if (read_start_time(&start_time, stat_path, NULL) < 0 || start_time != owner->start_time)
		return gone(err, owner);
	*out_fd = fd;
	fd = -1;
	return 0;
}

/* ---- the push fence ---- */

int rundir_grant(const char *data_dir, const char *run_id, int attempt, struct err *err)
{
	cleanup_free char *path = rundir_path(data_dir, run_id, "grant");
	cleanup_free char *text = xasprintf("%d\n", attempt);

	return fs_write_atomic(path, str_from(text), 0600, err);
}

bool rundir_is_granted(const char *data_dir, const char *run_id, int attempt)
{
	cleanup_free char *path = rundir_path(data_dir, run_id, "grant");
	cleanup_buf struct buf text = BUF_LIMIT(32);
	uint64_t granted;

	return fs_read(&text, path, NULL) == 0 &&
	       str_to_u64(str_trim(buf_str(&text)), INT32_MAX, &granted) && (int)granted == attempt;
}
