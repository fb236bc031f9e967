#include "store/task_rows.h"

#include "common/json.h"
#include "common/scope.h"
#include "store/ref_event_rows.h"
#include "store/stmt.h"

static int keep_what_was(struct store_db *db, struct task *task, struct err *err)
{
	struct stmt *s =
		stmt_get(db, "SELECT name, created_ms FROM task WHERE registry = ? AND name = ?");

	stmt_bind_text(s, task->registry);
	stmt_bind_text(s, task->name);
	int rc = stmt_step(s, err);
	if (rc == 1) {
		char *name = stmt_text(s);
		task->created_ms = stmt_int(s);
		stmt_end(s); /* before the name that it has bound goes */
		free(task->name);
		task->name = name;
		return 0;
	}
	stmt_end(s);
	return rc;
}

int task_put(struct store_db *db, struct task *task, struct str sealed, struct err *err)
{
	if (keep_what_was(db, task, err) < 0)
		return -1;

	cleanup_json json_t *resource = task_to_json(task, "", false);
	cleanup_free char *text = json_text(resource);
	struct stmt *s = stmt_get(db, "INSERT OR REPLACE INTO task (registry, name, created_ms,"
				      " updated_ms, resource, sealed) VALUES (?, ?, ?, ?, ?, ?)");
	stmt_bind_text(s, task->registry);
	stmt_bind_text(s, task->name);
	stmt_bind_int(s, task->created_ms);
	stmt_bind_int(s, task->updated_ms);
	stmt_bind_text(s, text);
	stmt_bind_blob(s, sealed);
	return stmt_run(s, err);
}

int task_delete(struct store_db *db, const char *registry, const char *name, struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM task WHERE registry = ? AND name = ?");
	int changes = 0;

	stmt_bind_text(s, registry);
	stmt_bind_text(s, name);
	if (stmt_run_changes(s, &changes, err) < 0 ||
	    ref_event_forget_task(db, registry, name, err) < 0)
		return -1;
	return changes;
}

static int read_row(struct task *out, struct stmt *s, struct err *err)
{
	cleanup_free char *registry = stmt_text(s);
	cleanup_free char *name = stmt_text(s);
	int64_t created_ms = stmt_int(s), updated_ms = stmt_int(s);
	cleanup_json json_t *resource = NULL;

	if (json_read(&resource, stmt_borrow(s), NULL, err) < 0 ||
	    task_from_json(out, resource, registry, name, err) < 0)
		return err_wrap(err, "the record of task %s is damaged", name);
	out->created_ms = created_ms;
	out->updated_ms = updated_ms;
	return 0;
}

int task_each(struct store_db *db,
	      int (*each)(struct task *task, struct str sealed, void *data, struct err *err),
	      void *data, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT registry, name, created_ms, updated_ms, resource,"
				      " sealed FROM task ORDER BY registry, name");
	int rc;

	while ((rc = stmt_step(s, err)) == 1) {
		struct task task = { 0 };
		rc = read_row(&task, s, err);
		if (rc == 0)
			rc = each(&task, stmt_borrow(s), data, err);
		task_release(&task);
		if (rc < 0)
			break;
	}
	stmt_end(s);
	return rc;
}
