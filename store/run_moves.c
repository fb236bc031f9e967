#include "store/run_moves.h"

#include "common/json.h"
#include "common/scope.h"
#include "store/ref_event_rows.h"
#include "store/stmt.h"

/* ---- records ---- */

/* Steps and images as JSON; NULL when there is nothing yet. */
static char *progress_text(const struct run *run)
{
	if (run->steps_len == 0 && run->images_len == 0)
		return NULL;
	cleanup_json json_t *progress = run_progress_to_json(run);
	return json_text(progress);
}

/* What contains(OutputImageManifests, …) looks into: "repository@digest", a line each. */
static char *manifests_text(const struct run *run)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < run->images_len; i++) {
		const struct image *image = &run->images[i];
		if (image->digest)
			buf_addf(&text, "%s%s@%s", text.len ? "\n" : "", image->repository,
				 image->digest);
	}
	return text.len ? buf_detach(&text) : NULL;
}

void run_record_init(struct run_record *record, const struct run *run)
{
	*record = (struct run_record){
		.status = run->status,
		.error_code = xstrdup(run->error_code),
		.error_message = xstrdup(run->error_message),
		.commit = xstrdup(run->commit),
		.progress = progress_text(run),
		.manifests = manifests_text(run),
	};
}

void run_record_release(struct run_record *record)
{
	free(record->error_code);
	free(record->error_message);
	free(record->commit);
	free(record->progress);
	free(record->manifests);
	*record = (struct run_record){ 0 };
}

/* ---- looking ---- */

#define STATE_COLUMNS                                                                              \
	"seq, id, status, attempt, cancel_requested, output_images IS NOT NULL, order_key"

void run_state_release(struct run_state *state)
{
	free(state->order_key);
	*state = (struct run_state){ 0 };
}

static int find_state(struct stmt *s, struct run_state *out, struct err *err)
{
	int rc = stmt_step(s, err);

	if (rc == 1) {
		*out = (struct run_state){ .seq = stmt_int(s) };
		struct str id = stmt_borrow(s);
		snprintf(out->id, sizeof out->id, STR_FMT, STR_ARG(id));
		out->status = (enum run_status)stmt_int(s);
		out->attempt = (int)stmt_int(s);
		out->cancel_requested = stmt_int(s) != 0;
		out->has_images = stmt_int(s) != 0;
		out->order_key = stmt_text(s);
	}
	stmt_end(s);
	return rc;
}

int run_state_find(struct store_db *db, const char *registry, const char *id, struct run_state *out,
		   struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " STATE_COLUMNS " FROM run"
				      " WHERE id = ?1 AND (?2 IS NULL OR registry = ?2)");
	stmt_bind_text(s, id);
	stmt_bind_text(s, registry);
	return find_state(s, out, err);
}

int run_state_next_ready(struct store_db *db, struct run_state *out, struct err *err)
{
	return find_state(stmt_get(db, "SELECT " STATE_COLUMNS " FROM run"
				       " WHERE status = 0 AND ready = 1 ORDER BY seq LIMIT 1"),
			  out, err);
}

/* ---- moving ---- */

/* The end of every UPDATE: the row must still be as it was looked at. */
#define AS_IT_WAS " WHERE seq = ? AND status = ? AND attempt = ?"

static int move(struct stmt *s, const struct run_state *from, struct err *err)
{
	int changes = 0;

	stmt_bind_int(s, from->seq);
	stmt_bind_int(s, from->status);
	stmt_bind_int(s, from->attempt);
	return stmt_run_changes(s, &changes, err) < 0 ? -1 : changes;
}

/* As move(); a run that has ended lets the next one of its order_key go. */
static int move_to_end(struct store_db *db, struct stmt *s, const struct run_state *from,
		       struct err *err)
{
	int moved = move(s, from, err);

	if (moved != 1 || !from->order_key)
		return moved;
	s = stmt_get(db, "UPDATE run SET ready = 1 WHERE ready = 0 AND seq ="
			 " (SELECT seq FROM run WHERE order_key = ? AND status < 3"
			 "  AND order_key IS NOT NULL ORDER BY seq LIMIT 1)");
	stmt_bind_text(s, from->order_key);
	return stmt_run(s, err) < 0 ? -1 : 1;
}

int run_move_claim(struct store_db *db, const struct run_state *from, int64_t now_ms,
		   struct err *err)
{
	struct stmt *s =
		stmt_get(db, "UPDATE run SET status = 1, attempt = attempt + 1,"
			     " start_ms = ?, updated_ms = ?, error_message = NULL" AS_IT_WAS);
	stmt_bind_time(s, now_ms);
	stmt_bind_int(s, now_ms);
	return move(s, from, err);
}

int run_move_progress(struct store_db *db, const struct run_state *from,
		      const struct run_record *record, int64_t now_ms, struct err *err)
{
	struct stmt *s =
		stmt_get(db, "UPDATE run SET status = 2, updated_ms = ?, progress = ?,"
			     " output_images = ?, commit_id = coalesce(?, commit_id)" AS_IT_WAS);
	stmt_bind_int(s, now_ms);
	stmt_bind_text(s, record->progress);
	stmt_bind_text(s, record->manifests);
	stmt_bind_text(s, record->commit);
	return move(s, from, err);
}

int run_move_finish(struct store_db *db, const struct run_state *from,
		    const struct run_record *record, int64_t now_ms, struct err *err)
{
	struct stmt *s = stmt_get(db, "UPDATE run SET status = ?, finish_ms = ?, updated_ms = ?,"
				      " error_code = ?, error_message = ?, progress = ?,"
				      " output_images = ?, commit_id = coalesce(?, commit_id),"
				      " sealed = NULL" AS_IT_WAS);
	stmt_bind_int(s, record->status);
	stmt_bind_time(s, now_ms);
	stmt_bind_int(s, now_ms);
	stmt_bind_text(s, record->error_code);
	stmt_bind_text(s, record->error_message);
	stmt_bind_text(s, record->progress);
	stmt_bind_text(s, record->manifests);
	stmt_bind_text(s, record->commit);
	return move_to_end(db, s, from, err);
}

int run_move_requeue(struct store_db *db, const struct run_state *from, const char *why,
		     int64_t now_ms, struct err *err)
{
	struct stmt *s = stmt_get(db, "UPDATE run SET status = 0, start_ms = NULL, updated_ms = ?,"
				      " error_message = ?, progress = NULL, output_images = NULL,"
				      " commit_id = NULL" AS_IT_WAS);
	stmt_bind_int(s, now_ms);
	stmt_bind_text(s, why);
	return move(s, from, err);
}

int run_move_end(struct store_db *db, const struct run_state *from, enum run_status status,
		 const char *error_code, const char *error_message, int64_t now_ms, struct err *err)
{
	struct stmt *s = stmt_get(db, "UPDATE run SET status = ?1, finish_ms = ?2, updated_ms = ?2,"
				      " error_code = ?3, error_message = ?4, sealed = NULL,"
				      " cancel_requested = cancel_requested OR ?1 = 5"
				      " WHERE seq = ?5 AND status = ?6 AND attempt = ?7");
	_Static_assert(RUN_CANCELED == 5, "the statement above names it");
	stmt_bind_int(s, status);
	stmt_bind_int(s, now_ms);
	stmt_bind_text(s, error_code);
	stmt_bind_text(s, error_message);
	return move_to_end(db, s, from, err);
}

int run_move_ask_cancel(struct store_db *db, const struct run_state *from, int64_t now_ms,
			struct err *err)
{
	struct stmt *s =
		stmt_get(db, "UPDATE run SET cancel_requested = 1, updated_ms = ?" AS_IT_WAS);

	stmt_bind_int(s, now_ms);
	return move(s, from, err);
}

int run_set_archived(struct store_db *db, const char *registry, const char *id, bool archived,
		     int64_t now_ms, struct err *err)
{
	struct stmt *s = stmt_get(db, "UPDATE run SET archived = ?, updated_ms = ?"
				      " WHERE id = ? AND registry = ?");
	int changes = 0;

	stmt_bind_int(s, archived);
	stmt_bind_int(s, now_ms);
	stmt_bind_text(s, id);
	stmt_bind_text(s, registry);
	return stmt_run_changes(s, &changes, err) < 0 ? -1 : changes;
}

/* ---- forgetting ---- */

struct forgotten {
	int64_t seq;
	char *registry, *task, *id;
};

static int find_forgettable(struct store_db *db, int64_t before_ms, size_t top,
			    struct forgotten *out, size_t *len, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT seq, registry, task, id FROM run"
				      " WHERE status >= 3 AND archived = 0 AND finish_ms < ?"
				      " ORDER BY finish_ms LIMIT ?");
	int rc;

	stmt_bind_int(s, before_ms);
	stmt_bind_int(s, (int64_t)top);
	while ((rc = stmt_step(s, err)) == 1) {
		struct forgotten *f = &out[(*len)++];
		f->seq = stmt_int(s);
		f->registry = stmt_text(s);
		f->task = stmt_text(s);
		f->id = stmt_text(s);
	}
	stmt_end(s);
	return rc;
}

static int forget_one(struct store_db *db, const struct forgotten *f, struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM run WHERE seq = ?");

	stmt_bind_int(s, f->seq);
	if (stmt_run(s, err) < 0)
		return -1;
	return f->task ? ref_event_forget_run(db, f->registry, f->task, f->id, err) : 0;
}

int run_forget(struct store_db *db, int64_t before_ms, size_t top, struct strvec *ids,
	       struct err *err)
{
	struct forgotten *found = xcalloc(top, sizeof *found);
	size_t len = 0;
	int rc = find_forgettable(db, before_ms, top, found, &len, err);

	for (size_t i = 0; i < len; i++) {
		if (rc == 0)
			rc = forget_one(db, &found[i], err);
		strvec_push_take(ids, found[i].id);
		free(found[i].registry);
		free(found[i].task);
	}
	free(found);
	return rc;
}
