#include "store/run_list.h"

#include "store/run_columns.h"

void run_list_release(struct run_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		run_release(&list->items[i]);
	free(list->items);
	*list = (struct run_list){ 0 };
}

static int read_all(struct stmt *s, enum run_part part, struct run_list *out, struct err *err)
{
	struct run_list list = { 0 };
	size_t cap = 0;
	int rc;

	while ((rc = stmt_step(s, err)) == 1) {
		if (list.len == cap) {
			cap = cap ? 2 * cap : 16;
			list.items = xreallocarray(list.items, cap, sizeof *list.items);
		}
		rc = run_read(&list.items[list.len], s, part, err);
		if (rc < 0)
			break;
		list.len++;
	}
	stmt_end(s);
	if (rc < 0) {
		run_list_release(&list);
		return -1;
	}
	*out = list;
	return 0;
}

void run_query_init(struct run_query *q, const char *registry, const struct filter *filter)
{
	*q = (struct run_query){ 0 };
	buf_adds(&q->where, "registry = ?");
	run_query_args_text(&q->args, registry);
	if (filter) {
		buf_adds(&q->where, " AND ");
		run_filter_add(&q->where, &q->args, filter);
	}
}

void run_query_release(struct run_query *q)
{
	buf_release(&q->where);
	run_query_args_release(&q->args);
}

int run_query_page(struct store_db *db, const struct run_query *q, int64_t before_seq, size_t top,
		   struct run_list *out, struct err *err)
{
	struct buf sql = BUF_INIT;

	buf_addf(&sql,
		 "SELECT " RUN_COLUMNS ", platform FROM run WHERE %s AND seq < ?"
		 " ORDER BY seq DESC LIMIT ?",
		 q->where.ptr);
	struct stmt *s = stmt_build(db, sql.ptr);
	run_query_args_bind(s, &q->args);
	stmt_bind_int(s, before_seq ? before_seq : INT64_MAX);
	stmt_bind_int(s, (int64_t)top);
	int rc = read_all(s, RUN_PLATFORM, out, err);
	buf_release(&sql);
	return rc;
}

int run_query_unfinished_ids(struct store_db *db, const struct run_query *q, size_t top,
			     struct strvec *ids, struct err *err)
{
	struct buf sql = BUF_INIT;
	int rc;

	buf_addf(&sql, "SELECT id FROM run WHERE status < 3 AND %s ORDER BY seq DESC LIMIT ?",
		 q->where.ptr);
	struct stmt *s = stmt_build(db, sql.ptr);
	run_query_args_bind(s, &q->args);
	stmt_bind_int(s, (int64_t)top);
	while ((rc = stmt_step(s, err)) == 1)
		strvec_push_take(ids, stmt_text(s));
	stmt_end(s);
	buf_release(&sql);
	return rc;
}

/* The few registries come first in each of these, so that run_by_status finds the rest. */

int run_list_claimed(struct store_db *db, struct run_list *out, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " RUN_COLUMNS ", request FROM run WHERE seq IN"
				      " (SELECT seq FROM registry CROSS JOIN run"
				      "  ON run.registry = registry.name AND status IN (1, 2))"
				      " ORDER BY seq");
	return read_all(s, RUN_BUILD, out, err);
}

int run_count_unfinished(struct store_db *db, int64_t counts[RUN_STATUSES], struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT status, count(*) FROM registry CROSS JOIN run"
				      " ON run.registry = registry.name AND status IN (0, 1, 2)"
				      " GROUP BY status");
	int rc;

	while ((rc = stmt_step(s, err)) == 1) {
		int64_t status = stmt_int(s);
		counts[status] = stmt_int(s);
	}
	stmt_end(s);
	return rc;
}

int run_oldest_queued(struct store_db *db, int64_t *create_ms, struct err *err)
{
	struct stmt *s =
		stmt_get(db, "SELECT create_ms FROM run WHERE seq ="
			     " (SELECT min((SELECT seq FROM run WHERE status = 0"
			     "  AND registry = name ORDER BY seq LIMIT 1)) FROM registry)");
	int rc = stmt_step(s, err);

	*create_ms = rc == 1 ? stmt_int(s) : 0;
	stmt_end(s);
	return rc < 0 ? -1 : 0;
}
