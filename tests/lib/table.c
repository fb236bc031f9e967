#include "tests/lib/table.h"

#include "common/crypto.h"
#include "common/fs.h"

void table_load(struct table *t, const char *path)
{
	struct err err = { 0 };
	bool heading = true;

	*t = (struct table){ 0 };
	if (fs_read(&t->text, path, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	struct str rest = buf_str(&t->text), line;
	while (str_split(&rest, '\n', &line)) {
		if (line.len == 0 && !rest.ptr)
			break;
		if (str_starts(line, "# "))
			continue;
		if (heading) {
			heading = false;
			continue;
		}
		t->rows = xreallocarray(t->rows, t->len + 1, sizeof *t->rows);
		struct str *row = t->rows[t->len++], field;
		memset(row, 0, sizeof *t->rows);
		for (size_t i = 0; i < TABLE_COLUMNS && str_split(&line, '\t', &field); i++)
			row[i] = field;
	}
}

void table_release(struct table *t)
{
	free(t->rows);
	buf_release(&t->text);
	*t = (struct table){ 0 };
}

/* "{N*TEXT}" at the beginning of s: its length in *used. */
static bool decode_repeat(struct buf *out, struct str s, size_t *used)
{
	size_t star = str_find(s, '*', 0), end = str_find(s, '}', 0);
	uint64_t n;

	if (!str_starts(s, "{") || star >= end || end >= s.len ||
	    !str_to_u64(str_slice(s, 1, star), 1 << 24, &n))
		return false;
	while (n--)
		buf_addstr(out, str_slice(s, star + 1, end));
	*used = end + 1;
	return true;
}

static size_t decode_escape(struct buf *out, struct str s)
{
	static const char letters[] = "rnt0\\", values[] = "\r\n\t\0\\";
	char byte;

	if (s.len >= 4 && s.ptr[1] == 'x' && hex_decode(&byte, 1, str_slice(s, 2, 4))) {
		buf_addc(out, byte);
		return 4;
	}
	const char *known = s.len > 1 ? strchr(letters, s.ptr[1]) : NULL;
	if (!known || !*known) {
		buf_addc(out, '\\');
		return 1;
	}
	buf_addc(out, values[known - letters]);
	return 2;
}

void table_decode(struct buf *out, struct str field)
{
	while (field.len) {
		size_t used = 1;
		if (field.ptr[0] == '\\')
			used = decode_escape(out, field);
		else if (!decode_repeat(out, field, &used))
			buf_addc(out, field.ptr[0]);
		field = str_after(field, used);
	}
}
