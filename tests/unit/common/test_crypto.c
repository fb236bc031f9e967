#include "tests/unit/folder.h"

#include <sys/stat.h>

#include "common/crypto.h"
#include "common/scope.h"

static struct err err;

static void assert_digest(const unsigned char digest[SHA256_BYTES], const char *wanted)
{
	cleanup_free char *text = hex_encode(digest, SHA256_BYTES);
	assert_string_equal(text, wanted);
}

static void sha256_of_known_texts(void **state)
{
	(void)state;
	unsigned char digest[SHA256_BYTES];

	sha256(digest, STR(""));
	assert_digest(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256(digest, STR("abc"));
	assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sha256_in_pieces_is_the_same(void **state)
{
	(void)state;
	unsigned char digest[SHA256_BYTES];
	struct str text = STR("abc");

	for (size_t cut = 0; cut <= text.len; cut++) {
		struct sha256 *h = sha256_create();
		sha256_update(h, str_slice(text, 0, cut));
		sha256_update(h, str_after(text, cut));
		sha256_finish(h, digest);
		assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20"
				      "015ad");
	}
	sha256_finish(sha256_create(), NULL);
	sha256_finish(NULL, NULL);
}

static void hmac_of_githubs_own_example(void **state)
{
	(void)state;
	unsigned char digest[SHA256_BYTES];

	hmac_sha256(digest, STR("It's a Secret to Everybody"), STR("Hello, World!"));
	assert_digest(digest, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

/* RFC 4231, cases 2 and 6, and the empty key. */
static void hmac_of_known_texts(void **state)
{
	(void)state;
	unsigned char digest[SHA256_BYTES], key[131];

	hmac_sha256(digest, STR("Jefe"), STR("what do ya want for nothing?"));
	assert_digest(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	hmac_sha256(digest, (struct str){ (char *)key, sizeof key },
		    STR("Test Using Larger Than Block-Size Key - Hash Key First"));
	assert_digest(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	hmac_sha256(digest, STR(""), STR(""));
	assert_digest(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hmac_in_pieces_is_the_same(void **state)
{
	(void)state;
	unsigned char digest[SHA256_BYTES];
	struct str body = STR("Hello, World!");

	for (size_t cut = 0; cut <= body.len; cut++) {
		struct hmac *h = hmac_sha256_create(STR("It's a Secret to Everybody"));
		hmac_update(h, str_slice(body, 0, cut));
		hmac_update(h, str_after(body, cut));
		hmac_finish(h, digest);
		assert_digest(digest, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b0"
				      "43e17");
	}
	hmac_finish(hmac_sha256_create(STR("k")), NULL);
	hmac_finish(NULL, NULL);
}

static void compares_bytes(void **state)
{
	(void)state;
	assert_true(bytes_equal_ct("abc", "abc", 3));
	assert_false(bytes_equal_ct("abc", "abd", 3));
	assert_true(bytes_equal_ct("x", "y", 0));
}

/* ---- sealing ---- */

static const unsigned char key_one[SEAL_KEY_BYTES] = { 1 };
static const unsigned char key_two[SEAL_KEY_BYTES] = { 2 };

static void opens_what_it_sealed(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "x", "a secret that is longer than one block" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cleanup_buf struct buf box = BUF_INIT, again = BUF_INIT, plain = BUF_INIT;
		seal(&box, key_one, STR("run/ca1"), str_from(texts[i]));
		seal(&again, key_one, STR("run/ca1"), str_from(texts[i]));
		assert_int_equal(box.len, 1 + 12 + strlen(texts[i]) + 16);
		assert_false(str_eq(buf_str(&box), buf_str(&again)));
		assert_works(unseal(&plain, key_one, STR("run/ca1"), buf_str(&box), &err));
		assert_string_equal(buf_str(&plain).ptr, texts[i]);
	}
}

static void refuses_another_key_another_row_and_any_changed_byte(void **state)
{
	(void)state;
	cleanup_buf struct buf box = BUF_INIT, plain = BUF_INIT;
	seal(&box, key_one, STR("run/ca1"), STR("hunter2"));
	struct str sealed = buf_str(&box);

	assert_fails(unseal(&plain, key_two, STR("run/ca1"), sealed, &err), "secret_key");
	assert_fails(unseal(&plain, key_one, STR("run/ca2"), sealed, &err), "secret_key");
	for (size_t i = 0; i < box.len; i++) {
		box.ptr[i] ^= 1;
		assert_fails(unseal(&plain, key_one, STR("run/ca1"), sealed, &err), "secret_key");
		box.ptr[i] ^= 1;
		assert_fails(unseal(&plain, key_one, STR("run/ca1"), str_slice(sealed, 0, i), &err),
			     "secret_key");
	}
	assert_int_equal(plain.len, 0);
}

static void makes_the_key_once(void **state)
{
	unsigned char first[SEAL_KEY_BYTES], second[SEAL_KEY_BYTES];
	cleanup_free char *path = folder_path(state, "secret.key");
	struct stat st;

	assert_works(seal_key_load(first, path, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, SEAL_KEY_BYTES);
	assert_works(seal_key_load(second, path, &err));
	assert_memory_equal(first, second, SEAL_KEY_BYTES);
}

static void refuses_a_key_that_others_can_read_or_of_another_length(void **state)
{
	unsigned char key[SEAL_KEY_BYTES];
	const char *right = "0123456789abcdef0123456789abcdef";

	cleanup_free char *open = folder_file(state, "open", right, 0640);
	cleanup_free char *brief = folder_file(state, "brief", right + 1, 0600);
	cleanup_free char *lengthy =
		folder_file(state, "lengthy", "0123456789abcdef0123456789abcdef0", 0600);
	cleanup_free char *good = folder_file(state, "good", right, 0400);
	assert_fails(seal_key_load(key, open, &err), "secret_key");
	assert_fails(seal_key_load(key, brief, &err), "secret_key");
	assert_fails(seal_key_load(key, lengthy, &err), "secret_key");
	assert_fails(seal_key_load(key, *state, &err), "secret_key");
	assert_works(seal_key_load(key, good, &err));
}

/* systemd passes credentials in a folder of the service, with an ACL that shows as group bits. */
static void takes_a_key_that_systemd_granted(void **state)
{
	unsigned char key[SEAL_KEY_BYTES];
	cleanup_free char *path =
		folder_file(state, "slipway.key", "0123456789abcdef0123456789abcdef", 0440);

	assert_fails(seal_key_load(key, path, &err), "secret_key");
	setenv("CREDENTIALS_DIRECTORY", *state, 1);
	assert_works(seal_key_load(key, path, &err));
	unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_known_texts),
		cmocka_unit_test(sha256_in_pieces_is_the_same),
		cmocka_unit_test(hmac_of_githubs_own_example),
		cmocka_unit_test(hmac_of_known_texts),
		cmocka_unit_test(hmac_in_pieces_is_the_same),
		cmocka_unit_test(compares_bytes),
		cmocka_unit_test(opens_what_it_sealed),
		cmocka_unit_test(refuses_another_key_another_row_and_any_changed_byte),
		cmocka_unit_test_setup_teardown(makes_the_key_once, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(
			refuses_a_key_that_others_can_read_or_of_another_length, folder_setup,
			folder_teardown),
		cmocka_unit_test_setup_teardown(takes_a_key_that_systemd_granted, folder_setup,
						folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
