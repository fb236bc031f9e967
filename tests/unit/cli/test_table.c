#include "tests/unit/unit.h"

#include "cli/table.h"
#include "common/scope.h"

static void shout(struct buf *cell, const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	buf_addf(cell, "%s!", name ? name : "");
}

static const struct column columns[] = {
	{ "NAME", "name", NULL },
	{ "BRANCH", "source.branch", NULL },
	{ "SHOUT", NULL, shout },
	{ 0 },
};

static char *table(const char *json, size_t width)
{
	cleanup_json json_t *value = json_loads(json, 0, NULL);
	struct buf out = BUF_INIT;

	assert_non_null(value);
	table_add(&out, value, columns, width);
	return buf_detach(&out);
}

static char *tsv(const char *json)
{
	cleanup_json json_t *value = json_loads(json, 0, NULL);
	struct buf out = BUF_INIT;

	assert_non_null(value);
	table_add_tsv(&out, value, columns);
	return buf_detach(&out);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	(void)state;
	cleanup_free char *text = table("[{\"name\":\"a\",\"source\":{\"branch\":\"main\"}},"
					"{\"name\":\"longer\"},{\"name\":\"grün\"}]",
					0);

	assert_string_equal(text, "NAME    BRANCH  SHOUT\n"
				  "a       main    a!\n"
				  "longer          longer!\n"
				  "grün            grün!\n");
}

static void a_list_of_nothing_is_a_title(void **state)
{
	(void)state;
	cleanup_free char *text = table("[]", 0);
	assert_string_equal(text, "NAME  BRANCH  SHOUT\n");
}

static void a_single_resource_is_a_row(void **state)
{
	(void)state;
	cleanup_free char *text = tsv("{\"name\":\"a\"}");
	assert_string_equal(text, "a\t\ta!\n");
}

/* Code points of each line; the escapes of the title line do not count. */
static size_t widest_line(const char *text)
{
	size_t widest = 0, n = 0;

	for (; *text; text++) {
		if (*text == '\033') {
			text = strchr(text, 'm');
			continue;
		}
		n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xc0) != 0x80);
		widest = n > widest ? n : widest;
	}
	return widest;
}

static void a_row_never_passes_the_terminal_s_edge(void **state)
{
	(void)state;
	for (size_t width = 1; width < 40; width++) {
		cleanup_free char *text =
			table("[{\"name\":\"a\",\"source\":{\"branch\":\"grün/grün\"}},"
			      "{\"name\":\"longer\",\"source\":{\"branch\":\"m\"}}]",
			      width);
		assert_true(widest_line(text) <= width);
		assert_true(str_is_utf8(str_from(text)));
	}
}

static void the_cell_at_the_edge_is_cut(void **state)
{
	(void)state;
	cleanup_free char *text =
		table("[{\"name\":\"abcdef\",\"source\":{\"branch\":\"ghijkl\"}}]", 11);

	assert_string_equal(text, "\033[1mNAME    BRA\033[0m\nabcdef  ghi\n");
}

static void scripts_get_every_cell_whole(void **state)
{
	(void)state;
	cleanup_free char *text = tsv("[{\"name\":\"abcdefghijklmnopqrstuvwxyz\","
				      "\"source\":{\"branch\":\"main\"}},{\"name\":\"b\"}]");

	assert_string_equal(text, "abcdefghijklmnopqrstuvwxyz\tmain\tabcdefghijklmnopqrstuvwxyz!\n"
				  "b\t\tb!\n");
}

/* Neither a cell that is read nor one that is made may break the row or drive the terminal. */
static void control_characters_do_not_leave_their_cell(void **state)
{
	(void)state;
	static const char hostile[] =
		"{\"name\":\"a\\tb\\nc\\u001b[31m\",\"source\":{\"branch\":\"\\u009b0m\\u007f\"}}";
	cleanup_free char *rows = tsv(hostile), *text = table(hostile, 0);

	assert_string_equal(rows, "a b c?[31m\t?0m?\ta b c?[31m!\n");
	assert_string_equal(text, "NAME        BRANCH  SHOUT\n"
				  "a b c?[31m  ?0m?    a b c?[31m!\n");
}

static void what_is_no_text_is_shown_as_json(void **state)
{
	(void)state;
	cleanup_free char *text = tsv("[{\"name\":7,\"source\":{\"branch\":[\"a\",true]}},"
				      "{\"name\":null,\"source\":\"none\"}]");

	assert_string_equal(text, "7\t[\"a\",true]\t!\n\t\t!\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(a_list_of_nothing_is_a_title),
		cmocka_unit_test(a_single_resource_is_a_row),
		cmocka_unit_test(a_row_never_passes_the_terminal_s_edge),
		cmocka_unit_test(the_cell_at_the_edge_is_cut),
		cmocka_unit_test(scripts_get_every_cell_whole),
		cmocka_unit_test(control_characters_do_not_leave_their_cell),
		cmocka_unit_test(what_is_no_text_is_shown_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
