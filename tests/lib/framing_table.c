#include "tests/lib/framing_table.h"

#include "common/scope.h"

/* One character of the notation; *p moves behind it. */
static char take_char(const char **p)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
	const char *at;

	if (**p != '\\')
		return *(*p)++;
	++*p;
	if (**p == 'x') {
		char hex[3] = { (*p)[1], (*p)[2], 0 };
		*p += 3;
		return (char)strtoul(hex, NULL, 16);
	}
	at = strchr(names, *(*p)++);
	return at ? values[at - names] : '?';
}

static void expand(struct buf *out, const char *text)
{
	while (*text) {
		char *star;
		unsigned long n = *text == '{' ? strtoul(text + 1, &star, 10) : 0;
		if (n == 0 || *star != '*') {
			buf_addc(out, take_char(&text));
			continue;
		}
		cleanup_buf struct buf once = BUF_INIT;
		for (text = star + 1; *text != '}';)
			buf_addc(&once, take_char(&text));
		text++;
		while (n-- > 0)
			buf_addstr(out, buf_str(&once));
	}
}

static void add_row(struct framing_table *t, char *line)
{
	enum { COLUMNS = 6 };
	char *columns[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = strsep(&line, "\t");
	t->rows = xreallocarray(t->rows, t->count + 1, sizeof *t->rows);
	struct framing_row *row = &t->rows[t->count++];
	*row = (struct framing_row){ .id = xstrdup(columns[0]),
				     .status = atoi(columns[4]),
				     .code = xstrdup(columns[5]) };
	expand(&row->input, columns[3]);
}

void framing_table_load(struct framing_table *t, const char *path)
{
	cleanup_file FILE *f = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t cap = 0;
	bool header = true;

	*t = (struct framing_table){ 0 };
	if (!f)
		return;
	while (getline(&line, &cap, f) > 0) {
		if (!header)
			add_row(t, line);
		header = false;
	}
}

void framing_table_release(struct framing_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->rows[i].id);
		free(t->rows[i].code);
		buf_release(&t->rows[i].input);
	}
	free(t->rows);
}
