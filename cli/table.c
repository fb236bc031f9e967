#include "cli/table.h"

#include <stdio.h>
#include <sys/ioctl.h>

#include "common/scope.h"

enum { COLUMNS_MAX = 16, GAP = 2 };

/* The member at "a.b" of the item. */
static const json_t *member(const json_t *item, const char *path)
{
	struct str rest = str_from(path), key;

	while (item && str_split(&rest, '.', &key))
		item = json_object_getn(item, key.ptr, key.len);
	return item;
}

/* Text of the service may hold anything: on a terminal, control characters are shown as '?'. */
static void add_clean(struct buf *cell, const char *text)
{
	for (; *text; text++)
		buf_addc(cell, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void make_cell(struct buf *cell, const json_t *item, const struct column *column)
{
	if (column->make) {
		column->make(cell, item);
		return;
	}
	const json_t *value = member(item, column->path);
	if (json_is_string(value)) {
		add_clean(cell, json_string_value(value));
	} else if (value && !json_is_null(value)) {
		cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (text)
			add_clean(cell, text);
	}
}

static size_t item_count(const json_t *value)
{
	return json_is_array(value) ? json_array_size(value) : 1;
}

static const json_t *item_at(const json_t *value, size_t i)
{
	return json_is_array(value) ? json_array_get(value, i) : value;
}

/* Code points, near enough to columns for what we print. */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t terminal_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

/* The first `width` code points. */
static size_t bytes_for(const char *text, size_t width)
{
	const char *p = text;
	while (*p) {
		if (((unsigned char)*p & 0xc0) != 0x80 && width-- == 0)
			break;
		p++;
	}
	return (size_t)(p - text);
}

static void print_row(char *const *cells, const size_t *widths, size_t columns, size_t terminal,
		      const char *on, const char *off)
{
	size_t at = 0;

	fputs(on, stdout);
	for (size_t c = 0; c < columns; c++) {
		size_t width = width_of(cells[c]);
		size_t room = terminal && terminal > at ? terminal - at : terminal ? 1 : width;
		size_t shown = width < room ? width : room;
		fwrite(cells[c], 1, bytes_for(cells[c], shown), stdout);
		if (c + 1 < columns)
			printf("%*s", (int)(widths[c] - shown + GAP), "");
		at += widths[c] + GAP;
		if (terminal && at >= terminal)
			break;
	}
	printf("%s\n", off);
}

void table_print(const json_t *value, const struct column *columns)
{
	cleanup_strvec struct strvec cells = { 0 };
	size_t widths[COLUMNS_MAX] = { 0 };
	size_t n = 0, rows = item_count(value), terminal = terminal_width();

	for (; columns[n].title; n++)
		strvec_push(&cells, columns[n].title);
	for (size_t row = 0; row < rows; row++) {
		for (size_t c = 0; c < n; c++) {
			struct buf cell = BUF_INIT;
			make_cell(&cell, item_at(value, row), &columns[c]);
			strvec_push_take(&cells, buf_detach(&cell));
		}
	}
	for (size_t i = 0; i < cells.len; i++) {
		size_t width = width_of(cells.items[i]);
		widths[i % n] = width > widths[i % n] ? width : widths[i % n];
	}
	for (size_t row = 0; row <= rows; row++)
		print_row(cells.items + row * n, widths, n, terminal,
			  row == 0 && terminal ? "\033[1m" : "",
			  row == 0 && terminal ? "\033[0m" : "");
}

void table_print_tsv(const json_t *value, const struct column *columns)
{
	for (size_t row = 0; row < item_count(value); row++) {
		for (size_t c = 0; columns[c].title; c++) {
			cleanup_buf struct buf cell = BUF_INIT;
			make_cell(&cell, item_at(value, row), &columns[c]);
			printf("%s%s", c ? "\t" : "", buf_str(&cell).ptr);
		}
		putchar('\n');
	}
}
