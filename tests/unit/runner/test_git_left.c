#include "tests/unit/unit.h"

#include "common/buf.h"
#include "runner/exec/git_left.h"

#define VERSION "version https://git-lfs.github.com/spec/v1\n"
#define OID     "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"

static void a_pointer_is_read(void **state)
{
	struct git_pointer p;

	(void)state;
	assert_true(git_pointer_read(&p, STR(VERSION "oid sha256:" OID "\nsize 12345\n")));
	assert_int_equal(p.size, 12345);
	assert_int_equal(p.sha256[0], 0x4d);
	assert_int_equal(p.sha256[31], 0x93);
	assert_false(p.extended || p.executable || p.path);
}

/* What git-lfs takes for a pointer must not be built as a file. */
static void a_pointer_may_be_written_carelessly(void **state)
{
	static const char *const texts[] = {
		VERSION "oid sha256:" OID "\nsize 0",
		VERSION "oid sha256:" OID "\r\nsize 12345\r\n\n",
		"version https://git-lfs.github.com/spec/v1\r\noid sha256:" OID "\r\nsize 1\r\n",
		"\n" VERSION "\noid sha256:" OID "\n\nsize 9223372036854775807\n",
	};
	struct git_pointer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_true(git_pointer_read(&p, str_from(texts[i])));
}

static void an_extension_is_seen(void **state)
{
	struct git_pointer p;

	(void)state;
	assert_true(git_pointer_read(&p, STR(VERSION "ext-0-foo sha256:" OID "\next-1-b sha256:" OID
						     "\noid sha256:" OID "\nsize 1\n")));
	assert_true(p.extended);
}

static void what_only_looks_like_a_pointer_is_a_file(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		VERSION,
		VERSION "oid sha256:" OID "\n",
		VERSION "size 1\noid sha256:" OID "\n",
		VERSION "oid sha256:" OID "\nsize -1\n",
		VERSION "oid sha256:" OID "\nsize 9223372036854775808\n",
		VERSION "oid sha256:" OID "\nsize 1x\n",
		VERSION "oid sha256:" OID "0\nsize 1\n",
		VERSION "oid sha1:" OID "\nsize 1\n",
		VERSION "oid sha256:" OID "\nsize 1\nmore\n",
		"version https://git-lfs.github.com/spec/v2\noid sha256:" OID "\nsize 1\n",
		"x" VERSION "oid sha256:" OID "\nsize 1\n",
	};
	struct git_pointer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (git_pointer_read(&p, str_from(texts[i])))
			fail_msg("a pointer: %s", texts[i]);
	}
}

static void a_pointer_is_shorter_than_1024_bytes(void **state)
{
	struct buf text = BUF_INIT;
	struct git_pointer p;

	(void)state;
	buf_adds(&text, VERSION "oid sha256:" OID "\nsize 1");
	while (text.len < 1023)
		buf_addc(&text, '\n');
	assert_true(git_pointer_read(&p, buf_str(&text)));
	buf_addc(&text, '\n');
	assert_false(git_pointer_read(&p, buf_str(&text)));
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pointer_is_read),
		cmocka_unit_test(a_pointer_may_be_written_carelessly),
		cmocka_unit_test(an_extension_is_seen),
		cmocka_unit_test(what_only_looks_like_a_pointer_is_a_file),
		cmocka_unit_test(a_pointer_is_shorter_than_1024_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
