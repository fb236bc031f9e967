#include "store/ref_event_rows.h"

#include "store/stmt.h"

static void bind_key(struct stmt *s, const struct ref_key *key)
{
	stmt_bind_text(s, key->registry);
	stmt_bind_text(s, key->task);
	stmt_bind_text(s, key->repository);
	stmt_bind_text(s, key->ref);
}

/*
 * A provider that does not say one of these says "" for all its events alike. The kind, not the
 * provider's word: that a pull request was opened and then made ready is one commit to build.
 */
static void bind_event(struct stmt *s, const struct event *event)
{
	const char *kind = event->kind == EVENT_PULL_REQUEST ? "pull_request" : "push";

	stmt_bind_str(s, str_from(event->before));
	stmt_bind_str(s, str_from(event->after));
	stmt_bind_str(s, str_from(kind));
}

int ref_event_find_repeated(struct store_db *db, const struct ref_key *key,
			    const struct event *event, char **run_id, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT run_id FROM ref_event"
				      " WHERE registry = ? AND task = ? AND repository = ?"
				      " AND ref = ? AND before = ? AND after = ? AND event = ?");
	bind_key(s, key);
	bind_event(s, event);
	int rc = stmt_step(s, err);
	if (rc == 1)
		*run_id = stmt_text(s);
	stmt_end(s);
	return rc;
}

int ref_event_put(struct store_db *db, const struct ref_key *key, const struct event *event,
		  const char *run_id, struct err *err)
{
	struct stmt *s =
		stmt_get(db, "INSERT OR REPLACE INTO ref_event (registry, task, repository,"
			     " ref, before, after, event, run_id)"
			     " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	bind_key(s, key);
	bind_event(s, event);
	stmt_bind_text(s, run_id);
	return stmt_run(s, err);
}

int ref_event_renew(struct store_db *db, const struct ref_key *key, const struct event *event,
		    const char *run_id, struct err *err)
{
	struct stmt *s = stmt_get(
		db, "INSERT INTO ref_event (registry, task, repository, ref, before, after, event,"
		    " run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET run_id = excluded.run_id"
		    " WHERE before = excluded.before AND after = excluded.after"
		    " AND event = excluded.event");
	bind_key(s, key);
	bind_event(s, event);
	stmt_bind_text(s, run_id);
	return stmt_run(s, err);
}

int ref_event_remove(struct store_db *db, const struct ref_key *key, struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM ref_event WHERE registry = ? AND task = ?"
				      " AND repository = ? AND ref = ?");
	bind_key(s, key);
	return stmt_run(s, err);
}

int ref_event_forget_run(struct store_db *db, const char *registry, const char *task,
			 const char *run_id, struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM ref_event"
				      " WHERE registry = ? AND task = ? AND run_id = ?");
	stmt_bind_text(s, registry);
	stmt_bind_text(s, task);
	stmt_bind_text(s, run_id);
	return stmt_run(s, err);
}

int ref_event_forget_task(struct store_db *db, const char *registry, const char *task,
			  struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM ref_event WHERE registry = ? AND task = ?");

	stmt_bind_text(s, registry);
	stmt_bind_text(s, task);
	return stmt_run(s, err);
}
