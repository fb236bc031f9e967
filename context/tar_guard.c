#include "context/tar_guard.h"

static int bad(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "tar_bad", "the archive is damaged or no tar: %s", why);
}

static bool all_zero(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i])
			return false;
	}
	return true;
}

/* ---- extended headers ---- */

static const char *const for_one_entry[] = { "path", "linkpath", "size" };

/* One "LENGTH key=value\n" off the front of *rest. */
static bool cut_record(struct str *rest, struct str *key, struct str *value)
{
	size_t blank = str_find(*rest, ' ', 0);
	uint64_t len;

	if (blank > 10 || !str_to_u64(str_slice(*rest, 0, blank), rest->len, &len) ||
	    len < blank + 3 || rest->ptr[len - 1] != '\n')
		return false;
	struct str record = str_slice(*rest, blank + 1, len - 1);
	size_t equals = str_find(record, '=', 0);
	if (equals == 0 || equals == record.len)
		return false;
	*key = str_slice(record, 0, equals);
	*value = str_after(record, equals + 1);
	*rest = str_after(*rest, len);
	return true;
}

static int check_record(struct tar_guard *g, struct str key, struct str value, struct err *err)
{
	if (str_starts(key, "GNU.sparse"))
		return bad(err, "sparse files are not taken");
	for (size_t i = 0; g->type == 'g' && i < ARRAY_LEN(for_one_entry); i++) {
		if (str_is(key, for_one_entry[i]))
			return bad(err, "a global header names an entry's path or size");
	}
	if ((str_is(key, "path") || str_is(key, "linkpath")) && memchr(value.ptr, '\0', value.len))
		return err_set(err, ERR_INVALID, "tar_unsafe", "an entry's name holds a NUL");
	if (str_is(key, "size")) {
		if (g->has_size || !str_to_u64(value, INT64_MAX, &g->size))
			return bad(err, "an extended header tells no size, or two");
		g->has_size = true;
	}
	return 0;
}

static int check_extension(struct tar_guard *g, struct err *err)
{
	struct str rest = buf_str(&g->held), key, value;

	if (g->type != 'x' && g->type != 'g')
		return 0; /* GNU's long names: ended by a NUL, cut there by the reader */
	while (rest.len) {
		if (!cut_record(&rest, &key, &value))
			return bad(err, "an extended header is malformed");
		if (check_record(g, key, value, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- headers ---- */

/* Octal digits between blanks. The other notation is for sizes beyond what is taken anyway. */
static bool read_octal(struct str field, uint64_t *out)
{
	uint64_t value = 0;
	bool any = false;

	while (field.len && (field.ptr[field.len - 1] == ' ' || field.ptr[field.len - 1] == '\0'))
		field.len--;
	while (field.len && field.ptr[0] == ' ')
		field = str_after(field, 1);
	for (size_t i = 0; i < field.len; i++, any = true) {
		if (field.ptr[i] < '0' || field.ptr[i] > '7')
			return false;
		value = value * 8 + (uint64_t)(field.ptr[i] - '0');
	}
	*out = value;
	return any || field.len == 0;
}

/* Of the block with blanks in the place of the sum; old programs added signed bytes. */
static bool checksum_is_right(struct str block)
{
	uint64_t told, sum = 0;
	int64_t signed_sum = 0;

	for (size_t i = 0; i < block.len; i++) {
		char c = i >= 148 && i < 156 ? ' ' : block.ptr[i];
		sum += (unsigned char)c;
		signed_sum += (signed char)c;
	}
	return read_octal(str_slice(block, 148, 156), &told) &&
	       (told == sum || (int64_t)told == signed_sum);
}

static int take_extension(struct tar_guard *g, uint64_t size, struct err *err)
{
	if (size > TAR_EXTENSION_BYTES)
		return bad(err, "an extended header has more than 64 KiB");
	g->extension = size;
	return 0;
}

static int check_header(struct tar_guard *g, struct err *err)
{
	struct str block = buf_str(&g->held);
	uint64_t size;

	if (all_zero(block)) {
		g->ended = true;
		return g->has_size ? bad(err, "an extended header stands before the end") : 0;
	}
	if (!checksum_is_right(block))
		return bad(err, "a header's checksum is wrong");
	if (!read_octal(str_slice(block, 124, 136), &size))
		return bad(err, "an entry's size is no number, or 8 GiB and more");
	g->type = block.ptr[156] ? block.ptr[156] : '0';
	g->body = (size + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
	if (strchr("xgLK", g->type))
		return take_extension(g, size, err);
	if (g->type == 'S')
		return bad(err, "sparse files are not taken");
	if (!strchr("01234567", g->type))
		return bad(err, "an entry has a type that is not taken");
	if (size && strchr("123456", g->type))
		return bad(err, "a link, folder or device has data");
	if (g->has_size && g->size != size)
		return bad(err, "an entry has two sizes");
	g->has_size = false;
	return 0;
}

/* ---- the stream ---- */

/* Up to `want` bytes into what is held; true when it is full. */
static bool collect(struct tar_guard *g, struct str *bytes, uint64_t want)
{
	size_t missing = (size_t)want - g->held.len;
	size_t n = bytes->len < missing ? bytes->len : missing;

	buf_addstr(&g->held, str_slice(*bytes, 0, n));
	*bytes = str_after(*bytes, n);
	return g->held.len == want;
}

static int feed_header(struct tar_guard *g, struct str *bytes, struct err *err)
{
	if (!collect(g, bytes, TAR_BLOCK_BYTES))
		return 0;
	int rc = check_header(g, err);
	buf_clear(&g->held);
	return rc;
}

static int feed_extension(struct tar_guard *g, struct str *bytes, struct err *err)
{
	size_t before = bytes->len;
	bool full = collect(g, bytes, g->extension);

	g->body -= before - bytes->len;
	if (!full)
		return 0;
	int rc = check_extension(g, err);
	buf_clear(&g->held);
	g->extension = 0;
	return rc;
}

int tar_guard_feed(struct tar_guard *g, struct str bytes, struct err *err)
{
	int rc = 0;

	while (bytes.len && rc == 0) {
		if (g->ended) {
			return all_zero(bytes) ? 0 : bad(err, "there is more behind its end");
		} else if (g->extension) {
			rc = feed_extension(g, &bytes, err);
		} else if (g->body) {
			size_t n = bytes.len < g->body ? bytes.len : (size_t)g->body;
			bytes = str_after(bytes, n);
			g->body -= n;
		} else {
			rc = feed_header(g, &bytes, err);
		}
	}
	return rc;
}

int tar_guard_end(const struct tar_guard *g, struct err *err)
{
	return g->ended ? 0 : bad(err, "it stops before its end");
}

void tar_guard_release(struct tar_guard *g)
{
	buf_release(&g->held);
}
