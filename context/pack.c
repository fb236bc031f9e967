#include "context/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "context/clean.h"
#include "context/ignore_file.h"
#include "context/walk.h"

enum { COPY_BYTES = 256 << 10, DOCKERFILE_BYTES = 1 << 20, MADE_DIGITS = 32 };

static const char made_prefix[] = ".slipway-dockerfile-";

struct pack {
	const struct pack_opts *opts;
	struct archive *archive;
	struct packed result;
	const char *dockerfile; /* relative to the folder, or NULL when it lies elsewhere */
	bool dockerfile_kept;
	char *buffer;
	struct err trouble; /* of opts->write, which libarchive cannot carry */
};

static la_ssize_t on_write(struct archive *archive, void *data, const void *bytes, size_t len)
{
	struct pack *p = data;

	if (p->opts->write((struct str){ bytes, len }, p->opts->data, &p->trouble) < 0) {
		archive_set_error(archive, EIO, "write");
		return -1;
	}
	return (la_ssize_t)len;
}

/* What libarchive says, unless the writer has said more. */
static int archive_failed(struct pack *p, struct err *err)
{
	if (p->trouble.code != ERR_NONE)
		*err = p->trouble;
	else
		err_set(err, ERR_INTERNAL, "internal", "packing failed: %s",
			archive_error_string(p->archive));
	return -1;
}

static int put_header(struct pack *p, struct str path, const struct stat *st, const char *target,
		      struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	cleanup_free char *name = str_dup(path);
	bool is_file = S_ISREG(st->st_mode);

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, st->st_mode & S_IFMT);
	archive_entry_set_perm(entry, st->st_mode & 0777);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, 0);
	archive_entry_set_size(entry, is_file ? st->st_size : 0);
	if (target)
		archive_entry_set_symlink(entry, target);
	int rc = archive_write_header(p->archive, entry);
	archive_entry_free(entry);
	p->result.entries++;
	return rc < ARCHIVE_WARN ? archive_failed(p, err) : 0;
}

/* Exactly as many bytes as the header promised. */
static int put_file(struct pack *p, int fd, struct str path, const struct stat *st, struct err *err)
{
	int64_t left = st->st_size;

	if (put_header(p, path, st, NULL, err) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = read(fd, p->buffer, left < COPY_BYTES ? (size_t)left : COPY_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_CONFLICT, "context_changed",
				       "'%.*s' became shorter while it was packed: try again",
				       (int)(path.len > 200 ? 200 : path.len), path.ptr);
		if (archive_write_data(p->archive, p->buffer, (size_t)n) < 0)
			return archive_failed(p, err);
		left -= n;
		p->result.bytes += (uint64_t)n;
	}
	return 0;
}

static int pack_file(struct pack *p, const struct walk_entry *e, struct err *err)
{
	struct stat st;
	cleanup_fd int fd =
		openat(e->parent_fd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0; /* it vanished since it was listed */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set_errno(err, ERR_INVALID, "context_unreadable",
				     fd < 0 ? errno : EINVAL, "cannot read '%.*s'",
				     (int)(e->path.len > 200 ? 200 : e->path.len), e->path.ptr);
	return put_file(p, fd, e->path, &st, err);
}

static int pack_link(struct pack *p, const struct walk_entry *e, struct err *err)
{
	char target[4097];
	ssize_t n = readlinkat(e->parent_fd, e->name, target, sizeof target - 1);

	if (n < 0)
		return errno == ENOENT ? 0
				       : err_set_errno(err, ERR_INVALID, "context_unreadable",
						       errno, "cannot read a link");
	target[n] = '\0';
	return put_header(p, e->path, &e->st, target, err);
}

static int on_entry(const struct walk_entry *e, void *data, struct err *err)
{
	struct pack *p = data;

	if (e->verdict.ignored)
		return 0;
	if (str_has_control(e->path) || !str_is_utf8(e->path))
		return err_set(
			err, ERR_INVALID, "name_invalid",
			"'%.*s': a file name with control characters or other than UTF-8 cannot be uploaded; rename it, or "
			"leave it out with .dockerignore",
			(int)(e->path.len > 200 ? 200 : e->path.len), e->path.ptr);
	if (p->dockerfile && str_is(e->path, p->dockerfile) && S_ISREG(e->st.st_mode))
		p->dockerfile_kept = true;
	if (S_ISREG(e->st.st_mode))
		return pack_file(p, e, err);
	if (S_ISLNK(e->st.st_mode))
		return pack_link(p, e, err);
	if (S_ISDIR(e->st.st_mode))
		return put_header(p, e->path, &e->st, NULL, err);
	p->result.skipped++;
	return 0;
}

/* The made-up name comes from the content, so that the same Dockerfile gives the same archive. */
static int append_dockerfile(struct pack *p, int folder_fd, struct err *err)
{
	const char *given = p->opts->dockerfile ? p->opts->dockerfile : "Dockerfile";
	struct stat st;
	unsigned char digest[SHA256_BYTES];
	cleanup_buf struct buf text = BUF_LIMIT(DOCKERFILE_BYTES + COPY_BYTES);
	cleanup_fd int fd = openat(folder_fd, given, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "dockerfile_missing",
			       "there is no Dockerfile '%.200s'; say where it is with -f", given);
	while (n > 0) {
		if (buf_reserve(&text, COPY_BYTES) < 0)
			return err_set(err, ERR_INVALID, "dockerfile_limit",
				       "'%.200s' has more than 1 MiB", given);
		n = read(fd, text.ptr + text.len, COPY_BYTES);
		if (n > 0)
			buf_grown(&text, (size_t)n);
	}
	if (text.len > DOCKERFILE_BYTES)
		return err_set(err, ERR_INVALID, "dockerfile_limit", "'%.200s' has more than 1 MiB",
			       given);
	sha256(digest, buf_str(&text));
	cleanup_free char *hex = hex_encode(digest, MADE_DIGITS / 2);
	p->result.dockerfile = xasprintf("%s%s", made_prefix, hex);
	st.st_size = (off_t)text.len;
	if (put_header(p, str_from(p->result.dockerfile), &st, NULL, err) < 0)
		return -1;
	if (text.len && archive_write_data(p->archive, text.ptr, text.len) < 0)
		return archive_failed(p, err);
	return 0;
}

bool pack_is_dockerfile(const char *path)
{
	struct str all = str_from(path);

	if (!str_starts(all, made_prefix) || all.len != sizeof made_prefix - 1 + MADE_DIGITS)
		return false;
	return strspn(path + sizeof made_prefix - 1, "0123456789abcdef") == MADE_DIGITS;
}

/* The Dockerfile as a path of the context, or NULL when it cannot be one. Owned by the caller. */
static char *dockerfile_in_folder(const char *given)
{
	char *clean = path_clean(str_from(given ? given : "Dockerfile"));

	if (clean[0] == '/' || strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0) {
		free(clean);
		return NULL;
	}
	return clean;
}

static int write_all(struct pack *p, int fd, struct err *err)
{
	struct ignore *rules = NULL;
	cleanup_free char *name = NULL;
	cleanup_free char *dockerfile = dockerfile_in_folder(p->opts->dockerfile);

	p->dockerfile = dockerfile;
	if (ignore_load(&rules, &name, fd, dockerfile ? dockerfile : "Dockerfile", &p->opts->limits,
			err) < 0)
		return -1;
	ignore_prepend(&rules, ".git");
	int rc =
		walk_folder(fd, &(struct walk_opts){ .rules = rules, .entry = on_entry, .data = p },
			    err);
	ignore_destroy(rules);
	if (rc < 0)
		return -1;
	if (p->dockerfile_kept)
		p->result.dockerfile = xstrdup(dockerfile);
	else if (append_dockerfile(p, fd, err) < 0)
		return -1;
	return archive_write_close(p->archive) == ARCHIVE_OK ? 0 : archive_failed(p, err);
}

int pack_folder(struct packed *out, const struct pack_opts *opts, struct err *err)
{
	struct pack p = { .opts = opts };
	cleanup_fd int fd = open(opts->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(
			err, ERR_INVALID, "context_missing", errno,
			"'%.200s' is no folder that can be read, and no git or https context",
			opts->folder);
	p.archive = archive_write_new();
	p.buffer = xmalloc(COPY_BYTES);
	archive_write_set_format_pax_restricted(p.archive);
	archive_write_add_filter_gzip(p.archive);
	archive_write_set_filter_option(p.archive, "gzip", "compression-level", "1");
	archive_write_set_filter_option(p.archive, "gzip", "timestamp", NULL);
	archive_write_set_bytes_per_block(p.archive, COPY_BYTES);
	archive_write_set_bytes_in_last_block(p.archive, 1);
	int rc = archive_write_open(p.archive, &p, NULL, on_write, NULL) == ARCHIVE_OK
			 ? write_all(&p, fd, err)
			 : archive_failed(&p, err);
	/* Freeing an archive that is not closed writes its end: after a failure nobody wants that.
	 */
	if (rc < 0)
		archive_write_fail(p.archive);
	archive_write_free(p.archive);
	free(p.buffer);
	if (rc < 0) {
		free(p.result.dockerfile);
		return -1;
	}
	*out = p.result;
	return 0;
}
