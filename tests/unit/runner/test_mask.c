#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/scope.h"
#include "runner/exec/mask.h"

/* Feed the text cut at `first` and `second`; what comes out, owned by the caller. */
static char *masked_in_three(struct mask *m, struct str text, size_t first, size_t second)
{
	struct buf out = BUF_INIT;

	mask_feed(m, str_slice(text, 0, first), &out);
	mask_feed(m, str_slice(text, first, second), &out);
	mask_feed(m, str_after(text, second), &out);
	mask_finish(m, &out);
	return buf_detach(&out);
}

static void assert_masked(const char *secret, const char *text, const char *expected)
{
	struct mask *m = mask_create();

	mask_add(m, str_from(secret));
	char *got = masked_in_three(m, str_from(text), 0, 0);
	assert_string_equal(got, expected);
	free(got);
	mask_destroy(m);
}

static void secret_is_masked_for_every_split(void **state)
{
	(void)state;
	const char *text = "a hunter22/+ b hunter22/+hunter22/+ hunter22/ c hunter2hunter22/+";
	const char *expected = "a *** b ****** hunter22/ c hunter2***";
	size_t len = strlen(text);
	struct mask *m = mask_create();

	mask_add(m, STR("hunter22/+"));
	for (size_t first = 0; first <= len; first++) {
		for (size_t second = first; second <= len; second++) {
			char *got = masked_in_three(m, str_from(text), first, second);
			if (strcmp(got, expected) != 0)
				fail_msg("split at %zu, %zu: %s", first, second, got);
			free(got);
		}
	}
	mask_destroy(m);
}

static void secret_is_masked_byte_by_byte_in_every_encoding(void **state)
{
	(void)state;
	const char *secret = "p\"ss?w/rd <7>\n+ second line";
	const char *prefixes[] = { "", "u", "us", "user:" };
	struct mask *m = mask_create();
	struct buf out = BUF_INIT;

	mask_add(m, str_from(secret));
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct buf plain = BUF_INIT;
		buf_addf(&plain, "%s%s and more", prefixes[i], secret);
		char *text = base64_encode(buf_str(&plain));
		for (char *p = text; *p; p++)
			mask_feed(m, (struct str){ p, 1 }, &out);
		mask_finish(m, &out);
		assert_non_null(strstr(out.ptr, "***"));
		/* What is left may hold the neighbours, and less than a byte of the secret. */
		assert_true(out.len < strlen(text) - strlen(secret));
		free(text);
		buf_release(&plain);
		buf_clear(&out);
	}
	buf_release(&out);
	mask_destroy(m);
}

static void url_and_json_forms_are_masked(void **state)
{
	(void)state;
	assert_masked("a b/c+d", "x=a%20b%2Fc%2Bd&", "x=***&");
	assert_masked("a b/c+d", "x=a%20b%2fc%2bd&", "x=***&");
	assert_masked("a b/c+d", "x=a+b%2Fc%2Bd&", "x=***&");
	assert_masked("say \"hi\\\"", "{\"a\":\"say \\\"hi\\\\\\\"\"}", "{\"a\":\"***\"}");
	assert_masked("<tag>&more", "\\u003ctag\\u003e\\u0026more", "***");
}

static void overlapping_secrets_leave_nothing(void **state)
{
	(void)state;
	struct mask *m = mask_create();

	mask_add(m, STR("abcdef"));
	mask_add(m, STR("defghi"));
	mask_add(m, STR("abcd"));
	char *got = masked_in_three(m, STR("-abcdefghi-abcd-abcde-"), 4, 13);
	assert_string_equal(got, "-***-***-***e-");
	free(got);
	mask_destroy(m);
}

static void lines_of_a_key_are_masked_alone(void **state)
{
	(void)state;
	assert_masked("-----BEGIN-----\nMIIBVgIBADANBgkq\n}\n-----END-----\n",
		      "> MIIBVgIBADANBgkq\r\n}\n", "> ***\r\n}\n");
}

static void short_values_are_not_masked(void **state)
{
	(void)state;
	assert_masked("abc", "abc abc", "abc abc");
}

static void without_secrets_bytes_pass(void **state)
{
	(void)state;
	struct mask *m = mask_create();
	struct buf out = BUF_INIT;

	mask_feed(m, (struct str){ "a\0\xff\x1b[2J", 7 }, &out);
	assert_int_equal(out.len, 7);
	buf_release(&out);
	mask_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_is_masked_for_every_split),
		cmocka_unit_test(secret_is_masked_byte_by_byte_in_every_encoding),
		cmocka_unit_test(url_and_json_forms_are_masked),
		cmocka_unit_test(overlapping_secrets_leave_nothing),
		cmocka_unit_test(lines_of_a_key_are_masked_alone),
		cmocka_unit_test(short_values_are_not_masked),
		cmocka_unit_test(without_secrets_bytes_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
