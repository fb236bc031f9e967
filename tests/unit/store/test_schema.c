/* Which files this program opens, which it leaves alone, and that leaving alone means every byte.
 */
#include <sqlite3.h>
#include <uv.h>

#include "tests/unit/folder.h"

#include "common/scope.h"
#include "store/store.h"

static int open_and_close(const char *path, struct err *err)
{
	uv_loop_t loop;
	struct store *store;

	uv_loop_init(&loop);
	int rc = store_open(&store, &loop, path, err);
	if (rc == 0)
		store_close(store, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return rc;
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static int number(const char *path, const char *sql)
{
	sqlite3 *sqlite;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int value = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(sqlite);
	return value;
}

static struct buf bytes_of(const char *path)
{
	struct buf bytes = BUF_INIT;
	struct err err;

	assert_works(fs_read(&bytes, path, &err));
	return bytes;
}

static void assert_same_bytes(const char *path, const struct buf *before)
{
	cleanup_buf struct buf after = bytes_of(path);

	assert_int_equal(after.len, before->len);
	assert_memory_equal(after.ptr, before->ptr, before->len);
}

static void new_file_gets_the_whole_schema(void **state)
{
	cleanup_free char *path = folder_path(state, "new.db");
	struct err err;

	assert_works(open_and_close(path, &err));
	assert_true(number(path, "PRAGMA user_version") >= 1);
	assert_int_equal(number(path, "PRAGMA application_id"), 0x736c7077);
	assert_int_equal(number(path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
				      " AND name IN ('run', 'delivery', 'task', 'registry',"
				      " 'ref_event')"),
			 5);
}

static void empty_file_is_a_new_one(void **state)
{
	cleanup_free char *path = folder_file(state, "empty.db", "", 0600);
	struct err err;

	assert_works(open_and_close(path, &err));
	assert_true(number(path, "PRAGMA user_version") >= 1);
}

static void opening_again_keeps_what_is_there(void **state)
{
	cleanup_free char *path = folder_path(state, "a.db");
	struct err err;

	assert_works(open_and_close(path, &err));
	run_sql(path, "INSERT INTO registry (name, letters) VALUES ('main', 'ca')");
	int version = number(path, "PRAGMA user_version");
	assert_works(open_and_close(path, &err));
	assert_int_equal(number(path, "SELECT count(*) FROM registry"), 1);
	assert_int_equal(number(path, "PRAGMA user_version"), version);
}

static void newer_schema_is_refused_and_untouched(void **state)
{
	cleanup_free char *path = folder_path(state, "newer.db");
	struct err err;

	assert_works(open_and_close(path, &err));
	run_sql(path, "CREATE TABLE of_tomorrow (a); PRAGMA user_version = 9999");
	cleanup_buf struct buf before = bytes_of(path);

	assert_fails(open_and_close(path, &err), "storage_newer");
	assert_has(err.msg, "9999");
	assert_same_bytes(path, &before);
}

static int copy_file(const char *from, const char *to)
{
	struct err err;

	if (!fs_exists(from))
		return 0;
	cleanup_buf struct buf bytes = bytes_of(from);
	assert_works(fs_write_atomic(to, buf_str(&bytes), 0600, &err));
	return 1;
}

/* As a newer server leaves it that was killed: the newest of it is still in the log. */
static void newer_schema_with_a_log_is_refused_and_untouched(void **state)
{
	cleanup_free char *origin = folder_path(state, "origin.db");
	cleanup_free char *origin_wal = folder_path(state, "origin.db-wal");
	cleanup_free char *path = folder_path(state, "killed.db");
	cleanup_free char *path_wal = folder_path(state, "killed.db-wal");
	struct err err;
	sqlite3 *newer;

	assert_works(open_and_close(origin, &err));
	assert_int_equal(sqlite3_open(origin, &newer), SQLITE_OK);
	assert_int_equal(sqlite3_exec(newer,
				      "CREATE TABLE of_tomorrow (a); PRAGMA user_version = 9999",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(copy_file(origin, path), 1);
	assert_int_equal(copy_file(origin_wal, path_wal), 1);
	sqlite3_close(newer);
	cleanup_buf struct buf before = bytes_of(path), log_before = bytes_of(path_wal);

	assert_fails(open_and_close(path, &err), "storage_newer");
	assert_same_bytes(path, &before);
	assert_same_bytes(path_wal, &log_before);
}

static void database_of_another_program_is_refused(void **state)
{
	cleanup_free char *path = folder_path(state, "other.db");
	struct err err;

	run_sql(path, "CREATE TABLE bookmarks (url)");
	cleanup_buf struct buf before = bytes_of(path);
	assert_fails(open_and_close(path, &err), "storage");
	assert_has(err.msg, "another program");
	assert_same_bytes(path, &before);
}

static void file_that_is_no_database_is_refused(void **state)
{
	cleanup_free char *text = xasprintf("%0*d and so on", 5000, 1);
	cleanup_free char *path = folder_file(state, "text.db", text, 0600);
	struct err err;

	cleanup_buf struct buf before = bytes_of(path);
	assert_fails(open_and_close(path, &err), "storage");
	assert_same_bytes(path, &before);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(new_file_gets_the_whole_schema),
		T(empty_file_is_a_new_one),
		T(opening_again_keeps_what_is_there),
		T(newer_schema_is_refused_and_untouched),
		T(newer_schema_with_a_log_is_refused_and_untouched),
		T(database_of_another_program_is_refused),
		T(file_that_is_no_database_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
