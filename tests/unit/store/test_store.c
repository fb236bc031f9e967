/* The lanes: order, groups, savepoints, closing, and who may open the file. */
#include <sys/stat.h>
#include <uv.h>

#include "tests/unit/folder.h"
#include "tests/unit/store/faults.h"

#include "common/scope.h"
#include "store/db.h"

struct desk {
	uv_loop_t loop;
	char *path;
	struct store *store;
	int waiting, returned, closed;
};

struct ask {
	struct store_req req; /* first */
	struct desk *desk;
	const char *name; /* of the registry to be added, or to be looked for */
	bool fails;
	bool found;
	int order; /* which return it was */
};

static void open_desk(struct desk *d)
{
	struct err err;
	assert_works(store_open(&d->store, &d->loop, d->path, &err));
}

static int setup(void **state)
{
	struct desk *d = xnew(struct desk);
	void *folder = NULL;

	faults_install();
	if (folder_setup(&folder) < 0)
		return -1;
	d->path = fs_join(folder, "test.db");
	free(folder);
	uv_loop_init(&d->loop);
	*state = d;
	open_desk(d);
	return 0;
}

static void on_closed(void *data)
{
	((struct desk *)data)->closed++;
}

static void close_desk(struct desk *d)
{
	store_close(d->store, on_closed, d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->closed, 1);
	d->closed = 0;
	d->store = NULL;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	faults_clear();
	if (d->store)
		close_desk(d);
	assert_int_equal(uv_loop_close(&d->loop), 0);
	*strrchr(d->path, '/') = '\0';
	void *folder = d->path;
	free(d);
	int rc = folder_teardown(&folder);
	faults_uninstall();
	return rc;
}

/* ---- requests ---- */

static int add_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct ask *a = (struct ask *)req;
	struct stmt *s = stmt_get(db, "INSERT INTO registry (name, letters) VALUES (?1, ?1)");

	stmt_bind_text(s, a->name);
	if (stmt_run(s, err) < 0)
		return -1;
	return a->fails ? err_set(err, ERR_INVALID, "on_purpose", "as asked") : 0;
}

static int find_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct ask *a = (struct ask *)req;
	struct stmt *s = stmt_get(db, "SELECT 1 FROM registry WHERE name = ?");

	stmt_bind_text(s, a->name);
	int rc = stmt_step(s, err);
	stmt_end(s);
	a->found = rc == 1;
	return rc < 0 ? -1 : 0;
}

static void on_done(struct store_req *req)
{
	struct ask *a = (struct ask *)req;

	a->order = ++a->desk->returned;
	a->desk->waiting--;
}

static void add(struct desk *d, struct ask *a, const char *name, bool fails)
{
	*a = (struct ask){ .req = { .work = add_work, .done = on_done },
			   .desk = d,
			   .name = name,
			   .fails = fails };
	d->waiting++;
	store_write(d->store, &a->req);
}

static bool find(struct desk *d, const char *name)
{
	struct ask a = { .req = { .work = find_work, .done = on_done }, .desk = d, .name = name };

	d->waiting++;
	store_read(d->store, &a.req);
	while (d->waiting)
		uv_run(&d->loop, UV_RUN_ONCE);
	assert_int_equal(a.req.rc, 0);
	return a.found;
}

static void wait_for_all(struct desk *d)
{
	while (d->waiting)
		uv_run(&d->loop, UV_RUN_ONCE);
}

/* ---- tests ---- */

static void requests_come_back_in_their_order(void **state)
{
	struct desk *d = *state;
	struct ask asks[300];
	char names[300][12];

	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		add(d, &asks[i], names[i], false);
	}
	wait_for_all(d);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(asks[i].req.rc, 0);
		assert_int_equal(asks[i].order, i + 1);
	}
}

static void what_waits_together_is_committed_together(void **state)
{
	struct desk *d = *state;
	struct ask asks[200];
	char names[200][12];
	int syncs = faults_syncs();

	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		add(d, &asks[i], names[i], false);
	}
	wait_for_all(d);
	assert_in_range(faults_syncs() - syncs, 1, 20);
}

static void one_failure_undoes_only_its_own_request(void **state)
{
	struct desk *d = *state;
	struct ask asks[3];

	add(d, &asks[0], "a", false);
	add(d, &asks[1], "b", true);
	add(d, &asks[2], "c", false);
	wait_for_all(d);

	assert_int_equal(asks[0].req.rc, 0);
	assert_int_equal(asks[1].req.rc, -1);
	assert_string_equal(asks[1].req.err.word, "on_purpose");
	assert_int_equal(asks[2].req.rc, 0);
	assert_true(find(d, "a"));
	assert_false(find(d, "b"));
	assert_true(find(d, "c"));
}

static void unexpected_constraint_fails_only_its_own_request(void **state)
{
	struct desk *d = *state;
	struct ask asks[3];

	add(d, &asks[0], "a", false);
	add(d, &asks[1], "a", false);
	add(d, &asks[2], "b", false);
	wait_for_all(d);

	assert_int_equal(asks[1].req.rc, -1);
	assert_string_equal(asks[1].req.err.word, "storage");
	assert_int_equal(asks[2].req.rc, 0);
	assert_true(find(d, "b"));
}

static void closing_finishes_what_was_submitted(void **state)
{
	struct desk *d = *state;
	struct ask asks[100];
	char names[100][12];

	for (int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		add(d, &asks[i], names[i], false);
	}
	close_desk(d);
	assert_int_equal(d->waiting, 0);
	open_desk(d);
	assert_true(find(d, "n99"));
}

static void request_after_closing_is_refused_through_done(void **state)
{
	struct desk *d = *state;
	struct ask early, late;

	add(d, &early, "early", false);
	store_close(d->store, on_closed, d);
	add(d, &late, "late", false);
	assert_int_equal(d->returned, 0); /* not before store_write() has returned */
	uv_run(&d->loop, UV_RUN_DEFAULT);

	assert_int_equal(early.req.rc, 0);
	assert_int_equal(late.req.rc, -1);
	assert_int_equal(late.req.err.code, ERR_UNAVAILABLE);
	assert_int_equal(d->closed, 1);
	d->closed = 0;
	open_desk(d);
	assert_false(find(d, "late"));
}

static void second_server_is_refused(void **state)
{
	struct desk *d = *state;
	struct store *second;
	struct ask a;
	struct err err;

	assert_fails(store_open(&second, &d->loop, d->path, &err), "config_locked");
	assert_int_equal(err.code, ERR_CONFLICT);
	add(d, &a, "a", false);
	wait_for_all(d);
	assert_int_equal(a.req.rc, 0);
	close_desk(d);
	open_desk(d);
	assert_true(find(d, "a"));
}

static void files_are_for_their_owner_only(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
	struct desk *d = *state;
	struct stat st;

	assert_false(find(d, "a"));
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		cleanup_free char *path = xasprintf("%s%s", d->path, suffixes[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void folder_that_is_not_there_is_said(void **state)
{
	struct desk *d = *state;
	struct store *store;
	struct err err;

	assert_fails(store_open(&store, &d->loop, "/nonexistent/folder/x.db", &err), "storage");
	assert_has(err.msg, "/nonexistent/folder/x.db");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(requests_come_back_in_their_order),
		T(what_waits_together_is_committed_together),
		T(one_failure_undoes_only_its_own_request),
		T(unexpected_constraint_fails_only_its_own_request),
		T(closing_finishes_what_was_submitted),
		T(request_after_closing_is_refused_through_done),
		T(second_server_is_refused),
		T(files_are_for_their_owner_only),
		T(folder_that_is_not_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
