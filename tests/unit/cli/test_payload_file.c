#include "tests/unit/folder.h"

#include "cli/payload_file.h"
#include "common/json.h"
#include "common/scope.h"

/* A file has these bytes. */
static int read_bytes(void **state, struct payload_file *f, struct str bytes, struct err *out)
{
	cleanup_free char *path = folder_path(state, "saved");
	struct err err = { 0 };

	assert_works(fs_write_atomic(path, bytes, 0600, &err));
	return payload_file_read(f, path, out);
}

static void a_whole_request_is_taken_apart(void **state)
{
	static const char *const requests[] = {
		"POST /webhooks/github?x=1 HTTP/1.1\r\nX-A:  one \r\nX-B: two: three\r\n\r\n{}\n",
		"POST https://ci.example.org/sub/webhooks/github HTTP/2\nX-A: one\nX-B:two: three\n\n{}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct payload_file f;
		struct err err = { 0 };
		assert_works(read_bytes(state, &f, str_from(requests[i]), &err));
		cleanup_free char *headers = json_text(f.headers);
		assert_string_equal(headers, "{\"X-A\":\"one\",\"X-B\":\"two: three\"}");
		assert_string_equal(f.webhook, "github");
		assert_string_equal(f.body, "{}\n"); /* its bytes are what was signed */
		payload_file_release(&f);
	}
}

static void a_body_alone_has_the_type_that_it_looks_like(void **state)
{
	static const char *const bodies[][2] = {
		{ "{\"a\": 1}\n\n{}", "application/json" },
		{ "\n [1]", "application/json" },
		{ "payload=%7B%7D", "application/x-www-form-urlencoded" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct payload_file f;
		struct err err = { 0 };
		assert_works(read_bytes(state, &f, str_from(bodies[i][0]), &err));
		assert_string_equal(json_string_value(json_object_get(f.headers, "Content-Type")),
				    bodies[i][1]);
		assert_string_equal(f.body, bodies[i][0]);
		assert_null(f.webhook);
		payload_file_release(&f);
	}
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct str files[] = {
		STR(""),
		STR("\n"),
		STR("A: b"),
		STR("A: b\n"),
		STR("A: b\nnothing\n\n{}"),
		STR("A: b\na: c\n\n{}"),
		STR("A b: c\n\n{}"),
		STR(": c\n\n{}"),
		STR("A: \033[2J\n\n{}"),
		STR("A\0: c\n\n{}"),
		STR("A: b\n\n{\0}"),
		STR("{\"\xff\":1}"),
		STR("POST /webhooks/github\n\n{}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct payload_file f = { 0 };
		struct err err = { 0 };
		int rc = read_bytes(state, &f, files[i], &err);
		payload_file_release(&f);
		if (rc == 0)
			fail_msg("file %zu was taken", i);
		assert_string_equal(err.word, "payload_file");
	}
}

static void a_header_that_is_given_replaces_the_one_that_is_there(void **state)
{
	struct payload_file f;
	struct err err = { 0 };

	assert_works(read_bytes(state, &f, STR("X-A: one\nX-B: two\n\n{}"), &err));
	assert_works(payload_file_header(&f, "x-a: three", &err));
	cleanup_free char *headers = json_text(f.headers);
	assert_string_equal(headers, "{\"X-B\":\"two\",\"x-a\":\"three\"}");
	assert_int_equal(payload_file_header(&f, "nothing", &err), -1);
	payload_file_release(&f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_whole_request_is_taken_apart),
		T(a_body_alone_has_the_type_that_it_looks_like),
		T(what_is_no_request_is_refused),
		T(a_header_that_is_given_replaces_the_one_that_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
