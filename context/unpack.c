#include "context/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "context/tar_stream.h"

enum { NAME_MAX_BYTES = 4096, PART_MAX_BYTES = 255 };

struct unpack {
	const struct unpack_opts *opts;
	struct tar_stream *stream;
	struct archive *archive; /* reads the tar that the stream gives */
	int root;
	int64_t entries;
	struct err trouble; /* of the stream, which libarchive cannot carry */
};

static int shown(struct str path)
{
	return (int)(path.len > 150 ? 150 : path.len);
}

static int unsafe(struct err *err, struct str path, const char *why)
{
	return err_set(err, ERR_INVALID, "tar_unsafe", "'%.*s' %s", shown(path), path.ptr, why);
}

static int bad(struct unpack *u, struct err *err)
{
	if (u->trouble.code != ERR_NONE) {
		if (err)
			*err = u->trouble;
		return -1;
	}
	const char *why = archive_error_string(u->archive);
	return err_set(err, ERR_INVALID, "tar_bad", "the archive is damaged or no tar: %.200s",
		       why ? why : "unknown format");
}

static int storage(struct err *err, int errnum, struct str path)
{
	bool full = errnum == ENOSPC || errnum == EDQUOT;
	return err_set_errno(err, ERR_UNAVAILABLE, full ? "disk_full" : "storage", errnum, "'%.*s'",
			     shown(path), path.ptr);
}

/* "./a//b/" as "a/b": parts only. What would leave the folder, or could not be shown, is refused.
 */
static int clean_name(struct buf *out, struct str name, bool is_folder, struct err *err)
{
	struct str rest = name, part;

	if (name.len > NAME_MAX_BYTES)
		return err_set(err, ERR_INVALID, "tar_bad",
			       "an entry's name has more than %d bytes", NAME_MAX_BYTES);
	/* A folder named "/" is how Python, and so az, writes the folder without a name. */
	if (str_starts(name, "/") && !(is_folder && str_is(name, "/")))
		return unsafe(err, name, "is an absolute path");
	if (str_has_control(name) || !str_is_utf8(name))
		return unsafe(err, name, "holds control characters or is not UTF-8");
	if (!is_folder && (name.len == 0 || str_ends(name, "/")))
		return unsafe(err, name, "is a file with a folder's name");
	while (str_split(&rest, '/', &part)) {
		if (part.len == 0 || str_is(part, "."))
			continue;
		if (str_is(part, ".."))
			return unsafe(err, name, "leaves the folder with '..'");
		if (part.len > PART_MAX_BYTES)
			return unsafe(err, name, "has a part of more than 255 bytes");
		if (out->len)
			buf_addc(out, '/');
		buf_addstr(out, part);
	}
	if (out->len == 0 && !is_folder)
		return unsafe(err, name, "names the folder itself");
	return 0;
}

/* Folders that are made under way count as well. */
static int count_entry(struct unpack *u, struct err *err)
{
	if (++u->entries > u->opts->entries)
		return err_set(err, ERR_LIMIT, "tar_too_many",
			       "the archive has more than %lld entries",
			       (long long)u->opts->entries);
	return 0;
}

/* One folder down, without following a link; a missing one is made if `make`. */
static int open_part(struct unpack *u, int parent, const char *part, bool make, struct str path,
		     struct err *err)
{
	int fd = openat(parent, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make) {
		if (count_entry(u, err) < 0)
			return -1;
		if (mkdirat(parent, part, 0755) < 0)
			return storage(err, errno, path);
		fd = openat(parent, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == ENOENT))
		return unsafe(err, path, "goes through something that is no folder");
	return fd < 0 ? storage(err, errno, path) : fd;
}

/*
 * The folder that holds the last part of `path`, opened part by part. *name is the last part. The
 * descriptor is the caller's.
 */
static int open_parent(struct unpack *u, struct str path, bool make, const char **name,
		       struct err *err)
{
	int fd = fcntl(u->root, F_DUPFD_CLOEXEC, 0);
	struct str left = path;

	if (fd < 0)
		return storage(err, errno, path);
	for (size_t slash; (slash = str_find(left, '/', 0)) < left.len;
	     left = str_after(left, slash + 1)) {
		cleanup_free char *part = str_dup(str_slice(left, 0, slash));
		int next = open_part(u, fd, part, make, path, err);
		close(fd);
		if (next < 0)
			return -1;
		fd = next;
	}
	*name = left.ptr;
	return fd;
}

/* The last entry of a name counts; but a folder that has something in it is not replaced. */
static int make_room(int parent, const char *name, struct str path, struct err *err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		return unsafe(err, path, "replaces a folder");
	return 0;
}

static int copy_data(struct unpack *u, int fd, struct str path, struct err *err)
{
	const void *bytes;
	size_t len;
	la_int64_t offset;
	int rc;

	while ((rc = archive_read_data_block(u->archive, &bytes, &len, &offset)) == ARCHIVE_OK) {
		for (size_t done = 0; done < len;) {
			ssize_t n = pwrite(fd, (const char *)bytes + done, len - done,
					   offset + (off_t)done);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return storage(err, n < 0 ? errno : ENOSPC, path);
			done += (size_t)n;
		}
	}
	return rc == ARCHIVE_EOF ? 0 : bad(u, err);
}

static int put_file(struct unpack *u, struct archive_entry *entry, int parent, const char *name,
		    struct str path, struct err *err)
{
	mode_t mode = archive_entry_perm(entry) & 0111 ? 0755 : 0644;
	int64_t size = archive_entry_size(entry);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = archive_entry_mtime(entry) } };

	if (size > u->opts->expanded_bytes)
		return err_set(err, ERR_LIMIT, "tar_too_large",
			       "the archive expands to more than %lld MiB",
			       (long long)(u->opts->expanded_bytes >> 20));
	cleanup_fd int fd =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return storage(err, errno, path);
	if (copy_data(u, fd, path, err) < 0)
		return -1;
	/* Sparse ends and the caller's umask. */
	if (ftruncate(fd, size) < 0 || fchmod(fd, mode) < 0)
		return storage(err, errno, path);
	if (archive_entry_mtime_is_set(entry))
		futimens(fd, times);
	return 0;
}

/* A second name of a file that came before. */
static int put_hard_link(struct unpack *u, struct str target, int parent, const char *name,
			 struct str path, struct err *err)
{
	cleanup_buf struct buf clean = BUF_INIT;
	const char *target_name;
	struct stat st;

	if (clean_name(&clean, target, false, err) < 0)
		return -1;
	cleanup_fd int from = open_parent(u, buf_str(&clean), false, &target_name, err);
	if (from < 0)
		return -1;
	if (fstatat(from, target_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return unsafe(err, path,
			      "is a hard link to something that is no file of the archive");
	return linkat(from, target_name, parent, name, 0) < 0 ? storage(err, errno, path) : 0;
}

/* A link may point anywhere inside; it is never followed by us, and the image shows it as it is. */
static int put_symlink(struct str target, int parent, const char *name, struct str path,
		       struct err *err)
{
	if (target.len == 0 || target.len > NAME_MAX_BYTES)
		return unsafe(err, path, "is a link to nowhere");
	cleanup_free char *text = str_dup(target);
	return symlinkat(text, parent, name) < 0 ? storage(err, errno, path) : 0;
}

static int put_folder(int parent, const char *name, struct str path, struct err *err)
{
	struct stat st;

	if (mkdirat(parent, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return storage(err, errno, path);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (make_room(parent, name, path, err) < 0)
		return -1;
	return mkdirat(parent, name, 0755) < 0 ? storage(err, errno, path) : 0;
}

static int put_entry(struct unpack *u, struct archive_entry *entry, struct str path,
		     struct err *err)
{
	mode_t type = archive_entry_filetype(entry);
	const char *hard_link = archive_entry_hardlink(entry), *name;

	if (path.len == 0)
		return 0; /* the folder itself */
	cleanup_fd int parent = open_parent(u, path, true, &name, err);
	if (parent < 0)
		return -1;
	if (type == AE_IFDIR && !hard_link)
		return put_folder(parent, name, path, err);
	if (!hard_link && type != AE_IFREG && type != AE_IFLNK)
		return unsafe(err, path, "is a device, a pipe or a socket");
	if (make_room(parent, name, path, err) < 0)
		return -1;
	if (hard_link)
		return put_hard_link(u, str_from(hard_link), parent, name, path, err);
	if (type == AE_IFLNK)
		return put_symlink(str_from(archive_entry_symlink(entry)), parent, name, path, err);
	return put_file(u, entry, parent, name, path, err);
}

static int take_entry(struct unpack *u, struct archive_entry *entry, struct err *err)
{
	const char *name = archive_entry_pathname(entry);
	cleanup_buf struct buf path = BUF_INIT;

	if (count_entry(u, err) < 0 ||
	    (u->opts->may_go_on && u->opts->may_go_on(u->opts->data, err) < 0))
		return -1;
	if (!name)
		return err_set(err, ERR_INVALID, "tar_unsafe",
			       "an entry's name cannot be read as UTF-8");
	if (clean_name(&path, str_from(name), archive_entry_filetype(entry) == AE_IFDIR, err) < 0)
		return -1;
	return put_entry(u, entry, buf_str(&path), err);
}

static la_ssize_t on_read(struct archive *archive, void *data, const void **out)
{
	struct unpack *u = data;
	struct str bytes;

	if (tar_stream_next(u->stream, &bytes, &u->trouble) < 0) {
		archive_set_error(archive, EIO, "read");
		return -1;
	}
	*out = bytes.ptr;
	return (la_ssize_t)bytes.len;
}

static int take_all(struct unpack *u, struct err *err)
{
	struct archive_entry *entry;
	struct str rest;
	int rc;

	archive_read_support_format_tar(u->archive);
	if (archive_read_open(u->archive, u, NULL, on_read, NULL) != ARCHIVE_OK)
		return bad(u, err);
	while ((rc = archive_read_next_header(u->archive, &entry)) != ARCHIVE_EOF) {
		if (rc < ARCHIVE_WARN)
			return bad(u, err);
		if (take_entry(u, entry, err) < 0)
			return -1;
	}
	if (u->trouble.code != ERR_NONE || u->entries == 0)
		return bad(u, err);
	/* The reader stops at the tar's end; what is behind it is looked at as well. */
	do {
		if (tar_stream_next(u->stream, &rest, err) < 0)
			return -1;
	} while (rest.len);
	return 0;
}

/* libarchive converts names by the thread's locale. */
static int take_all_as_utf8(struct unpack *u, struct err *err)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc = take_all(u, err);

	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return rc;
}

int unpack_archive(int fd, const char *folder, const struct unpack_opts *opts, struct err *err)
{
	cleanup_fd int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct unpack u = { .opts = opts, .root = root };

	if (root < 0)
		return storage(err, errno, str_from(folder));
	if (tar_stream_open(&u.stream, fd, opts, err) < 0)
		return -1;
	u.archive = archive_read_new();
	int rc = take_all_as_utf8(&u, err);
	archive_read_free(u.archive);
	tar_stream_close(u.stream);
	return rc;
}
