/*
 * json_scan() against jansson: the same texts are accepted, and the wanted values are those that
 * the tree has. What is beyond our limits, or a raw NUL (which jansson skips behind a number), is
 * only for us to refuse.
 */
#include "tests/fuzz/fuzz.h"

#include "common/json_scan.h"

static const char *const paths[] = { "a", "a.b", "a.b.c", "ref", "b", "a.a.a.a.a.a.a.a" };

static void must(bool good)
{
	if (!good)
		abort();
}

static json_t *follow(json_t *node, const char *path)
{
	struct str rest = str_from(path), name;
	while (str_split(&rest, '.', &name))
		node = json_is_object(node) ? json_object_getn(node, name.ptr, name.len) : NULL;
	return node;
}

/* The same elements, one after the other, at every depth. */
static void walk(struct str rest, json_t *array)
{
	struct str element;
	size_t n = 0;

	while (json_array_next(&rest, &element)) {
		json_error_t why;
		json_t *again = json_loadb(element.ptr, element.len, JSON_DECODE_ANY, &why);
		must(again && json_equal(again, json_array_get(array, n++)));
		if (json_is_array(again))
			walk(element, again);
		json_decref(again);
	}
	must(n == json_array_size(array));
}

static void compare(const struct json_want *want, json_t *node)
{
	static const enum json_want_kind kinds[] = {
		[JSON_OBJECT] = JSON_WANT_OBJECT, [JSON_ARRAY] = JSON_WANT_ARRAY,
		[JSON_STRING] = JSON_WANT_STRING, [JSON_INTEGER] = JSON_WANT_NUMBER,
		[JSON_REAL] = JSON_WANT_NUMBER,   [JSON_TRUE] = JSON_WANT_TRUE,
		[JSON_FALSE] = JSON_WANT_FALSE,   [JSON_NULL] = JSON_WANT_NULL,
	};
	if (!node) {
		must(want->kind == JSON_WANT_ABSENT);
		return;
	}
	must(want->kind == kinds[json_typeof(node)]);
	if (want->kind == JSON_WANT_STRING) {
		struct str text = { json_string_value(node), json_string_length(node) };
		must(str_eq(want->value, text));
		return;
	}
	/* All else is raw text, which must be the same value again. */
	json_error_t why;
	json_t *again = json_loadb(want->value.ptr, want->value.len, JSON_DECODE_ANY, &why);
	must(again && json_equal(again, node));
	json_decref(again);
	if (want->kind == JSON_WANT_ARRAY)
		walk(want->value, node);
}

static void compare_wants(struct str text)
{
	struct json_want wants[ARRAY_LEN(paths)];
	struct err err = { 0 };
	json_t *root = NULL;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		wants[i] = (struct json_want){ .path = paths[i] };
	bool ours = json_scan(text, wants, ARRAY_LEN(wants), NULL, &err) == 0;
	if (json_read(&root, text, NULL, NULL) == 0) {
		must(ours == json_is_object(root));
		for (size_t i = 0; ours && i < ARRAY_LEN(paths); i++)
			compare(&wants[i], follow(root, paths[i]));
	}
	json_wants_release(wants, ARRAY_LEN(wants));
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct err err = { 0 };
	json_error_t why;

	bool ours = json_check(text, NULL, &err) == 0;
	if (!ours && !err_is(&err, "bad_json"))
		return 0;
	json_t *root = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, &why);
	bool nul = str_find(text, '\0', 0) < text.len;
	must(ours == (root && !nul));
	json_decref(root);
	if (ours)
		compare_wants(text);
	return 0;
}
