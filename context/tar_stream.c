#include "context/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "common/mem.h"
#include "context/tar_guard.h"
#include "context/unpack.h"
#include "context/zstd_guard.h"

enum {
	READ_BYTES = 64 << 10,
	/* What may come out of however few bytes: small archives of empty files shrink well. */
	RATIO_FREE_BYTES = 16 << 20,
};

struct tar_stream {
	const struct unpack_opts *opts;
	int fd;
	struct archive *archive;
	struct zstd_guard zstd;
	struct tar_guard tar;
	int64_t read_bytes, expanded;
	int64_t zeros; /* how many of the bytes read so far are zeros at their end */
	bool ended;
	struct err trouble; /* of on_read(), which libarchive cannot carry */
	char *buffer;
};

static void count_zeros(struct tar_stream *s, struct str bytes)
{
	size_t i = bytes.len;

	while (i && !bytes.ptr[i - 1])
		i--;
	s->zeros = (int64_t)(bytes.len - i) + (i ? 0 : s->zeros);
}

/* What people send instead, by its first bytes. */
static const struct {
	struct str magic;
	const char *name;
} others[] = {
	{ STR("BZh"), "a bzip2 file" },
	{ STR("\xfd\x37zXZ"), "an xz file" },
	{ STR("\x5d\0\0"), "an lzma file" },
	{ STR("LZIP"), "an lzip file" },
	{ STR("\x04\x22\x4d\x18"), "an lz4 file" },
	{ STR("\x1f\x9d"), "a file made by compress" },
	{ STR("PK\x03\x04"), "a zip file" },
	{ STR("7z\xbc\xaf"), "a 7z file" },
	{ STR("Rar!"), "a rar file" },
	{ STR("<"), "a page of HTML or XML" },
};

static int check_beginning(struct str bytes, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct str magic = others[i].magic;
		if (str_eq(str_slice(bytes, 0, magic.len), magic))
			return err_set(err, ERR_INVALID, "tar_bad",
				       "this is %s: want a tar archive, plain or compressed with "
				       "gzip or zstd",
				       others[i].name);
	}
	return 0;
}

static int read_some(struct tar_stream *s, struct str *bytes, struct err *err)
{
	ssize_t n;

	do {
		n = read(s->fd, s->buffer, READ_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "storage", errno,
				     "cannot read the archive");
	*bytes = (struct str){ s->buffer, (size_t)n };
	if (s->read_bytes == 0 && check_beginning(*bytes, err) < 0)
		return -1;
	s->read_bytes += n;
	count_zeros(s, *bytes);
	return zstd_guard_feed(&s->zstd, *bytes, err);
}

static la_ssize_t on_read(struct archive *archive, void *data, const void **out)
{
	struct tar_stream *s = data;
	struct str bytes;

	if (read_some(s, &bytes, &s->trouble) < 0) {
		archive_set_error(archive, EIO, "read");
		return -1;
	}
	*out = bytes.ptr;
	return (la_ssize_t)bytes.len;
}

static int failed(struct tar_stream *s, struct err *err)
{
	const char *why = archive_error_string(s->archive);

	if (s->trouble.code != ERR_NONE) {
		if (err)
			*err = s->trouble;
		return -1;
	}
	return err_set(err, ERR_INVALID, "tar_bad", "the archive is damaged or no tar: %.200s",
		       why ? why : "unknown format");
}

int tar_stream_open(struct tar_stream **out, int fd, const struct unpack_opts *opts,
		    struct err *err)
{
	struct tar_stream *s = xnew(struct tar_stream);
	struct archive_entry *entry;

	*s = (struct tar_stream){ .opts = opts, .fd = fd, .buffer = xmalloc(READ_BYTES) };
	s->archive = archive_read_new();
	archive_read_support_filter_gzip(s->archive);
	archive_read_support_filter_zstd(s->archive);
	archive_read_support_format_raw(s->archive);
	int rc = 0;
	if (archive_read_open(s->archive, s, NULL, on_read, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(s->archive, &entry) != ARCHIVE_OK)
		rc = failed(s, err);
	else if (archive_filter_count(s->archive) > 2) /* "none" is one */
		rc = err_set(err, ERR_INVALID, "tar_bad", "the archive is compressed twice");
	if (rc < 0) {
		tar_stream_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

static int check_size(const struct tar_stream *s, struct err *err)
{
	const struct unpack_opts *opts = s->opts;

	if (s->expanded > opts->expanded_bytes)
		return err_set(err, ERR_LIMIT, "tar_too_large",
			       "the archive expands to more than %lld MiB",
			       (long long)(opts->expanded_bytes >> 20));
	if (s->expanded > RATIO_FREE_BYTES && s->expanded / opts->ratio > s->read_bytes)
		return err_set(err, ERR_LIMIT, "tar_too_large",
			       "the archive expands to more than %lld times its size",
			       (long long)opts->ratio);
	return 0;
}

/* The compressed data ended: nothing may follow it but zeros, which some programs pad with. */
static int check_rest(struct tar_stream *s, struct err *err)
{
	int64_t compressed = archive_filter_bytes(s->archive, -1);
	struct str bytes;

	if (archive_filter_count(s->archive) == 1)
		return 0; /* not compressed: the tar guard has seen all of it */
	do {
		if (read_some(s, &bytes, err) < 0)
			return -1;
	} while (bytes.len);
	if (s->read_bytes - compressed > s->zeros)
		return err_set(err, ERR_INVALID, "tar_bad",
			       "there is more behind the end of the compressed archive");
	return 0;
}

int tar_stream_next(struct tar_stream *s, struct str *bytes, struct err *err)
{
	const void *data;
	size_t len;
	la_int64_t offset;

	*bytes = STR("");
	if (s->ended)
		return 0;
	if (s->opts->may_go_on && s->opts->may_go_on(s->opts->data, err) < 0)
		return -1;
	int rc = archive_read_data_block(s->archive, &data, &len, &offset);
	if (rc == ARCHIVE_EOF) {
		s->ended = true;
		return tar_guard_end(&s->tar, err) < 0 || check_rest(s, err) < 0 ? -1 : 0;
	}
	if (rc != ARCHIVE_OK)
		return failed(s, err);
	s->expanded += (int64_t)len;
	*bytes = (struct str){ data, len };
	return check_size(s, err) < 0 || tar_guard_feed(&s->tar, *bytes, err) < 0 ? -1 : 0;
}

void tar_stream_close(struct tar_stream *s)
{
	if (!s)
		return;
	archive_read_free(s->archive);
	tar_guard_release(&s->tar);
	free(s->buffer);
	free(s);
}
