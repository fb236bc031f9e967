#include "tests/unit/unit.h"

#include "common/buf.h"
#include "common/scope.h"
#include "runner/exec/git_lfs_batch.h"

#define OID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define OID_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define OID_3 "3333333333333333333333333333333333333333333333333333333333333333"

/* An answer for both objects, in which the first one's action has this inside. */
#define ANSWER(inside)                                                                             \
	"{\"objects\":[{\"oid\":\"" OID_1 "\",\"actions\":{\"download\":{" inside "}}},"           \
	"{\"oid\":\"" OID_2 "\",\"actions\":{\"download\":{\"href\":\"https://h/2\"}}}]}"
#define HEADERS(inside) ANSWER("\"href\":\"https://h/1\",\"header\":{" inside "}")
#define OBJECT_ERROR(code)                                                                         \
	"{\"objects\":[{\"oid\":\"" OID_1 "\",\"error\":{\"code\":" code                           \
	",\"message\":\"secret words\"}}]}"

static struct err err;
static struct git_lfs_object one, two, *both[] = { &one, &two };

static int setup(void **state)
{
	(void)state;
	one = (struct git_lfs_object){ .size = 5, .path = "a/model.bin" };
	two = (struct git_lfs_object){ .size = INT64_MAX, .path = "b" };
	memset(one.sha256, 0x11, sizeof one.sha256);
	memset(two.sha256, 0x22, sizeof two.sha256);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	git_lfs_object_release(&one);
	git_lfs_object_release(&two);
	return 0;
}

static int read_answer(const char *text)
{
	return git_lfs_batch_read(both, 2, str_from(text), 1000, &err);
}

static void request_is_that_of_the_batch_api(void **state)
{
	(void)state;
	cleanup_free char *plain = git_lfs_batch_request(both, 2, NULL);
	cleanup_free char *named = git_lfs_batch_request(both, 1, "refs/heads/a\"b");

	assert_string_equal(plain,
			    "{\"operation\":\"download\",\"transfers\":[\"basic\"],\"objects\":["
			    "{\"oid\":\"" OID_1 "\",\"size\":5},"
			    "{\"oid\":\"" OID_2 "\",\"size\":9223372036854775807}],"
			    "\"hash_algo\":\"sha256\"}");
	assert_has(named, "\"ref\":{\"name\":\"refs/heads/a\\\"b\"}");
}

static void answer_says_where_each_object_is(void **state)
{
	(void)state;
	assert_works(read_answer("{\"transfer\":\"basic\",\"hash_algo\":\"sha256\",\"objects\":["
				 "{\"oid\":\"" OID_2 "\",\"size\":1,\"authenticated\":true,"
				 "\"actions\":{\"download\":{\"href\":\"https://h/2\","
				 "\"expires_at\":\"1970-01-01T00:01:00Z\"}}},"
				 "{\"oid\":\"" OID_3 "\",\"actions\":{\"download\":{\"href\":"
				 "\"https://h/3\"}}},"
				 "{\"oid\":\"" OID_1 "\",\"error\":null,\"actions\":{\"download\":"
				 "{\"href\":\"https://h/1\",\"expires_in\":60,"
				 "\"expires_at\":\"1970-01-01T00:00:00Z\",\"header\":"
				 "{\"Authorization\":\"Basic eA==\",\"X-Empty\":\"\","
				 "\"Host\":\"evil\",\"Transfer-Encoding\":\"chunked\"}}}}]}"));
	assert_string_equal(one.href, "https://h/1");
	assert_int_equal(one.expires_ms, 61000);
	assert_int_equal(one.headers.len, 1);
	assert_string_equal(one.headers.items[0], "Authorization: Basic eA==");
	assert_true(one.is_authorized);
	assert_string_equal(two.href, "https://h/2");
	assert_int_equal(two.expires_ms, 60000);
	assert_false(two.is_authorized);
}

static void later_answer_replaces_an_earlier_one(void **state)
{
	(void)state;
	assert_works(read_answer(HEADERS("\"authorization\":\"x\"")));
	assert_true(one.is_authorized);
	assert_works(read_answer(ANSWER("\"href\":\"https://h/new\"")));
	assert_string_equal(one.href, "https://h/new");
	assert_false(one.is_authorized);
	assert_int_equal(one.headers.len, 0);
	assert_int_equal(one.expires_ms, INT64_MAX);
}

static void refusal_names_file_and_id_but_not_the_servers_words(void **state)
{
	static const struct {
		const char *answer, *word;
	} rows[] = {
		{ OBJECT_ERROR("404"), "git_lfs" },     { OBJECT_ERROR("410"), "git_lfs" },
		{ OBJECT_ERROR("422"), "git_lfs" },     { OBJECT_ERROR("\"x\""), "git_lfs" },
		{ OBJECT_ERROR("403"), "git_auth" },    { OBJECT_ERROR("429"), "git_network" },
		{ OBJECT_ERROR("503"), "git_network" }, { OBJECT_ERROR("501"), "git_lfs" },
		{ OBJECT_ERROR("507"), "git_lfs" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(read_answer(rows[i].answer), rows[i].word);
		assert_has(err.msg, "a/model.bin");
		assert_has(err.msg, OID_1);
		assert_null(strstr(err.msg, "secret words"));
	}
}

static void object_that_is_not_told_is_missing(void **state)
{
	(void)state;
	assert_fails(read_answer("{\"objects\":[]}"), "git_lfs");
	assert_has(err.msg, "a/model.bin");
	assert_fails(read_answer("{\"objects\":[{\"oid\":\"" OID_1 "\"}]}"), "git_lfs");
	assert_has(err.msg, "a/model.bin");
	assert_fails(read_answer("{\"objects\":[{\"oid\":\"" OID_1 "\",\"actions\":"
				 "{\"upload\":{\"href\":\"https://h/\"}}}]}"),
		     "git_lfs");
}

static void answers_of_another_kind_are_refused(void **state)
{
	static const char *const answers[] = {
		"",
		"<html>",
		"[]",
		"null",
		"{}",
		"{\"objects\":{}}",
		"{\"objects\":[1]}",
		"{\"objects\":[{}]}",
		"{\"objects\":[{\"oid\":1}]}",
		"{\"objects\":[{\"oid\":\"" OID_1 "\",\"error\":404}]}",
		"{\"objects\":[{\"oid\":\"" OID_1 "\",\"actions\":[]}]}",
		"{\"objects\":[{\"oid\":\"" OID_1 "\",\"actions\":{\"download\":[]}}]}",
		"{\"transfer\":\"tus\",\"objects\":[]}",
		"{\"transfer\":1,\"objects\":[]}",
		"{\"hash_algo\":\"md5\",\"objects\":[]}",
		"{\"objects\":[],\"objects\":[]}",
		ANSWER(""),
		ANSWER("\"href\":1"),
		ANSWER("\"href\":\"https://h/\\u0000\""),
		ANSWER("\"href\":\"https://h/1\",\"header\":[]"),
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		assert_fails(read_answer(answers[i]), "git_protocol");
}

static void headers_that_are_none_are_refused(void **state)
{
	static const char *const answers[] = {
		HEADERS("\"X\":\"a\\r\\nEvil: b\""),
		HEADERS("\"X\":\"a\\nb\""),
		HEADERS("\"X\":\"a\\u007f\""),
		HEADERS("\"X Y\":\"a\""),
		HEADERS("\"X:\":\"a\""),
		HEADERS("\"X\\r\\nY\":\"a\""),
		HEADERS("\"\":\"a\""),
		HEADERS("\"\\u00e4\":\"a\""),
		HEADERS("\"X\":1"),
		HEADERS("\"X\":null"),
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		assert_fails(read_answer(answers[i]), "git_protocol");
}

static void headers_are_counted_and_measured(void **state)
{
	cleanup_buf struct buf many = BUF_INIT, length = BUF_INIT;
	(void)state;

	buf_adds(&many, "{\"objects\":[{\"oid\":\"" OID_1 "\",\"actions\":{\"download\":{"
			"\"href\":\"https://h/1\",\"header\":{");
	buf_addstr(&length, buf_str(&many));
	for (int i = 0; i < 33; i++)
		buf_addf(&many, "%s\"X%d\":\"a\"", i ? "," : "", i);
	buf_addf(&length, "\"X\":\"%0*d\"", 16 * 1024, 7);
	buf_adds(&many, "}}}}]}");
	buf_adds(&length, "}}}}]}");
	assert_fails(read_answer(many.ptr), "git_protocol");
	assert_fails(read_answer(length.ptr), "git_protocol");
}

static void message_of_an_error_answer(void **state)
{
	static const struct {
		const char *answer, *message;
	} rows[] = {
		{ "{\"message\":\"over quota\",\"request_id\":\"1\"}", "over quota" },
		{ "{\"message\":1}", NULL },
		{ "[]", NULL },
		{ "<html>", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *got = git_lfs_batch_message(str_from(rows[i].answer));
		if (rows[i].message)
			assert_string_equal(got, rows[i].message);
		else
			assert_null(got);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_that_of_the_batch_api),
		TEST(answer_says_where_each_object_is),
		TEST(later_answer_replaces_an_earlier_one),
		TEST(refusal_names_file_and_id_but_not_the_servers_words),
		TEST(object_that_is_not_told_is_missing),
		TEST(answers_of_another_kind_are_refused),
		TEST(headers_that_are_none_are_refused),
		TEST(headers_are_counted_and_measured),
		cmocka_unit_test(message_of_an_error_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
