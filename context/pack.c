#include "context/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"
#include "context/dockerfile_place.h"
#include "context/ignore_file.h"
#include "context/walk.h"

enum { COPY_BYTES = 256 << 10, DOCKERFILE_BYTES = 1 << 20, MADE_DIGITS = 32 };

static const char made_prefix[] = ".slipway-dockerfile-";

struct pack {
	const struct pack_opts *opts;
	struct archive *archive;
	struct packed result;
	struct dockerfile_place dockerfile;
	struct stat dockerfile_stat;
	struct buf dockerfile_text;
	char *ignore_name; /* of the ignore file that counts, or NULL */
	bool dockerfile_kept, ignore_kept, root_ignore_kept;
	char *buffer;
	bool broken; /* opts->write failed, with: */
	struct err trouble;
};

/*
 * libarchive leaks its compressor when a write fails. So no write does: after the first failure
 * the bytes are dropped, and whoever called libarchive looks at `trouble`.
 */
static la_ssize_t on_write(struct archive *archive, void *data, const void *bytes, size_t len)
{
	struct pack *p = data;

	(void)archive;
	if (!p->broken &&
	    p->opts->write((struct str){ bytes, len }, p->opts->data, &p->trouble) < 0)
		p->broken = true;
	return (la_ssize_t)len;
}

/* After a call of libarchive's: has it, or the writer behind it, failed? */
static int check(struct pack *p, int rc, struct err *err)
{
	if (p->broken && err)
		*err = p->trouble;
	if (p->broken)
		return -1;
	if (rc < ARCHIVE_WARN)
		return err_set(err, ERR_INTERNAL, "internal", "packing failed: %s",
			       archive_error_string(p->archive));
	return 0;
}

static int put_data(struct pack *p, struct str bytes, struct err *err)
{
	la_ssize_t n = archive_write_data(p->archive, bytes.ptr, bytes.len);
	return check(p, n < 0 ? (int)n : ARCHIVE_OK, err);
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
	return check(p, rc, err);
}

static int changed(struct str path, struct err *err)
{
	return err_set(err, ERR_CONFLICT, "context_changed",
		       "'%.*s' was written to while it was packed: try again, or leave it out with "
		       ".dockerignore",
		       (int)(path.len > 200 ? 200 : path.len), path.ptr);
}

/* Exactly as many bytes as the header promised. */
static int put_file(struct pack *p, int fd, struct str path, const struct stat *st, struct err *err)
{
	int64_t left = st->st_size;
	struct stat after;

	if (put_header(p, path, st, NULL, err) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = read(fd, p->buffer, left < COPY_BYTES ? (size_t)left : COPY_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return changed(path, err);
		if (put_data(p, (struct str){ p->buffer, (size_t)n }, err) < 0)
			return -1;
		left -= n;
		p->result.bytes += (uint64_t)n;
	}
	if (fstat(fd, &after) < 0 || after.st_size != st->st_size ||
	    after.st_mtim.tv_sec != st->st_mtim.tv_sec ||
	    after.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
		return changed(path, err);
	return 0;
}

static int pack_file(struct pack *p, const struct walk_entry *e, struct err *err)
{
	struct stat st;
	cleanup_fd int fd =
		openat(e->parent_fd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		p->result.vanished++;
		return 0;
	}
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

static void note_kept(struct pack *p, struct str path)
{
	p->dockerfile_kept |= p->dockerfile.inside && str_is(path, p->dockerfile.inside);
	p->ignore_kept |= p->ignore_name && str_is(path, p->ignore_name);
	p->root_ignore_kept |= str_is(path, ".dockerignore");
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
	if (S_ISREG(e->st.st_mode)) {
		note_kept(p, e->path);
		return pack_file(p, e, err);
	}
	if (S_ISLNK(e->st.st_mode))
		return pack_link(p, e, err);
	if (S_ISDIR(e->st.st_mode))
		return put_header(p, e->path, &e->st, NULL, err);
	p->result.skipped++;
	return 0;
}

/* Before anything is sent: a Dockerfile that is not there should not cost an upload. */
static int read_dockerfile(struct pack *p, struct err *err)
{
	const char *path = p->dockerfile.path;
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &p->dockerfile_stat) < 0 || !S_ISREG(p->dockerfile_stat.st_mode))
		return err_set(err, ERR_INVALID, "dockerfile_missing",
			       "there is no Dockerfile '%.200s'; say where it is with -f", path);
	p->dockerfile_text = (struct buf)BUF_LIMIT(DOCKERFILE_BYTES);
	if (fs_read(&p->dockerfile_text, path, err) < 0)
		return err_is(err, "too_large") ? err_set(err, ERR_INVALID, "dockerfile_limit",
							  "'%.200s' has more than 1 MiB", path)
						: -1;
	return 0;
}

/* The made-up name comes from the content, so that the same Dockerfile gives the same archive. */
static int append_dockerfile(struct pack *p, struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	struct str text = buf_str(&p->dockerfile_text);

	sha256(digest, text);
	cleanup_free char *hex = hex_encode(digest, MADE_DIGITS / 2);
	p->result.dockerfile = xasprintf("%s%s", made_prefix, hex);
	p->dockerfile_stat.st_size = (off_t)text.len;
	if (put_header(p, str_from(p->result.dockerfile), &p->dockerfile_stat, NULL, err) < 0)
		return -1;
	return text.len ? put_data(p, text, err) : 0;
}

bool pack_is_dockerfile(const char *path)
{
	struct str all = str_from(path);

	if (!str_starts(all, made_prefix) || all.len != sizeof made_prefix - 1 + MADE_DIGITS)
		return false;
	return strspn(path + sizeof made_prefix - 1, "0123456789abcdef") == MADE_DIGITS;
}

/* Whoever looks into the archive finds this Dockerfile, and the ignore file that counted or none.
 */
static bool speaks_for_itself(const struct pack *p)
{
	return p->dockerfile_kept && (p->ignore_kept || !p->root_ignore_kept);
}

static int write_kept(struct pack *p, int fd, struct err *err)
{
	struct ignore *rules = NULL;
	const char *dockerfile = p->dockerfile.inside ? p->dockerfile.inside : p->dockerfile.path;

	if (ignore_load(&rules, &p->ignore_name, fd, dockerfile, &p->opts->limits, err) < 0)
		return -1;
	ignore_prepend(&rules, ".git");
	int rc =
		walk_folder(fd, &(struct walk_opts){ .rules = rules, .entry = on_entry, .data = p },
			    err);
	ignore_destroy(rules);
	return rc;
}

static int write_all(struct pack *p, int fd, struct err *err)
{
	if (read_dockerfile(p, err) < 0 || write_kept(p, fd, err) < 0)
		return -1;
	if (speaks_for_itself(p))
		p->result.dockerfile = xstrdup(p->dockerfile.inside);
	else if (append_dockerfile(p, err) < 0)
		return -1;
	return check(p, archive_write_close(p->archive), err);
}

static int open_archive(struct pack *p, struct err *err)
{
	p->archive = archive_write_new();
	archive_write_set_format_pax_restricted(p->archive);
	archive_write_add_filter_gzip(p->archive);
	archive_write_set_filter_option(p->archive, "gzip", "compression-level", "1");
	archive_write_set_filter_option(p->archive, "gzip", "timestamp", NULL);
	archive_write_set_bytes_per_block(p->archive, COPY_BYTES);
	archive_write_set_bytes_in_last_block(p->archive, 1);
	return check(p, archive_write_open(p->archive, p, NULL, on_write, NULL), err);
}

static void pack_release(struct pack *p)
{
	dockerfile_place_release(&p->dockerfile);
	buf_release(&p->dockerfile_text);
	free(p->ignore_name);
	free(p->buffer);
	archive_write_free(p->archive);
}

int pack_folder(struct packed *out, const struct pack_opts *opts, struct err *err)
{
	struct pack p = { .opts = opts };
	cleanup_fd int fd = -1;

	if (dockerfile_place_find(&p.dockerfile, opts->folder, opts->dockerfile, err) < 0)
		return -1;
	p.buffer = xmalloc(COPY_BYTES);
	fd = open(opts->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? err_set_errno(err, ERR_INVALID, "context_missing", errno, "'%.200s'",
					opts->folder)
			: open_archive(&p, err);
	if (rc == 0)
		rc = write_all(&p, fd, err);
	/* Freeing an archive that is not closed writes its end: after a failure nobody wants it. */
	p.broken = p.broken || rc < 0;
	if (rc == 0)
		*out = p.result;
	else
		free(p.result.dockerfile);
	pack_release(&p);
	return rc;
}
