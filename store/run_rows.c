#include "store/run_rows.h"

#include "common/json.h"
#include "common/scope.h"
#include "store/run_columns.h"

/* The schema's partial indexes have these numbers in their conditions. */
_Static_assert(RUN_QUEUED == 0 && RUN_STARTED == 1 && RUN_RUNNING == 2 && RUN_SUCCEEDED == 3,
	       "stored statuses may not be renumbered");

/* ---- into a row ---- */

static void bind_source(struct stmt *s, const struct source_event *source)
{
	stmt_bind_text(s, source->id);
	stmt_bind_text(s, source->event_type);
	stmt_bind_text(s, source->commit_id);
	stmt_bind_text(s, source->repository_url);
	stmt_bind_text(s, source->branch);
	stmt_bind_text(s, source->provider);
}

void run_draft_init(struct run_draft *draft, struct run *run)
{
	cleanup_json json_t *build = build_to_json(&run->build, false);

	*draft = (struct run_draft){
		.run = *run,
		.request = json_text(build),
		.platform = platform_text(&run->build.platform),
	};
	*run = (struct run){ 0 };
}

void run_draft_release(struct run_draft *draft)
{
	run_release(&draft->run);
	free(draft->request);
	free(draft->platform);
}

int run_insert(struct store_db *db, struct run_draft *draft, struct str sealed, struct err *err)
{
	struct run *run = &draft->run;
	struct stmt *s = stmt_get(
		db,
		"INSERT INTO run (order_key, ready, id, registry, status, type, archived,"
		" create_ms, updated_ms, task, platform, reason, source_id, source_event,"
		" source_commit, source_repository, source_branch, source_provider, request, sealed)"
		" VALUES (?1, NOT EXISTS (SELECT 1 FROM run WHERE order_key = ?1 AND status < 3"
		" AND order_key IS NOT NULL), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	stmt_bind_text(s, run->order_key);
	stmt_bind_text(s, run->id);
	stmt_bind_text(s, run->registry);
	stmt_bind_int(s, run->status);
	stmt_bind_int(s, run->type);
	stmt_bind_int(s, run->archive_enabled);
	stmt_bind_int(s, run->create_ms);
	stmt_bind_int(s, run->updated_ms);
	stmt_bind_text(s, run->task);
	stmt_bind_text(s, draft->platform);
	stmt_bind_text(s, run->reason);
	bind_source(s, &run->source);
	stmt_bind_text(s, draft->request);
	stmt_bind_blob(s, sealed);
	return stmt_run_insert(s, &run->seq, err);
}

/* ---- out of a row ---- */

static void read_source(struct source_event *source, struct stmt *s)
{
	source->id = stmt_text(s);
	source->event_type = stmt_text(s);
	source->commit_id = stmt_text(s);
	source->repository_url = stmt_text(s);
	source->branch = stmt_text(s);
	source->provider = stmt_text(s);
}

/* Every row of a listing comes by here: jansson alone takes half the time of json_read(), whose
 * guards against strangers' text our own does not need. */
static int read_progress(struct run *run, struct str text)
{
	cleanup_json json_t *progress = NULL;

	if (text.len == 0)
		return 0;
	progress = json_loadb(text.ptr, text.len, 0, NULL);
	return progress ? run_progress_from_json(run, progress) : -1;
}

static int read_build(struct run *run, struct str text, enum run_part part, struct err *err)
{
	cleanup_json json_t *request = NULL;

	if (part == RUN_PLATFORM)
		return text.len ? platform_parse(&run->build.platform, text, err) : 0;
	if (json_read(&request, text, NULL, err) < 0)
		return -1;
	return build_from_json(&run->build, request, "request", err);
}

static void read_plain(struct run *run, struct stmt *s)
{
	run->seq = stmt_int(s);
	run->id = stmt_text(s);
	run->registry = stmt_text(s);
	run->status = (enum run_status)stmt_int(s);
	run->type = (enum run_type)stmt_int(s);
	run->attempt = (int)stmt_int(s);
	run->cancel_requested = stmt_int(s) != 0;
	run->archive_enabled = stmt_int(s) != 0;
	run->create_ms = stmt_int(s);
	run->start_ms = stmt_int(s);
	run->finish_ms = stmt_int(s);
	run->updated_ms = stmt_int(s);
	run->task = stmt_text(s);
	run->order_key = stmt_text(s);
	run->reason = stmt_text(s);
	run->error_code = stmt_text(s);
	run->error_message = stmt_text(s);
	run->commit = stmt_text(s);
	run->superseded_by = stmt_text(s);
	read_source(&run->source, s);
}

int run_read(struct run *out, struct stmt *s, enum run_part part, struct err *err)
{
	struct run run = { 0 };
	struct err why = { .msg = "steps or images" };

	read_plain(&run, s);
	if ((int)run.status >= RUN_STATUSES || read_progress(&run, stmt_borrow(s)) < 0 ||
	    read_build(&run, stmt_borrow(s), part, &why) < 0) {
		err_set(err, ERR_INTERNAL, "storage", "the record of run %s is damaged: %s", run.id,
			why.msg);
		run_release(&run);
		return -1;
	}
	*out = run;
	return 0;
}

static int find(struct stmt *s, struct run *out, struct err *err)
{
	int rc = stmt_step(s, err);

	if (rc == 1 && run_read(out, s, RUN_BUILD, err) < 0)
		rc = -1;
	stmt_end(s);
	return rc;
}

int run_find(struct store_db *db, const char *registry, const char *id, struct run *out,
	     struct err *err)
{
	struct stmt *s;

	if (!registry) {
		s = stmt_get(db, "SELECT " RUN_COLUMNS ", request FROM run WHERE id = ?");
		stmt_bind_text(s, id);
	} else {
		s = stmt_get(db, "SELECT " RUN_COLUMNS
				 ", request FROM run WHERE id = ? AND registry = ?");
		stmt_bind_text(s, id);
		stmt_bind_text(s, registry);
	}
	return find(s, out, err);
}

int run_read_sealed(struct store_db *db, int64_t seq, struct buf *out, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT sealed FROM run WHERE seq = ?");

	stmt_bind_int(s, seq);
	int rc = stmt_step(s, err);
	if (rc == 1)
		buf_addstr(out, stmt_borrow(s));
	stmt_end(s);
	return rc;
}
