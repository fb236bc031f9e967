/*
 * Archives from strangers: every row of cases/hostile.tsv, surface context-upload. TAR-007, 009 and
 * 010 are in test_unpack.c. TAR-019 (a stopped upload) and TAR-020 (a full disk) are about
 * receiving, not unpacking: tests/integration.
 */
#include "tests/unit/context/unpacking.h"

static struct buf bytes; /* the archive of the row at hand */

static void absolute_name(void)
{
	tar_file(&bytes, "/etc/cron.d/x", "x"); /* TAR-002 */
}
static void absolute_folder(void)
{
	tar_folder(&bytes, "/etc");
}
static void sparse_file(void)
{
	tar_header(&bytes, 'S', STR("a"), 0, 0644, NULL);
}
static void sparse_pax_file(void)
{
	tar_pax(&bytes, 'x', "GNU.sparse.realsize", STR("1099511627776"));
	tar_file(&bytes, "a", "x");
}
static void parent_name(void)
{
	tar_file(&bytes, "../x", "x");
}
static void parent_inside(void)
{
	tar_file(&bytes, "a/../../x", "x");
}
static void parent_folder(void)
{
	tar_folder(&bytes, "a/../..");
}
static void through_symlink(void)
{
	tar_symlink(&bytes, "d", "/tmp");
	tar_file(&bytes, "d/x", "x");
}
static void nested_symlinks(void) /* TAR-004 */
{
	struct buf name = BUF_INIT;
	tar_symlink(&bytes, "d", ".");
	for (int i = 0; i < 40; i++)
		buf_adds(&name, "d/");
	buf_adds(&name, "x");
	tar_pax(&bytes, 'x', "path", buf_str(&name));
	tar_file(&bytes, "x", "x");
	buf_release(&name);
}
static void folder_over_symlink_and_through(void)
{
	tar_symlink(&bytes, "d", "/tmp");
	tar_folder(&bytes, "d/e");
}
static void hard_link_outside(void) /* TAR-005 */
{
	tar_hard_link(&bytes, "h", "../../etc/shadow");
}
static void hard_link_absolute(void)
{
	tar_hard_link(&bytes, "h", "/etc/passwd");
}
static void hard_link_to_symlink(void)
{
	tar_symlink(&bytes, "s", "x");
	tar_hard_link(&bytes, "h", "s");
}
static void hard_link_through_symlink(void)
{
	tar_symlink(&bytes, "s", "/etc");
	tar_hard_link(&bytes, "h", "s/passwd");
}
static void hard_link_to_nothing(void)
{
	tar_hard_link(&bytes, "h", "nothing");
}
static void hard_link_to_itself(void)
{
	tar_file(&bytes, "h", "x");
	tar_hard_link(&bytes, "h", "h");
}
static void device(void)
{
	tar_header(&bytes, '3', STR("null"), 0, 0666, NULL);
}
static void pipe_entry(void)
{
	tar_header(&bytes, '6', STR("pipe"), 0, 0666, NULL);
}
static void newline_name(void) /* TAR-017 */
{
	tar_file(&bytes, "a\nb", "x");
}
static void escape_name(void)
{
	tar_file(&bytes, "a\x1b[31mb", "x");
}
static void nul_in_pax_name(void)
{
	tar_pax(&bytes, 'x', "path", STR("a\0b"));
	tar_file(&bytes, "x", "x");
}
static void not_utf8_name(void)
{
	tar_file(&bytes, "a\xff\xfe", "x");
}
static void not_utf8_pax_name(void)
{
	tar_pax(&bytes, 'x', "path", STR("a\xff\xfe"));
	tar_file(&bytes, "x", "x");
}
static void dotdot_name(void)
{
	tar_file(&bytes, "..", "x");
}
static void dot_name(void)
{
	tar_file(&bytes, ".", "x");
}
static void trailing_slash_name(void)
{
	tar_file(&bytes, "a/", "x");
}
static void empty_file_name(void)
{
	tar_file(&bytes, "", "x");
}
static void file_over_full_folder(void)
{
	tar_file(&bytes, "d/x", "x");
	tar_file(&bytes, "d", "x");
}
static void name_below_a_file(void)
{
	tar_file(&bytes, "d", "x");
	tar_file(&bytes, "d/x", "x");
}
static void long_name_of_1_gib(void) /* TAR-012 */
{
	tar_header(&bytes, 'L', STR("././@LongLink"), 1 << 30, 0644, NULL);
	tar_data(&bytes, STR("name"));
}
static void long_name_of_1_mib(void)
{
	struct buf name = BUF_INIT;
	while (name.len < 1 << 20)
		buf_adds(&name, "folder/");
	tar_gnu_long(&bytes, 'L', buf_str(&name));
	tar_file(&bytes, "x", "x");
	buf_release(&name);
}
static void pax_header_of_1_mib(void)
{
	struct buf value = BUF_INIT;
	while (value.len < 1 << 20)
		buf_adds(&value, "0123456789");
	tar_pax(&bytes, 'x', "comment", buf_str(&value));
	tar_file(&bytes, "x", "x");
	buf_release(&value);
}
static void pax_header_of_1_gib(void)
{
	tar_header(&bytes, 'x', STR("pax"), 1 << 30, 0644, NULL);
	tar_data(&bytes, STR("30 path=a"));
}
static void two_sizes(void) /* TAR-014 */
{
	tar_pax(&bytes, 'x', "size", STR("512"));
	tar_header(&bytes, '0', STR("a"), 1024, 0644, NULL);
	tar_file(&bytes, "hidden", "x");
}
static void global_path(void)
{
	tar_pax(&bytes, 'g', "path", STR("a"));
	tar_file(&bytes, "b", "x");
}
static void size_beyond_the_end(void) /* TAR-015 */
{
	tar_header(&bytes, '0', STR("a"), 100000, 0644, NULL);
	tar_data(&bytes, STR("short"));
}
static void huge_size(void)
{
	tar_header(&bytes, '0', STR("a"), 4ull << 30, 0644, NULL);
}
static void wrong_checksum(void)
{
	tar_file(&bytes, "a", "x");
	size_t at = bytes.len;
	tar_file(&bytes, "b", "x");
	bytes.ptr[at] ^= 1;
}
static void no_tar(void)
{
	for (int i = 0; i < 100; i++)
		buf_adds(&bytes, "this is no archive at all\n");
}
static void a_zip(void)
{
	buf_add(&bytes, "PK\3\4\24\0\0\0\0\0", 10);
	for (int i = 0; i < 100; i++)
		buf_adds(&bytes, "\1\2\3\4\5\6\7\10");
}

static const struct {
	const char *name, *word;
	void (*make)(void);
} refused[] = {
	{ "absolute name", "tar_unsafe", absolute_name },
	{ "absolute folder", "tar_unsafe", absolute_folder },
	{ "sparse file", "tar_bad", sparse_file },
	{ "sparse file in pax", "tar_bad", sparse_pax_file },
	{ "..", "tar_unsafe", parent_name },
	{ ".. inside", "tar_unsafe", parent_inside },
	{ ".. folder", "tar_unsafe", parent_folder },
	{ "through a symlink", "tar_unsafe", through_symlink },
	{ "nested symlinks", "tar_unsafe", nested_symlinks },
	{ "folder through a symlink", "tar_unsafe", folder_over_symlink_and_through },
	{ "hard link outside", "tar_unsafe", hard_link_outside },
	{ "hard link absolute", "tar_unsafe", hard_link_absolute },
	{ "hard link to symlink", "tar_unsafe", hard_link_to_symlink },
	{ "hard link through symlink", "tar_unsafe", hard_link_through_symlink },
	{ "hard link to nothing", "tar_unsafe", hard_link_to_nothing },
	{ "hard link to itself", "tar_unsafe", hard_link_to_itself },
	{ "device", "tar_unsafe", device },
	{ "pipe", "tar_unsafe", pipe_entry },
	{ "newline", "tar_unsafe", newline_name },
	{ "escape", "tar_unsafe", escape_name },
	{ "NUL in a pax name", "tar_unsafe", nul_in_pax_name },
	{ "no UTF-8", "tar_unsafe", not_utf8_name },
	{ "no UTF-8 in pax", "tar_unsafe", not_utf8_pax_name },
	{ "name ..", "tar_unsafe", dotdot_name },
	{ "name .", "tar_unsafe", dot_name },
	{ "trailing slash", "tar_unsafe", trailing_slash_name },
	{ "empty name", "tar_unsafe", empty_file_name },
	{ "file over a full folder", "tar_unsafe", file_over_full_folder },
	{ "name below a file", "tar_unsafe", name_below_a_file },
	{ "long name of 1 GiB", "tar_bad", long_name_of_1_gib },
	{ "long name of 1 MiB", "tar_bad", long_name_of_1_mib },
	{ "pax header of 1 MiB", "tar_bad", pax_header_of_1_mib },
	{ "pax header of 1 GiB", "tar_bad", pax_header_of_1_gib },
	{ "two sizes", "tar_bad", two_sizes },
	{ "global path", "tar_bad", global_path },
	{ "size beyond the end", "tar_bad", size_beyond_the_end },
	{ "huge size", "tar_too_large", huge_size },
	{ "wrong checksum", "tar_bad", wrong_checksum },
	{ "no tar", "tar_bad", no_tar },
	{ "a zip", "tar_bad", a_zip },
};

static bool is_refused(void **state, size_t i, const char *filter)
{
	struct buf packed = BUF_INIT;
	struct err err = { 0 };

	if (filter)
		tar_compress(&packed, buf_str(&bytes), filter);
	int rc = unpack(state, filter ? buf_str(&packed) : buf_str(&bytes), &generous, &err);
	buf_release(&packed);
	bool ok = rc < 0 && err_is(&err, refused[i].word) && !str_has_control(str_from(err.msg)) &&
		  strlen(err.msg) < 400;
	if (!ok)
		print_error("%s: %s (%s), want %s\n", refused[i].name, rc < 0 ? err.word : "taken",
			    err.msg, refused[i].word);
	return ok;
}

static void every_trick_gets_its_word(void **state)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		refused[i].make();
		tar_end(&bytes);
		wrong += !is_refused(state, i, NULL);
		wrong += !is_refused(state, i, "gzip");
		buf_release(&bytes);
	}
	assert_int_equal(wrong, 0);
}

static void nothing_is_written_outside(void **state)
{
	cleanup_free char *beside = folder_path(state, "x");

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = { 0 };
		refused[i].make();
		tar_end(&bytes);
		unpack(state, buf_str(&bytes), &generous, &err);
		buf_release(&bytes);
		assert_false(fs_exists(beside));
	}
	assert_false(fs_exists("/etc/cron.d/x"));
	assert_false(fs_exists("/tmp/x"));
}

/* TAR-015: cut anywhere, an archive is refused; nothing ends the process. */
static void a_truncated_archive_is_refused(void **state)
{
	struct buf tar = BUF_INIT;
	struct err err;

	tar_file(&tar, "a", "text");
	tar_file(&tar, "b", "more text");
	tar_end(&tar);
	for (size_t len = 0; len < 2048; len += 128)
		assert_fails(unpack(state, str_slice(buf_str(&tar), 0, len), &generous, &err),
			     "tar_bad");
	struct buf packed = BUF_INIT;
	tar_compress(&packed, buf_str(&tar), "gzip");
	for (size_t len = 0; len < packed.len; len += 7)
		assert_fails(unpack(state, str_slice(buf_str(&packed), 0, len), &generous, &err),
			     "tar_bad");
	buf_release(&packed);
	tar_compress(&packed, buf_str(&tar), "zstd");
	for (size_t len = 0; len < packed.len; len += 7)
		assert_fails(unpack(state, str_slice(buf_str(&packed), 0, len), &generous, &err),
			     "tar_bad");
	buf_release(&packed);
	buf_release(&tar);
}

static void trailing_garbage_is_refused(void **state)
{
	static const char *const filters[] = { NULL, "gzip", "zstd" };
	struct buf tar = BUF_INIT;
	struct err err;

	tar_file(&tar, "a", "text");
	tar_end(&tar);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct buf packed = BUF_INIT;
		if (filters[i])
			tar_compress(&packed, buf_str(&tar), filters[i]);
		else
			buf_addstr(&packed, buf_str(&tar));
		for (int j = 0; j < 100; j++)
			buf_adds(&packed, "garbage");
		assert_fails(unpack(state, buf_str(&packed), &generous, &err), "tar_bad");
		buf_release(&packed);
	}
	/* Inside of the compression, behind the end of the tar. */
	struct buf packed = BUF_INIT;
	tar_file(&tar, "hidden", "text");
	tar_end(&tar);
	tar_compress(&packed, buf_str(&tar), "gzip");
	assert_fails(unpack(state, buf_str(&packed), &generous, &err), "tar_bad");
	buf_release(&packed);
	buf_release(&tar);
}

static void padding_behind_compressed_data_is_taken(void **state)
{
	struct buf tar = BUF_INIT, packed = BUF_INIT;
	static const char zeros[70000] = { 0 };
	struct err err;

	tar_file(&tar, "a", "text");
	tar_end(&tar);
	tar_compress(&packed, buf_str(&tar), "gzip");
	buf_add(&packed, zeros, sizeof zeros);
	assert_works(unpack(state, buf_str(&packed), &generous, &err));
	buf_addc(&packed, 'x');
	assert_fails(unpack(state, buf_str(&packed), &generous, &err), "tar_bad");
	buf_release(&packed);
	buf_release(&tar);
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(every_trick_gets_its_word),
		test(nothing_is_written_outside),
		test(a_truncated_archive_is_refused),
		test(trailing_garbage_is_refused),
		test(padding_behind_compressed_data_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
