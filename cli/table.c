#include "cli/table.h"

#include <sys/ioctl.h>

#include "cli/printable.h"
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

static void add_raw(struct buf *cell, const json_t *item, const struct column *column)
{
	if (column->make) {
		column->make(cell, item);
		return;
	}
	const json_t *value = member(item, column->path);
	if (json_is_string(value)) {
		buf_adds(cell, json_string_value(value));
	} else if (value && !json_is_null(value)) {
		cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_adds(cell, text ? text : "");
	}
}

static void add_cell(struct buf *cell, const json_t *item, const struct column *column)
{
	cleanup_buf struct buf raw = BUF_INIT;

	add_raw(&raw, item, column);
	printable_add(cell, buf_str(&raw).ptr);
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

/* The bytes of the first `width` code points. */
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

size_t table_terminal_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

/* The cells of one row, which never passes `room` columns and has no blanks at its end. */
static void add_row(struct buf *out, char *const *cells, const size_t *widths, size_t columns,
		    size_t room)
{
	size_t gap = 0; /* blanks that the next text wants before it */

	for (size_t c = 0; c < columns; c++) {
		size_t width = width_of(cells[c]);
		if (width == 0) {
			gap += widths[c] + GAP;
			continue;
		}
		if (gap >= room)
			return;
		buf_addf(out, "%*s", (int)gap, "");
		room -= gap;
		size_t shown = width < room ? width : room;
		buf_add(out, cells[c], bytes_for(cells[c], shown));
		room -= shown;
		gap = widths[c] - shown + GAP;
	}
}

static void measure(size_t *widths, const struct strvec *cells, size_t columns)
{
	for (size_t i = 0; i < cells->len; i++) {
		size_t width = width_of(cells->items[i]);
		if (width > widths[i % columns])
			widths[i % columns] = width;
	}
}

void table_add(struct buf *out, const json_t *value, const struct column *columns, size_t width)
{
	cleanup_strvec struct strvec cells = { 0 };
	size_t widths[COLUMNS_MAX] = { 0 };
	size_t n = 0, rows = item_count(value);

	for (; columns[n].title; n++)
		strvec_push(&cells, columns[n].title);
	for (size_t row = 0; row < rows; row++) {
		for (size_t c = 0; c < n; c++) {
			struct buf cell = BUF_INIT;
			add_cell(&cell, item_at(value, row), &columns[c]);
			strvec_push_take(&cells, buf_detach(&cell));
		}
	}
	measure(widths, &cells, n);
	for (size_t row = 0; row <= rows; row++) {
		bool bold = row == 0 && width;
		buf_adds(out, bold ? "\033[1m" : "");
		add_row(out, cells.items + row * n, widths, n, width ? width : SIZE_MAX);
		buf_adds(out, bold ? "\033[0m\n" : "\n");
	}
}

void table_add_tsv(struct buf *out, const json_t *value, const struct column *columns)
{
	for (size_t row = 0; row < item_count(value); row++) {
		for (size_t c = 0; columns[c].title; c++) {
			buf_adds(out, c ? "\t" : "");
			add_cell(out, item_at(value, row), &columns[c]);
		}
		buf_addc(out, '\n');
	}
}
