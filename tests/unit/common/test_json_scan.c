#include "tests/unit/unit.h"

#include "common/json_scan.h"

static struct err err;

/*
 * What jansson alone says: the reference for the grammar. But for a NUL byte, which it skips when
 * it stands behind a number.
 */
static bool reference_accepts(struct str text)
{
	json_error_t why;
	json_t *root = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, &why);
	json_decref(root);
	return root != NULL && str_find(text, '\0', 0) == text.len;
}

static void assert_same_verdict(struct str text)
{
	bool ours = json_check(text, NULL, &err) == 0;
	if (ours != reference_accepts(text))
		fail_msg("we %s: %.*s", ours ? "accept" : "refuse", STR_ARG(text));
}

static const char *const good[] = {
	"{}",
	"[]",
	"null",
	" \t\r\n{ } \n",
	"\"x\"",
	"0",
	"-0",
	"-1.5e+10",
	"0e999999",
	"0.0e-999999",
	"1e-999999",
	"1e308",
	"123456789012345678",
	"9223372036854775807",
	"-9223372036854775808",
	"0.1234567890123456789012345678901234567890",
	"[true,false,null]",
	"{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]}}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\"",
	"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \x7f\"",
	"{\"\":1}",
	"{\"a\":1,\"a\":2}",
	"[[[[[[[[[[]]]]]]]]]]",
};

static const char *const bad[] = {
	"",
	" ",
	"{",
	"}",
	"[",
	"]",
	"{]",
	"[}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{,}",
	"[,]",
	"[1,]",
	"[1 2]",
	"{\"a\" 1}",
	"{a:1}",
	"{'a':1}",
	"{1:1}",
	"nul",
	"nulll",
	"NULL",
	"True",
	"truefalse",
	"NaN",
	"Infinity",
	"-",
	"+1",
	".5",
	"1.",
	"1.e5",
	"1e",
	"1e+",
	"01",
	"-01",
	"0x10",
	"1_000",
	"1e309",
	"1E400000000000000000000000",
	"-1e309",
	"1e999999",
	"9223372036854775808",
	"-9223372036854775809",
	"123456789012345678901234567890",
	"\"",
	"\"a",
	"\"\\",
	"\"\\\"",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"\\u0000\"",
	"\"\\ud800\"",
	"\"\\ud800x\"",
	"\"\\ud800\\n\"",
	"\"\\ud800\\u0041\"",
	"\"\\udc00\"",
	"\"\\udc00\\ud800\"",
	"\"\n\"",
	"\"\x1f\"",
	"\"\xff\"",
	"\"\xc3\"",
	"\"\xc0\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xf5\x80\x80\x80\"",
	"\xef\xbb\xbf{}",
	"{} trailing",
	"{}{}",
	"{},",
	"[1]]",
	"// x\n{}",
	"{/**/}",
	"\x0b{}",
	"\xc2\xa0{}",
};

static void accepts_what_jansson_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct str text = str_from(good[i]);
		assert_same_verdict(text);
		assert_works(json_check(text, NULL, &err));
	}
}

static void refuses_what_jansson_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str text = str_from(bad[i]);
		assert_same_verdict(text);
		assert_fails(json_check(text, NULL, &err), "bad_json");
	}
	assert_same_verdict(STR("{}\0"));
	assert_same_verdict(STR("\"a\0b\""));
	assert_same_verdict(STR("\0{}"));
	assert_same_verdict(STR("{\"a\\u0000b\":1}"));
}

static const char sample[] =
	"{\"ref\":\"refs/heads/main\",\"before\":\"6113728f\",\"deleted\":false,\"base_ref\":null,"
	"\"n\":[-1.25e-3,9223372036854775807,0,\"\\u00e9\\ud83d\\ude00\",true, [ ] , {} ],"
	"\"repository\":{\"id\":186853002,\"clone_url\":\"https://github.com/a/b.git\","
	"\"owner\":{\"name\":\"J\xc3\xa9r\xf0\x9f\x98\x80me\"},\"private\":true}}\n";

/* Every cut, and every byte replaced by each byte that means something: no verdict may differ. */
static void agrees_with_jansson_on_every_mutation(void **state)
{
	(void)state;
	static const char bytes[] = "\"\\{}[],:-+.0e19tfnu/ \n\x01\x7f\x80\xc3\xed\xf0\xff";
	struct str whole = STR(sample);
	char copy[sizeof sample];

	for (size_t i = 0; i < whole.len; i++)
		assert_same_verdict(str_slice(whole, 0, i));
	for (size_t i = 0; i < whole.len; i++) {
		for (size_t j = 0; j < sizeof bytes; j++) { /* the NUL too */
			memcpy(copy, sample, sizeof copy);
			copy[i] = bytes[j];
			assert_same_verdict((struct str){ copy, whole.len });
		}
	}
}

static void finds_a_special_byte_at_every_offset(void **state)
{
	(void)state;
	static const char *const specials[] = { "\\n", "\xc3\xa9", "\n", "\x7f", "\xff", "\x01" };
	char text[64];

	for (size_t s = 0; s < ARRAY_LEN(specials); s++) {
		for (size_t before = 0; before < 20; before++) {
			for (size_t after = 0; after < 10; after++) {
				int n = snprintf(text, sizeof text, "\"%.*s%s%.*s\"", (int)before,
						 "aaaaaaaaaaaaaaaaaaaaa", specials[s], (int)after,
						 "!!!!!!!!!!!");
				assert_same_verdict((struct str){ text, (size_t)n });
			}
		}
	}
}

/* ---- limits ---- */

static struct buf nested(size_t depth)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < depth; i++)
		buf_adds(&b, i % 2 ? "{\"k\":" : "[");
	buf_adds(&b, "1");
	for (size_t i = depth; i-- > 0;)
		buf_adds(&b, i % 2 ? "}" : "]");
	return b;
}

static void stops_at_its_depth(void **state)
{
	(void)state;
	struct json_limits deep = { .depth = 5000 };
	struct buf at = nested(64), over = nested(65), most = nested(2048), more = nested(2049);

	assert_works(json_check(buf_str(&at), NULL, &err));
	assert_fails(json_check(buf_str(&over), NULL, &err), "json_too_deep");
	assert_works(json_check(buf_str(&most), &deep, &err));
	assert_fails(json_check(buf_str(&more), &deep, &err), "json_too_deep");
	buf_release(&at);
	buf_release(&over);
	buf_release(&most);
	buf_release(&more);
}

static void stops_at_its_number_of_values(void **state)
{
	(void)state;
	struct json_limits five = { .nodes = 5 };

	assert_works(json_check(STR("[1,2,{\"a\":3}]"), &five, &err));
	assert_fails(json_check(STR("[1,2,{\"a\":3},4]"), &five, &err), "json_too_big");
	assert_fails(json_check(STR("[[],[],[],[],[]]"), &five, &err), "json_too_big");
}

static void says_line_and_column(void **state)
{
	(void)state;
	assert_fails(json_check(STR("{\n \"a\": 1,\n \"b\" 2}"), NULL, &err), "bad_json");
	assert_string_equal(err.msg, "JSON line 3, column 6: ':' must follow a key");
}

/* ---- wants ---- */

static void assert_want(const struct json_want *want, enum json_want_kind kind, const char *value)
{
	assert_int_equal(want->kind, kind);
	if (!str_is(want->value, value))
		fail_msg("%s: %.*s", want->path, STR_ARG(want->value));
}

static void keeps_the_values_wanted(void **state)
{
	(void)state;
	struct json_want wants[] = {
		{ .path = "ref" },        { .path = "deleted" },
		{ .path = "base_ref" },   { .path = "repository.clone_url" },
		{ .path = "repository" }, { .path = "repository.owner.name" },
		{ .path = "n" },          { .path = "repository.id" },
		{ .path = "nothing" },    { .path = "ref.inside" },
		{ .path = "n.x" },        { .path = "repository.private" },
	};
	assert_works(json_scan(STR(sample), wants, ARRAY_LEN(wants), NULL, &err));
	assert_want(&wants[0], JSON_WANT_STRING, "refs/heads/main");
	assert_want(&wants[1], JSON_WANT_FALSE, "false");
	assert_want(&wants[2], JSON_WANT_NULL, "null");
	assert_want(&wants[3], JSON_WANT_STRING, "https://github.com/a/b.git");
	assert_int_equal(wants[4].kind, JSON_WANT_OBJECT);
	assert_true(str_starts(wants[4].value, "{\"id\":186853002,"));
	assert_true(str_ends(wants[4].value, "\"private\":true}"));
	assert_want(&wants[5], JSON_WANT_STRING, "J\xc3\xa9r\xf0\x9f\x98\x80me");
	assert_int_equal(wants[6].kind, JSON_WANT_ARRAY);
	assert_true(str_starts(wants[6].value, "[-1.25e-3,") &&
		    str_ends(wants[6].value, "[ ] , {} ]"));
	assert_want(&wants[7], JSON_WANT_NUMBER, "186853002");
	assert_int_equal(wants[8].kind, JSON_WANT_ABSENT);
	assert_int_equal(wants[9].kind, JSON_WANT_ABSENT);
	assert_int_equal(wants[10].kind, JSON_WANT_ABSENT);
	assert_want(&wants[11], JSON_WANT_TRUE, "true");
	json_wants_release(wants, ARRAY_LEN(wants));
}

static void does_not_look_into_arrays_or_other_objects(void **state)
{
	(void)state;
	struct json_want wants[] = { { .path = "a.b" } };
	struct str text = STR("{\"x\":{\"b\":1,\"a\":{\"b\":2}},\"a\":[{\"b\":3}],\"b\":4,"
			      "\"y\":[{\"a\":{\"b\":5}}]}");

	assert_works(json_scan(text, wants, 1, NULL, &err));
	assert_int_equal(wants[0].kind, JSON_WANT_ABSENT);
}

static void decodes_escapes_in_values_and_keys(void **state)
{
	(void)state;
	struct json_want wants[] = { { .path = "ref" }, { .path = "a.b" } };
	struct str text = STR("{\"r\\u0065f\":\"a\\/b\\n\\u00e9\\u20AC\\uD83D\\uDE00\\\"\\\\\","
			      "\"\\u0061\":{\"b\":\"plain\"}}");

	assert_works(json_scan(text, wants, 2, NULL, &err));
	assert_want(&wants[0], JSON_WANT_STRING, "a/b\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\\");
	assert_want(&wants[1], JSON_WANT_STRING, "plain");
	json_wants_release(wants, 2);
	assert_int_equal(wants[0].kind, JSON_WANT_ABSENT);
	assert_string_equal(wants[0].path, "ref");
}

static void refuses_a_wanted_key_twice(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{\"ref\":\"a\",\"ref\":\"b\"}",
		"{\"ref\":\"a\\n\",\"r\\u0065f\":\"b\"}",
		"{\"repository\":{\"id\":1},\"repository\":{}}",
		"{\"repository\":{\"id\":1,\"x\":2,\"id\":3}}",
		"{\"repository\":1,\"repository\":2}",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json_want wants[] = { { .path = "ref" }, { .path = "repository.id" } };
		assert_fails(json_scan(str_from(texts[i]), wants, 2, NULL, &err), "bad_json");
		assert_int_equal(wants[0].kind, JSON_WANT_ABSENT);
	}
	struct json_want wants[] = { { .path = "ref" } };
	assert_works(json_scan(STR("{\"x\":1,\"x\":2,\"y\":{\"ref\":1,\"ref\":2}}"), wants, 1, NULL,
			       &err));
}

static void the_root_must_be_an_object(void **state)
{
	(void)state;
	static const char *const texts[] = { "null", "[]", "\"x\"", "1", "[{\"ref\":1}]" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json_want wants[] = { { .path = "ref" } };
		assert_fails(json_scan(str_from(texts[i]), wants, 1, NULL, &err), "bad_payload");
		assert_int_equal(wants[0].kind, JSON_WANT_ABSENT);
	}
}

/* The rows HOOK-020 to HOOK-030 of the hostile table, and some of their kind. */
static void hostile_payloads_get_their_word(void **state)
{
	(void)state;
	struct buf deep = BUF_INIT, wide = BUF_INIT;
	for (int i = 0; i < 2049; i++)
		buf_addc(&deep, '[');
	for (int i = 0; i < 2049; i++)
		buf_addc(&deep, ']');
	for (int i = 0; i < 1000000; i++)
		buf_addf(&wide, "%s\"k%d\":0", i ? "," : "{", i);
	buf_addc(&wide, '}');
	const struct {
		struct str text;
		const char *word;
	} rows[] = {
		{ STR("null"), "bad_payload" },
		{ STR("[]"), "bad_payload" },
		{ STR("\"x\""), "bad_payload" },
		{ buf_str(&deep), "json_too_deep" },
		{ STR("{\"ref\":\"a\\u0000b\"}"), "bad_json" },
		{ STR("{\"ref\":\"a\0b\"}"), "bad_json" },
		{ STR("[1e999999]"), "bad_json" },
		{ STR("{\"ref\":\"\\ud800\"}"), "bad_json" },
		{ STR("{\"ref\":\"\xff\"}"), "bad_json" },
		{ STR("{} trailing"), "bad_json" },
		{ STR(""), "bad_json" },
		{ buf_str(&wide), "json_too_big" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_want wants[] = { { .path = "ref" } };
		assert_fails(json_scan(rows[i].text, wants, 1, NULL, &err), rows[i].word);
	}
	buf_release(&deep);
	buf_release(&wide);
}

/* The elements of `array`, joined with '|'. */
static char *elements(const char *array)
{
	struct str rest = str_from(array), element;
	struct buf joined = BUF_INIT;

	assert_int_equal(json_check(rest, NULL, &err), 0);
	while (json_array_next(&rest, &element))
		buf_addf(&joined, STR_FMT "|", STR_ARG(element));
	return buf_detach(&joined);
}

static void walks_the_elements_of_an_array(void **state)
{
	(void)state;
	static const struct {
		const char *array, *want;
	} rows[] = {
		{ "[]", "" },
		{ "[ \n ]", "" },
		{ "[1]", "1|" },
		{ "[1,-2.5e3,true,false,null]", "1|-2.5e3|true|false|null|" },
		{ "[\t1 ,\r\n2 ]", "1|2|" },
		{ "[\"\",\"a,]b\",\"\\\"]\\\\\"]", "\"\"|\"a,]b\"|\"\\\"]\\\\\"|" },
		{ "[{\"a\":[1,{\"b\":\"}\"}]},[[],[2, 3]],{}]",
		  "{\"a\":[1,{\"b\":\"}\"}]}|[[],[2, 3]]|{}|" },
		{ "[{ \"a\" : [ 1 , 2 ] } , {}]", "{ \"a\" : [ 1 , 2 ] }|{}|" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = elements(rows[i].array);
		assert_string_equal(got, rows[i].want);
		free(got);
	}
}

static void elements_can_be_scanned_in_their_turn(void **state)
{
	(void)state;
	struct json_want list[] = { { .path = "push.changes" } };
	struct json_want name[] = { { .path = "new.name" } };
	struct str rest, element;
	struct buf names = BUF_INIT;

	assert_int_equal(
		json_scan(STR("{\"push\":{\"changes\": [ {\"new\":{\"name\":\"a\\u0062\"}}, "
			      "{\"new\":{\"name\":\"c\"}} ] }}"),
			  list, 1, NULL, &err),
		0);
	assert_int_equal(list[0].kind, JSON_WANT_ARRAY);
	for (rest = list[0].value; json_array_next(&rest, &element);) {
		assert_int_equal(json_scan(element, name, 1, NULL, &err), 0);
		buf_addf(&names, STR_FMT ";", STR_ARG(name[0].value));
		json_wants_release(name, 1);
	}
	assert_string_equal(names.ptr, "ab;c;");
	buf_release(&names);
	json_wants_release(list, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_jansson_accepts),
		cmocka_unit_test(refuses_what_jansson_refuses),
		cmocka_unit_test(agrees_with_jansson_on_every_mutation),
		cmocka_unit_test(finds_a_special_byte_at_every_offset),
		cmocka_unit_test(stops_at_its_depth),
		cmocka_unit_test(stops_at_its_number_of_values),
		cmocka_unit_test(says_line_and_column),
		cmocka_unit_test(keeps_the_values_wanted),
		cmocka_unit_test(does_not_look_into_arrays_or_other_objects),
		cmocka_unit_test(decodes_escapes_in_values_and_keys),
		cmocka_unit_test(refuses_a_wanted_key_twice),
		cmocka_unit_test(the_root_must_be_an_object),
		cmocka_unit_test(hostile_payloads_get_their_word),
		cmocka_unit_test(walks_the_elements_of_an_array),
		cmocka_unit_test(elements_can_be_scanned_in_their_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
