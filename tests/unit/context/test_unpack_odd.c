/*
 * Archives that are odd: what other programs write and readers disagree about. Some are taken, each
 * in one way; the others are refused with a sentence. The tricks are in test_unpack_refused.c.
 */
#include "tests/unit/context/unpacking.h"

enum { BLOCK = 512, SIZE_AT = 124, PREFIX_AT = 345 };

/* Change a field of the header at `at`, and its checksum. */
static void patch(struct buf *tar, size_t at, size_t field, struct str value)
{
	char *block = tar->ptr + at;
	unsigned sum = 0;

	memcpy(block + field, value.ptr, value.len);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	for (int i = 5; i >= 0; i--, sum /= 8)
		block[148 + i] = (char)('0' + sum % 8);
	block[154] = '\0';
}

static void assert_refused(void **state, struct buf *tar, const char *word, const char *why)
{
	struct err err = { 0 };

	tar_end(tar);
	if (unpack(state, buf_str(tar), &generous, &err) == 0)
		fail_msg("taken: want %s, %s", word, why);
	assert_string_equal(err.word, word);
	assert_has(err.msg, why);
	buf_release(tar);
}

static void assert_taken(void **state, struct buf *tar)
{
	struct err err = { 0 };

	tar_end(tar);
	assert_works(unpack(state, buf_str(tar), &generous, &err));
	buf_release(tar);
}

/* ---- names in more than one place ---- */

static void a_prefix_is_part_of_the_name(void **state)
{
	struct buf tar = BUF_INIT;

	tar_file(&tar, "b", "text");
	patch(&tar, 0, PREFIX_AT, STR("a"));
	assert_taken(state, &tar);
	assert_file(state, "a/b", "text");

	tar_file(&tar, "x", "text");
	patch(&tar, 0, PREFIX_AT, STR(".."));
	assert_refused(state, &tar, "tar_unsafe", "..");
	tar_file(&tar, "cron.d/x", "text");
	patch(&tar, 0, PREFIX_AT, STR("/etc"));
	assert_refused(state, &tar, "tar_unsafe", "absolute");
}

static void an_extended_header_names_the_entry(void **state)
{
	struct buf tar = BUF_INIT;

	tar_pax(&tar, 'x', "path", STR("good"));
	tar_file(&tar, "../evil", "text");
	assert_taken(state, &tar);
	assert_file(state, "good", "text");

	tar_pax(&tar, 'x', "path", STR("../evil"));
	tar_file(&tar, "good", "text");
	assert_refused(state, &tar, "tar_unsafe", "..");
	tar_gnu_long(&tar, 'L', STR("../evil"));
	tar_file(&tar, "good", "text");
	assert_refused(state, &tar, "tar_unsafe", "..");
	tar_file(&tar, "a", "x");
	tar_pax(&tar, 'x', "linkpath", STR("../../etc/shadow"));
	tar_hard_link(&tar, "h", "a");
	assert_refused(state, &tar, "tar_unsafe", "..");
	tar_file(&tar, "a", "x");
	tar_gnu_long(&tar, 'K', STR("/etc/shadow"));
	tar_hard_link(&tar, "h", "a");
	assert_refused(state, &tar, "tar_unsafe", "absolute");
}

static void names_have_a_length(void **state)
{
	struct buf tar = BUF_INIT, name = BUF_INIT;

	for (int i = 0; i < 255; i++)
		buf_addc(&name, 'n');
	tar_gnu_long(&tar, 'L', buf_str(&name));
	tar_file(&tar, "x", "text");
	assert_taken(state, &tar);
	assert_file(state, name.ptr, "text");
	buf_addc(&name, 'n');
	tar_pax(&tar, 'x', "path", buf_str(&name));
	tar_file(&tar, "x", "text");
	assert_refused(state, &tar, "tar_unsafe", "255 bytes");
	while (name.len <= 4096)
		buf_adds(&name, "/d");
	tar_pax(&tar, 'x', "path", buf_str(&name));
	tar_file(&tar, "x", "text");
	assert_refused(state, &tar, "tar_bad", "4096 bytes");
	buf_release(&name);
}

/* ---- sizes ---- */

static void sizes_that_are_none_are_refused(void **state)
{
	static const struct str sizes[] = {
		STR("\x80\0\0\0\0\0\0\0\0\0\0\x04"),                     /* base 256, 4 */
		STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), /* base 256, -1 */
		STR("-0000000004"),
		STR("0x000000004"),
		STR("00000000009"),
		STR("0000 000004"),
	};
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		tar_file(&tar, "a", "text");
		patch(&tar, 0, SIZE_AT, sizes[i]);
		assert_refused(state, &tar, "tar_bad", "size");
	}
}

static void sizes_of_extended_headers_must_agree(void **state)
{
	static const struct str sizes[] = {
		STR("5"),
		STR("0"),
		STR("-4"),
		STR("18446744073709551620"),
		STR("9223372036854775808"),
		STR("4x"),
		STR("0x4"),
		STR(""),
		STR("4\0"),
	};
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		tar_pax(&tar, 'x', "size", sizes[i]);
		tar_file(&tar, "a", "text");
		assert_refused(state, &tar, "tar_bad", "size");
	}
	tar_pax(&tar, 'x', "size", STR("4"));
	tar_file(&tar, "a", "text");
	assert_taken(state, &tar);
	assert_file(state, "a", "text");
}

static void entries_without_data_have_none(void **state)
{
	static const char types[] = { '1', '2', '3', '4', '5', '6' };
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		tar_header(&tar, types[i], STR("a"), 4, 0644, "b");
		tar_data(&tar, STR("text"));
		assert_refused(state, &tar, "tar_bad", "has data");
	}
}

static void records_that_lie_about_their_length_are_refused(void **state)
{
	static const struct str records[] = {
		STR("99 path=a\n"), STR("9 path=ab\n"),       STR("0 path=a\n"),
		STR("-1 path=a\n"), STR("10 path=a"),         STR("path=a\n"),
		STR("10 path a\n"), STR("8 =path\n"),         STR("\n"),
		STR(" "),           STR("99999999999 a=b\n"), STR("4294967306 path=a\n"),
	};
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		tar_header(&tar, 'x', STR("pax"), records[i].len, 0644, NULL);
		tar_data(&tar, records[i]);
		tar_file(&tar, "a", "text");
		assert_refused(state, &tar, "tar_bad", "malformed");
	}
}

/* ---- types ---- */

static void types_that_are_not_taken_are_refused(void **state)
{
	static const char types[] = { 'V', 'M', 'D', 'N', 'A', 'X', 'I', 'z', '8', '?', '\x80' };
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		tar_header(&tar, types[i], STR("a"), 0, 0644, NULL);
		assert_refused(state, &tar, "tar_bad", "type");
	}
	tar_header(&tar, '7', STR("contiguous"), 4, 0644, NULL);
	tar_data(&tar, STR("text"));
	assert_taken(state, &tar);
	assert_file(state, "contiguous", "text");
}

static void a_block_device_is_refused(void **state)
{
	struct buf tar = BUF_INIT;

	tar_header(&tar, '4', STR("sda"), 0, 0666, NULL);
	assert_refused(state, &tar, "tar_unsafe", "device");
}

/* ---- one name twice ---- */

static void the_last_entry_of_a_name_counts(void **state)
{
	struct buf tar = BUF_INIT;

	tar_symlink(&tar, "a", "/etc/passwd");
	tar_file(&tar, "a", "a file now");
	tar_folder(&tar, "b");
	tar_file(&tar, "b", "a file now");
	tar_file(&tar, "c", "x");
	tar_folder(&tar, "c");
	tar_symlink(&tar, "d", "/tmp");
	tar_folder(&tar, "d");
	tar_file(&tar, "d/e", "in a folder now");
	assert_taken(state, &tar);
	assert_file(state, "a", "a file now");
	assert_file(state, "b", "a file now");
	assert_true(S_ISDIR(mode_of(state, "c")));
	assert_true(S_ISDIR(mode_of(state, "d")));
	assert_file(state, "d/e", "in a folder now");
}

/* A second name and its file part when one of them comes again. */
static void a_hard_link_is_not_written_through(void **state)
{
	struct buf tar = BUF_INIT;

	tar_file(&tar, "a", "first");
	tar_hard_link(&tar, "b", "a");
	tar_file(&tar, "b", "second");
	assert_taken(state, &tar);
	assert_file(state, "a", "first");
	assert_file(state, "b", "second");
}

static void times_that_are_none_do_no_harm(void **state)
{
	static const char *const times[] = { "-1", "1e300", "99999999999999999999", "nan", "" };
	struct buf tar = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct err err = { 0 };
		tar_pax(&tar, 'x', "mtime", str_from(times[i]));
		tar_file(&tar, "a", "text");
		tar_end(&tar);
		if (unpack(state, buf_str(&tar), &generous, &err) < 0)
			assert_string_equal(err.word, "tar_bad");
		else
			assert_file(state, "a", "text");
		buf_release(&tar);
	}
}

/* ---- compression ---- */

/* As pigz and bgzip write it. */
static void one_tar_in_several_members_is_taken(void **state)
{
	static const char *const filters[] = { "gzip", "zstd" };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct buf tar = BUF_INIT, packed = BUF_INIT;
		tar_file(&tar, "a", "text");
		tar_file(&tar, "b", "more");
		tar_end(&tar);
		for (size_t at = 0; at < tar.len; at += 700) {
			struct buf member = BUF_INIT;
			tar_compress(&member, str_slice(buf_str(&tar), at, at + 700), filters[i]);
			buf_addstr(&packed, buf_str(&member));
			buf_release(&member);
		}
		assert_works(unpack(state, buf_str(&packed), &generous, &err));
		assert_file(state, "b", "more");
		buf_release(&packed);
		buf_release(&tar);
	}
}

static void two_tars_in_a_row_are_refused(void **state)
{
	struct buf tar = BUF_INIT, packed = BUF_INIT, twice = BUF_INIT;
	struct err err = { 0 };

	tar_file(&tar, "a", "text");
	tar_end(&tar);
	tar_compress(&packed, buf_str(&tar), "gzip");
	buf_addstr(&twice, buf_str(&packed));
	buf_addstr(&twice, buf_str(&packed));
	assert_fails(unpack(state, buf_str(&twice), &generous, &err), "tar_bad");
	buf_release(&tar);
	buf_release(&packed);
	buf_release(&twice);
}

static void other_formats_are_called_by_their_name(void **state)
{
	static const struct {
		struct str bytes;
		const char *name;
	} rows[] = {
		{ STR("BZh91AY&SY"), "bzip2" },         { STR("\xfd\x37zXZ\0\0\4"), "xz" },
		{ STR("\x04\x22\x4d\x18 lz4"), "lz4" }, { STR("\x1f\x9d\x90"), "compress" },
		{ STR("PK\x03\x04\x14"), "zip" },       { STR("7z\xbc\xaf\x27\x1c"), "7z" },
		{ STR("<!DOCTYPE html>"), "HTML" },     { STR("\x5d\0\0\x80\0"), "lzma" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(unpack(state, rows[i].bytes, &generous, &err), "tar_bad");
		assert_has(err.msg, rows[i].name);
		assert_has(err.msg, "gzip or zstd");
	}
}

static void what_is_nothing_at_all_is_refused(void **state)
{
	static const char zeros[10240];
	static const struct str rows[] = { STR(""),
					   STR("\n"),
					   { zeros, sizeof zeros },
					   { zeros, 512 },
					   STR("\x1f\x8b"),
					   STR("\x28\xb5\x2f\xfd"),
					   STR("FROM scratch\n") };
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fails(unpack(state, rows[i], &generous, &err), "tar_bad");
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_prefix_is_part_of_the_name),
		test(an_extended_header_names_the_entry),
		test(names_have_a_length),
		test(sizes_that_are_none_are_refused),
		test(sizes_of_extended_headers_must_agree),
		test(entries_without_data_have_none),
		test(records_that_lie_about_their_length_are_refused),
		test(types_that_are_not_taken_are_refused),
		test(a_block_device_is_refused),
		test(the_last_entry_of_a_name_counts),
		test(a_hard_link_is_not_written_through),
		test(times_that_are_none_do_no_harm),
		test(one_tar_in_several_members_is_taken),
		test(two_tars_in_a_row_are_refused),
		test(other_formats_are_called_by_their_name),
		test(what_is_nothing_at_all_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
