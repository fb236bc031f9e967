#include "store/delivery_rows.h"

#include "common/json.h"
#include "common/scope.h"
#include "store/stmt.h"

#define COLUMNS                                                                                    \
	"webhook, delivery_id, body_sha256, received_ms, kind, event, provider, repository, "      \
	"repository_url, ref, before, after, flags, sender, replay_of, events, runs, verdicts"

enum { FLAG_CREATED = 1, FLAG_DELETED = 2, FLAG_FORCED = 4 };

static int flags_of(const struct event *e)
{
	return (e->created ? FLAG_CREATED : 0) | (e->deleted ? FLAG_DELETED : 0) |
	       (e->forced ? FLAG_FORCED : 0);
}

static void bind_event(struct stmt *s, const struct event *e)
{
	stmt_bind_int(s, e->kind);
	stmt_bind_text(s, e->name);
	stmt_bind_text(s, e->provider);
	stmt_bind_text(s, e->repository);
	stmt_bind_text(s, e->repository_url);
	stmt_bind_text(s, e->ref);
	stmt_bind_text(s, e->before);
	stmt_bind_text(s, e->after);
	stmt_bind_int(s, flags_of(e));
	stmt_bind_text(s, e->sender);
}

static char *join_runs(const struct strvec *runs)
{
	struct buf text = BUF_INIT;

	STRVEC_FOREACH (id, runs)
		buf_addf(&text, "%s%s", text.len ? " " : "", *id);
	return text.len ? buf_detach(&text) : NULL;
}

int delivery_insert(struct store_db *db, const struct delivery *d, struct err *err)
{
	cleanup_json json_t *verdicts = delivery_verdicts_to_json(d);
	cleanup_free char *verdicts_text = json_text(verdicts);
	cleanup_json json_t *events = delivery_events_to_json(d);
	cleanup_free char *events_text = events ? json_text(events) : NULL;
	cleanup_free char *runs = join_runs(&d->runs);
	struct stmt *s = stmt_get(db, "INSERT INTO delivery (" COLUMNS ") VALUES"
				      " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	stmt_bind_text(s, d->webhook);
	stmt_bind_text(s, d->delivery_id);
	stmt_bind_blob(s, (struct str){ (const char *)d->body_sha256, SHA256_BYTES });
	stmt_bind_int(s, d->received_ms);
	bind_event(s, &d->event);
	stmt_bind_text(s, d->replay_of);
	stmt_bind_text(s, events_text);
	stmt_bind_text(s, runs);
	stmt_bind_text(s, verdicts_text);
	return stmt_run(s, err);
}

static void read_event(struct event *e, struct stmt *s)
{
	e->kind = (enum event_kind)stmt_int(s);
	e->name = stmt_text(s);
	e->provider = stmt_text(s);
	e->repository = stmt_text(s);
	e->repository_url = stmt_text(s);
	e->ref = stmt_text(s);
	e->before = stmt_text(s);
	e->after = stmt_text(s);
	int64_t flags = stmt_int(s);
	e->created = (flags & FLAG_CREATED) != 0;
	e->deleted = (flags & FLAG_DELETED) != 0;
	e->forced = (flags & FLAG_FORCED) != 0;
	e->sender = stmt_text(s);
}

static void read_runs(struct strvec *runs, struct str text)
{
	struct str id;

	while (text.len && str_split(&text, ' ', &id))
		strvec_push_str(runs, id);
}

static int read_events(struct delivery *d, struct str text, struct err *err)
{
	cleanup_json json_t *events = NULL;

	if (text.len == 0)
		return 0;
	if (json_read(&events, text, NULL, err) < 0 || delivery_events_from_json(d, events) < 0)
		return err_set(err, ERR_INTERNAL, "storage",
			       "the events of delivery %.128s are damaged", d->delivery_id);
	return 0;
}

static int read_verdicts(struct delivery *d, struct str text, struct err *err)
{
	cleanup_json json_t *verdicts = NULL;

	if (json_read(&verdicts, text, NULL, err) < 0 ||
	    delivery_verdicts_from_json(d, verdicts) < 0)
		return err_set(err, ERR_INTERNAL, "storage",
			       "the verdicts of delivery %.128s are damaged", d->delivery_id);
	return 0;
}

static int read_row(struct delivery *out, struct stmt *s, struct err *err)
{
	struct delivery d = { .webhook = stmt_text(s) };

	d.delivery_id = stmt_text(s);
	struct str sha = stmt_borrow(s);
	memcpy(d.body_sha256, sha.ptr, sha.len < SHA256_BYTES ? sha.len : SHA256_BYTES);
	d.received_ms = stmt_int(s);
	read_event(&d.event, s);
	d.replay_of = stmt_text(s);
	int rc = read_events(&d, stmt_borrow(s), err);
	read_runs(&d.runs, stmt_borrow(s));
	if (rc < 0 || read_verdicts(&d, stmt_borrow(s), err) < 0) {
		delivery_release(&d);
		return -1;
	}
	*out = d;
	return 0;
}

static int find(struct stmt *s, struct delivery *out, struct err *err)
{
	int rc = stmt_step(s, err);

	if (rc == 1 && read_row(out, s, err) < 0)
		rc = -1;
	stmt_end(s);
	return rc;
}

int delivery_is_known(struct store_db *db, const struct delivery *d, struct err *err)
{
	struct stmt *s = stmt_get(
		db, "SELECT 1 WHERE"
		    " EXISTS (SELECT 1 FROM delivery WHERE delivery_id = ?2 AND webhook = ?1) OR"
		    " EXISTS (SELECT 1 FROM delivery WHERE body_sha256 = ?3 AND webhook = ?1)");
	stmt_bind_text(s, d->webhook);
	stmt_bind_text(s, d->delivery_id);
	stmt_bind_blob(s, (struct str){ (const char *)d->body_sha256, SHA256_BYTES });
	int rc = stmt_step(s, err);
	stmt_end(s);
	return rc;
}

int delivery_find(struct store_db *db, const char *webhook, const char *delivery_id,
		  struct delivery *out, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " COLUMNS " FROM delivery"
				      " WHERE delivery_id = ? AND webhook = ?");
	stmt_bind_text(s, delivery_id);
	stmt_bind_text(s, webhook);
	return find(s, out, err);
}

int delivery_find_by_body(struct store_db *db, const char *webhook,
			  const unsigned char body_sha256[SHA256_BYTES], struct delivery *out,
			  struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " COLUMNS " FROM delivery"
				      " WHERE body_sha256 = ? AND webhook = ?");
	stmt_bind_blob(s, (struct str){ (const char *)body_sha256, SHA256_BYTES });
	stmt_bind_text(s, webhook);
	return find(s, out, err);
}

void delivery_list_release(struct delivery_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		delivery_release(&list->items[i]);
	free(list->items);
	*list = (struct delivery_list){ 0 };
}

static int read_all(struct stmt *s, struct delivery_list *out, struct err *err)
{
	struct delivery_list list = { 0 };
	int rc;

	while ((rc = stmt_step(s, err)) == 1) {
		list.items = xreallocarray(list.items, list.len + 1, sizeof *list.items);
		rc = read_row(&list.items[list.len], s, err);
		if (rc < 0)
			break;
		list.len++;
	}
	stmt_end(s);
	if (rc < 0) {
		delivery_list_release(&list);
		return -1;
	}
	*out = list;
	return 0;
}

int delivery_list_newest(struct store_db *db, size_t top, struct delivery_list *out,
			 struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " COLUMNS " FROM delivery ORDER BY seq DESC LIMIT ?");

	stmt_bind_int(s, (int64_t)top);
	return read_all(s, out, err);
}

int delivery_list_by_id(struct store_db *db, const char *delivery_id, struct delivery_list *out,
			struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT " COLUMNS " FROM delivery WHERE delivery_id = ?"
				      " ORDER BY seq DESC");
	stmt_bind_text(s, delivery_id);
	return read_all(s, out, err);
}

/* They lie in the order in which they came: only the oldest rows have to be looked at. */
int delivery_forget(struct store_db *db, int64_t before_ms, size_t top, struct err *err)
{
	struct stmt *s = stmt_get(db, "DELETE FROM delivery WHERE received_ms < ? AND seq IN"
				      " (SELECT seq FROM delivery ORDER BY seq LIMIT ?)");
	stmt_bind_int(s, before_ms);
	stmt_bind_int(s, (int64_t)top);
	return stmt_run(s, err);
}
