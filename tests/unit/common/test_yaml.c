#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/scope.h"
#include "common/yaml.h"

enum { LIMIT = 64 * 1024 };

static struct err err;

static void drop(struct yaml_node **root)
{
	yaml_release(*root);
}
#define cleanup_yaml __attribute__((cleanup(drop)))

static struct yaml_node *read_text(const char *text)
{
	struct yaml_node *root = NULL;
	assert_works(yaml_read(&root, str_from(text), "f.yaml", LIMIT, &err));
	return root;
}

/* Refused with this word, at this place, quickly. */
static void assert_refused(struct str text, const char *word, const char *place)
{
	struct yaml_node *root = NULL;
	int64_t begin = clock_monotonic_ms();

	assert_fails(yaml_read(&root, text, "f.yaml", LIMIT, &err), word);
	assert_null(root);
	assert_has(err.msg, place);
	assert_true(clock_monotonic_ms() - begin < 2000);
}

static void knows_where_every_node_is(void **state)
{
	(void)state;
	cleanup_yaml struct yaml_node *root =
		read_text("# note\nname: web\nlist:\n  - a\n  - {x: 1, 'y z': \"2\"}\nempty:\n");

	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->len, 3);
	assert_string_equal(root->items[0].key, "name");
	assert_int_equal(root->items[0].key_line, 2);
	assert_int_equal(root->items[0].key_column, 1);
	assert_string_equal(root->items[0].text, "web");
	assert_int_equal(root->items[0].column, 7);
	const struct yaml_node *list = yaml_get(root, "list");
	assert_int_equal(list->kind, YAML_LIST);
	assert_int_equal(list->items[0].line, 4);
	assert_null(list->items[0].key);
	const struct yaml_node *second = yaml_get(&list->items[1], "y z");
	assert_true(second->quoted);
	assert_string_equal(second->text, "2");
	assert_int_equal(second->line, 5);
	assert_int_equal(second->column, 19);
	assert_false(yaml_get(&list->items[1], "x")->quoted);
	assert_true(yaml_is_null(yaml_get(root, "empty")));
	assert_null(yaml_get(root, "missing"));
	assert_null(yaml_get(list, "x"));
}

static void empty_text_is_an_empty_map(void **state)
{
	(void)state;
	static const char *const rows[] = { "", "\n\n", "# only a comment\n", "{}" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_yaml struct yaml_node *root = read_text(rows[i]);
		assert_int_equal(root->kind, YAML_MAP);
		assert_int_equal(root->len, 0);
	}
}

static void null_is_empty_tilde_or_the_word_but_not_quoted(void **state)
{
	(void)state;
	cleanup_yaml struct yaml_node *root =
		read_text("a:\nb: ~\nc: null\nd: ''\ne: \"~\"\nf: nil\ng: {}\n");
	for (size_t i = 0; i < root->len; i++)
		assert_int_equal(yaml_is_null(&root->items[i]), i < 3);
}

static void keeps_block_text_and_any_utf8(void **state)
{
	(void)state;
	cleanup_yaml struct yaml_node *root = read_text(
		"\xef\xbb\xbfscript: |\n  line\n  % no directive\n\xc3\xa9: \xe2\x82\xac\n");
	assert_string_equal(yaml_get(root, "script")->text, "line\n% no directive\n");
	assert_string_equal(yaml_get(root, "\xc3\xa9")->text, "\xe2\x82\xac");
}

static void merge_keys_are_plain_keys(void **state)
{
	(void)state;
	cleanup_yaml struct yaml_node *root = read_text("<<: {x: 1}\n");
	assert_string_equal(root->items[0].key, "<<");
	assert_null(yaml_get(root, "x"));
}

static void refuses_what_is_not_for_us(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word, *place;
	} rows[] = {
		{ "a: &x 1\nb: *x\n", "yaml_alias", "f.yaml:1:4:" },
		{ "a: *x\n", "yaml_alias", "f.yaml:1:4:" },
		{ "&x a: 1\n", "yaml_alias", "f.yaml:1:1:" },
		{ "a: &x [1]\n", "yaml_alias", "f.yaml:1:4:" },
		{ "a: &x {b: 1}\n", "yaml_alias", "f.yaml:1:4:" },
		{ "a: & 1\n", "yaml_alias", "f.yaml:1:" },
		{ "a: !!str 1\n", "yaml_directive", "f.yaml:1:4:" },
		{ "a: !x 1\n", "yaml_directive", "f.yaml:1:4:" },
		{ "a: ! 1\n", "yaml_directive", "f.yaml:1:4:" },
		{ "a: !!map {}\n", "yaml_directive", "f.yaml:1:4:" },
		{ "a: !e!x 1\n", "yaml_directive", "f.yaml:1:4:" },
		{ "%YAML 1.1\n---\na: 1\n", "yaml_directive", "f.yaml:1:1:" },
		{ "%YAML 9.9\n---\na: 1\n", "yaml_directive", "f.yaml:1:1:" },
		{ "%TAG ! tag:x\n---\na: 1\n", "yaml_directive", "f.yaml:1:1:" },
		{ "%FOO\n---\na: 1\n", "yaml_directive", "f.yaml:1:1:" },
		{ "name: a\nother: 1\nname: b\n", "yaml_duplicate", "f.yaml:3:1:" },
		{ "m: {a: 1, 'a': 2}\n", "yaml_duplicate", "f.yaml:1:11:" },
		{ "a: 1\n---\nb: 2\n", "yaml_syntax", "f.yaml:2:1:" },
		{ "a: [1, 2\n", "yaml_syntax", "f.yaml:2:1:" },
		{ "a: 1\n  b: 2\n", "yaml_syntax", "f.yaml:2:4:" },
		{ "a: \"x\n", "yaml_syntax", "f.yaml:" },
		{ "\ta: 1\n", "yaml_syntax", "f.yaml:1:1:" },
		{ "a: @x\n", "yaml_syntax", "f.yaml:1:4:" },
		{ "? [a]\n: 1\n", "yaml_syntax", "f.yaml:1:3:" },
		{ "{a: 1}: 2\n", "yaml_syntax", "f.yaml:1:1:" },
		{ "a: \x01\n", "yaml_encoding", "f.yaml:1:4:" },
		{ "a: \"\\0\"\n", "yaml_encoding", "f.yaml:1:4:" },
		{ "a: 1\nb: \xff\n", "yaml_encoding", "f.yaml:2:4:" },
		{ "a: \xed\xa0\x80\n", "yaml_encoding", "f.yaml:1:4:" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(str_from(rows[i].text), rows[i].word, rows[i].place);
}

static void both_places_of_a_duplicate_are_named(void **state)
{
	(void)state;
	assert_refused(STR("name: a\nx: 1\n\n  \nname: b\nname: c\n"), "yaml_duplicate",
		       "f.yaml:5:1: the key 'name' stands here a second time; the first is at 1:1");
}

static void refuses_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	assert_refused(STR("\xff\xfen\0a\0m\0e\0"), "yaml_encoding", "f.yaml:1:1:");
	assert_refused(STR("\xfe\xff\0n\0a"), "yaml_encoding", "f.yaml:1:1:");
	assert_refused(STR("name: a\n\0"), "yaml_encoding", "f.yaml:2:1:");
}

static struct buf repeated(const char *part, size_t times)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < times; i++)
		buf_adds(&b, part);
	return b;
}

static void refuses_what_passes_the_limit(void **state)
{
	(void)state;
	cleanup_buf struct buf over = repeated("[", 200000), just = repeated("#", LIMIT);
	struct yaml_node *root = NULL;

	cleanup_buf struct buf tag = repeated("a", 100000), directive = BUF_INIT;

	buf_addf(&directive, "# note\n\n%%TAG ! tag:%s", tag.ptr);
	assert_refused(buf_str(&over), "yaml_too_large", "limit is 65536");
	assert_refused(buf_str(&directive), "yaml_directive", "f.yaml:3:1:");
	assert_works(yaml_read(&root, buf_str(&just), "f.yaml", LIMIT, &err));
	yaml_release(root);
}

static void stops_at_depth_64(void **state)
{
	(void)state;
	cleanup_buf struct buf at = repeated("[", 64), over = repeated("[", 65);
	struct yaml_node *root = NULL;

	for (int i = 0; i < 64; i++)
		buf_addc(&at, ']');
	assert_works(yaml_read(&root, buf_str(&at), "f.yaml", LIMIT, &err));
	yaml_release(root);
	assert_refused(buf_str(&over), "yaml_depth", "f.yaml:1:65:");
}

/* Each of these costs libyaml's document interface, or a careless reader, seconds or gigabytes. */
static void bombs_are_cheap(void **state)
{
	(void)state;
	static const struct {
		const char *head, *part;
		const char *word;
	} rows[] = {
		{ "", "[", "yaml_depth" },
		{ "", "{a: ", "yaml_depth" },
		{ "", "- ", "yaml_depth" },
		{ "", "? ", "yaml_syntax" },
		{ "", "[\n", "yaml_depth" },
		{ "", "{", "yaml_syntax" },
		{ "", "[a, ", "yaml_depth" },
		{ "", "&a ", "yaml_alias" },
		{ "a: &a x\n", "b: *a\n", "yaml_alias" },
		{ "[", "&a x,", "yaml_alias" },
		{ "%TAG ! tag:", "a", "yaml_directive" },
		{ "a: !", "a", "yaml_directive" },
		{ "", "%", "yaml_directive" },
		{ "a: \"", "\n", "yaml_syntax" },
		{ "", "a:\n", "yaml_duplicate" },
		{ "", "]", "yaml_syntax" },
		{ "", ",", "yaml_syntax" },
		{ "a: |\n", "\t", "yaml_syntax" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t times = (LIMIT - strlen(rows[i].head)) / strlen(rows[i].part);
		cleanup_buf struct buf tail = repeated(rows[i].part, times);
		cleanup_buf struct buf text = BUF_INIT;
		buf_adds(&text, rows[i].head);
		buf_addstr(&text, buf_str(&tail));
		assert_refused(buf_str(&text), rows[i].word, "f.yaml:");
	}
}

static void many_keys_and_items_are_not_quadratic(void **state)
{
	(void)state;
	cleanup_buf struct buf keys = BUF_LIMIT(LIMIT), items = BUF_LIMIT(LIMIT);
	struct yaml_node *root = NULL;
	int64_t begin = clock_monotonic_ms();

	for (int i = 0; buf_addf(&keys, "%x:\n", i) == 0; i++)
		;
	buf_adds(&items, "[");
	while (buf_adds(&items, "x,") == 0)
		;
	items.ptr[items.len - 1] = ']';
	assert_works(yaml_read(&root, buf_str(&keys), "f.yaml", LIMIT, &err));
	assert_true(root->len > 10000);
	yaml_release(root);
	assert_works(yaml_read(&root, buf_str(&items), "f.yaml", LIMIT, &err));
	assert_true(root->len > 30000);
	yaml_release(root);
	assert_true(clock_monotonic_ms() - begin < 2000);
}

static void quotes_little_of_a_hostile_key(void **state)
{
	(void)state;
	cleanup_buf struct buf key = repeated("k", 1000), text = BUF_INIT;
	buf_addf(&text, "%s: 1\n%s: 2\n", key.ptr, key.ptr);
	assert_refused(buf_str(&text), "yaml_duplicate", "f.yaml:2:1:");
	assert_true(strlen(err.msg) < 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_where_every_node_is),
		cmocka_unit_test(empty_text_is_an_empty_map),
		cmocka_unit_test(null_is_empty_tilde_or_the_word_but_not_quoted),
		cmocka_unit_test(keeps_block_text_and_any_utf8),
		cmocka_unit_test(merge_keys_are_plain_keys),
		cmocka_unit_test(refuses_what_is_not_for_us),
		cmocka_unit_test(both_places_of_a_duplicate_are_named),
		cmocka_unit_test(refuses_bytes_that_are_no_utf8),
		cmocka_unit_test(refuses_what_passes_the_limit),
		cmocka_unit_test(stops_at_depth_64),
		cmocka_unit_test(bombs_are_cheap),
		cmocka_unit_test(many_keys_and_items_are_not_quadratic),
		cmocka_unit_test(quotes_little_of_a_hostile_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
