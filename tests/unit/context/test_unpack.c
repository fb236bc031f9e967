/* What is taken of an archive, how it is written, and the ceilings. */
#include "tests/unit/context/unpacking.h"

#include <sys/xattr.h>

/* ---- what is taken ---- */

static void plain_gzip_and_zstd_are_taken(void **state)
{
	struct buf tar = BUF_INIT;
	static const char *const filters[] = { "none", "gzip", "zstd" };
	struct err err;

	tar_folder(&tar, "dir/");
	tar_file(&tar, "dir/a", "text");
	tar_end(&tar);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct buf packed = BUF_INIT;
		if (i == 0)
			buf_addstr(&packed, buf_str(&tar));
		else
			tar_compress(&packed, buf_str(&tar), filters[i]);
		assert_works(unpack(state, buf_str(&packed), &generous, &err));
		assert_file(state, "dir/a", "text");
		buf_release(&packed);
	}
	buf_release(&tar);
}

static void the_habits_of_azs_client_are_taken(void **state)
{
	struct buf tar = BUF_INIT;
	struct err err;

	tar_pax(&tar, 'x', "mtime", STR("1700000000.25"));
	tar_folder(&tar, "/"); /* the first entry has no name, which Python writes so */
	tar_folder(&tar, "");
	tar_file(&tar, "docs/sub/a.md", "kept"); /* its parents were ignored */
	tar_file(&tar, "Dockerfile", "FROM one");
	tar_file(&tar, "Dockerfile", "FROM two"); /* the last one counts */
	tar_hard_link(&tar, "second", "Dockerfile");
	tar_symlink(&tar, "docs/link", "../Dockerfile");
	tar_end(&tar);
	assert_works(unpack(state, buf_str(&tar), &generous, &err));
	assert_file(state, "docs/sub/a.md", "kept");
	assert_file(state, "Dockerfile", "FROM two");
	assert_file(state, "second", "FROM two");
	assert_true(S_ISLNK(mode_of(state, "docs/link")));
	buf_release(&tar);
}

static void what_gnu_tar_writes_is_taken(void **state)
{
	struct buf tar = BUF_INIT, name = BUF_INIT;
	static const char zeros[9216] = { 0 };
	struct err err;

	for (int i = 0; i < 30; i++)
		buf_adds(&name, i ? "/folder" : "folder");
	tar_folder(&tar, "./");
	tar_file(&tar, "./a", "text");
	tar_gnu_long(&tar, 'L', buf_str(&name));
	tar_header(&tar, '0', STR("cut short"), 4, 0644, NULL);
	tar_data(&tar, STR("deep"));
	tar_pax(&tar, 'g', "comment", STR("0123456789012345678901234567890123456789"));
	tar_pax(&tar, 'x', "path", STR("caf\xc3\xa9"));
	tar_file(&tar, "cafe", "utf-8");
	tar_end(&tar);
	buf_add(&tar, zeros, sizeof zeros); /* a record of 20 blocks */
	assert_works(unpack(state, buf_str(&tar), &generous, &err));
	assert_file(state, "a", "text");
	assert_file(state, name.ptr, "deep");
	assert_file(state, "caf\xc3\xa9", "utf-8");
	buf_release(&tar);
	buf_release(&name);
}

static void modification_times_are_kept(void **state)
{
	struct buf tar = BUF_INIT;
	cleanup_free char *path = out_path(state, "a");
	struct stat st;
	struct err err;

	tar_file(&tar, "a", "text");
	tar_end(&tar);
	assert_works(unpack(state, buf_str(&tar), &generous, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mtime, 1700000000);
	buf_release(&tar);
}

/* TAR-007 */
static void modes_are_masked_and_attributes_dropped(void **state)
{
	struct buf tar = BUF_INIT;
	struct err err;

	tar_header(&tar, '0', STR("setuid"), 0, 06755, NULL);
	tar_header(&tar, '0', STR("open"), 0, 0666, NULL);
	tar_header(&tar, '0', STR("closed"), 0, 0, NULL);
	tar_header(&tar, '5', STR("dir/"), 0, 01777, NULL);
	tar_header(&tar, '5', STR("shut/"), 0, 0, NULL);
	tar_file(&tar, "shut/a", "text");
	tar_pax(&tar, 'x', "SCHILY.xattr.user.x", STR("value"));
	tar_file(&tar, "xattr", "text");
	tar_end(&tar);
	assert_works(unpack(state, buf_str(&tar), &generous, &err));
	assert_int_equal(mode_of(state, "setuid"), S_IFREG | 0755);
	assert_int_equal(mode_of(state, "open"), S_IFREG | 0644);
	assert_int_equal(mode_of(state, "closed"), S_IFREG | 0644);
	assert_int_equal(mode_of(state, "dir"), S_IFDIR | 0755);
	assert_int_equal(mode_of(state, "shut"), S_IFDIR | 0755);
	cleanup_free char *path = out_path(state, "xattr");
	assert_true(listxattr(path, NULL, 0) <= 0);
	buf_release(&tar);
}

/* ---- ceilings ---- */

static void assert_too_large(void **state, struct str tar, const char *filter,
			     const struct unpack_opts *opts)
{
	struct buf packed = BUF_INIT;
	struct err err;

	tar_compress(&packed, tar, filter);
	assert_fails(unpack(state, buf_str(&packed), opts, &err), "tar_too_large");
	buf_release(&packed);
}

static void put_zeros(struct buf *tar, const char *name, size_t size)
{
	char *zeros = xcalloc(1, size);

	tar_header(tar, '0', str_from(name), size, 0644, NULL);
	tar_data(tar, (struct str){ zeros, size });
	free(zeros);
}

/* TAR-009, made smaller: 32 MiB of zeros are 32 KiB as gzip and 3 KiB as zstd. */
static void a_bomb_is_stopped(void **state)
{
	struct unpack_opts small = generous;
	struct buf tar = BUF_INIT, once = BUF_INIT;

	small.expanded_bytes = 16 << 20;
	small.ratio = 1000000;
	put_zeros(&tar, "zeros", 32 << 20);
	tar_end(&tar);
	assert_too_large(state, buf_str(&tar), "gzip", &generous);
	assert_too_large(state, buf_str(&tar), "zstd", &generous);
	assert_too_large(state, buf_str(&tar), "gzip", &small);

	/* Compressed twice is no archive. */
	struct err err;
	struct buf twice = BUF_INIT;
	tar_compress(&once, buf_str(&tar), "gzip");
	tar_compress(&twice, buf_str(&once), "gzip");
	assert_fails(unpack(state, buf_str(&twice), &generous, &err), "tar_bad");
	buf_release(&twice);
	buf_release(&once);
	buf_release(&tar);
}

static void headers_count_as_expanded(void **state)
{
	struct unpack_opts small = generous;
	struct buf tar = BUF_INIT;

	small.expanded_bytes = 1 << 20;
	small.entries = 1000000;
	for (int i = 0; i < 4000; i++)
		tar_folder(&tar, "same");
	tar_end(&tar);
	assert_too_large(state, buf_str(&tar), "gzip", &small);
	buf_release(&tar);
}

static void bytes_behind_the_end_count_too(void **state)
{
	struct buf tar = BUF_INIT;
	char *zeros = xcalloc(1, 32 << 20);

	tar_file(&tar, "a", "x");
	tar_end(&tar);
	buf_add(&tar, zeros, 32 << 20);
	free(zeros);
	assert_too_large(state, buf_str(&tar), "gzip", &generous);
	buf_release(&tar);
}

static void a_small_archive_may_compress_well(void **state)
{
	struct buf tar = BUF_INIT, packed = BUF_INIT;
	struct err err;

	put_zeros(&tar, "zeros", 512 << 10);
	tar_end(&tar);
	tar_compress(&packed, buf_str(&tar), "zstd");
	assert_works(unpack(state, buf_str(&packed), &generous, &err));
	buf_release(&packed);
	buf_release(&tar);
}

/* A frame that wants a window of 128 MiB, whatever it holds. */
static void a_zstd_window_is_capped(void **state)
{
	static const unsigned char frame[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00
	};
	struct err err;

	assert_fails(unpack(state, (struct str){ (const char *)frame, sizeof frame }, &generous,
			    &err),
		     "tar_too_large");
}

/* TAR-010 */
static void too_many_entries_are_refused(void **state)
{
	struct unpack_opts few = generous;
	struct buf tar = BUF_INIT;
	struct err err;

	few.entries = 10;
	for (int i = 0; i < 11; i++) {
		char *name = xasprintf("f%d", i);
		tar_file(&tar, name, "");
		free(name);
	}
	tar_end(&tar);
	assert_fails(unpack(state, buf_str(&tar), &few, &err), "tar_too_many");
	few.entries = 11;
	assert_works(unpack(state, buf_str(&tar), &few, &err));
	buf_clear(&tar);
	tar_file(&tar, "1/2/3/4/5/6/7/8/9/10/11/x", ""); /* folders count as well */
	tar_end(&tar);
	assert_fails(unpack(state, buf_str(&tar), &few, &err), "tar_too_many");
	buf_release(&tar);
}

static int stop(void *data, struct err *err)
{
	int *left = data;
	return (*left)-- > 0 ? 0 : err_set(err, ERR_CANCELED, "canceled", "asked to stop");
}

static void it_can_be_stopped(void **state)
{
	int left = 2;
	struct unpack_opts opts = generous;
	struct buf tar = BUF_INIT;
	struct err err;

	opts.may_go_on = stop;
	opts.data = &left;
	for (int i = 0; i < 5; i++)
		tar_file(&tar, "a", "text");
	tar_end(&tar);
	assert_fails(unpack(state, buf_str(&tar), &opts, &err), "canceled");
	buf_release(&tar);
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(plain_gzip_and_zstd_are_taken),
		test(the_habits_of_azs_client_are_taken),
		test(what_gnu_tar_writes_is_taken),
		test(modification_times_are_kept),
		test(modes_are_masked_and_attributes_dropped),
		test(a_bomb_is_stopped),
		test(headers_count_as_expanded),
		test(bytes_behind_the_end_count_too),
		test(a_small_archive_may_compress_well),
		test(a_zstd_window_is_capped),
		test(too_many_entries_are_refused),
		test(it_can_be_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
