#include "store/schema.h"

#include "common/scope.h"
#include "store/db.h"

enum { APPLICATION_ID = 0x736c7077 }; /* "slpw" in the file's header */

/*
 * Statuses are numbers in the order of enum run_status: 0 Queued, 1 Started, 2 Running, from 3 on
 * terminal. The partial indexes name them, and a query uses such an index only when it repeats the
 * index's condition word for word.
 */
static const char first_tables[] =
	/* Names keep their two letters and their counter for ever, also when no longer configured.
	 */
	"CREATE TABLE registry ("
	"  name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,"
	"  letters TEXT NOT NULL UNIQUE,"
	"  runs INTEGER NOT NULL DEFAULT 0"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE task ("
	"  registry TEXT NOT NULL COLLATE NOCASE REFERENCES registry (name),"
	"  name TEXT NOT NULL COLLATE NOCASE,"
	"  created_ms INTEGER NOT NULL,"
	"  updated_ms INTEGER NOT NULL,"
	"  resource TEXT NOT NULL," /* JSON, without secrets */
	"  sealed BLOB,"
	"  PRIMARY KEY (registry, name)"
	") STRICT, WITHOUT ROWID;"

	/* What listings read comes first; what may be long comes last. */
	"CREATE TABLE run ("
	"  seq INTEGER PRIMARY KEY," /* the order of acceptance */
	"  id TEXT NOT NULL UNIQUE,"
	"  registry TEXT NOT NULL COLLATE NOCASE,"
	"  status INTEGER NOT NULL,"
	"  type INTEGER NOT NULL,"
	"  attempt INTEGER NOT NULL DEFAULT 0,"
	"  ready INTEGER NOT NULL," /* no unfinished elder has its order_key */
	"  cancel_requested INTEGER NOT NULL DEFAULT 0,"
	"  archived INTEGER NOT NULL DEFAULT 0,"
	"  create_ms INTEGER NOT NULL,"
	"  start_ms INTEGER,"
	"  finish_ms INTEGER,"
	"  updated_ms INTEGER NOT NULL,"
	"  task TEXT COLLATE NOCASE,"
	"  order_key TEXT,"
	"  platform TEXT,"
	"  reason TEXT,"
	"  error_code TEXT,"
	"  error_message TEXT,"
	"  commit_id TEXT,"
	"  superseded_by TEXT,"
	"  source_id TEXT,"
	"  source_event TEXT,"
	"  source_commit TEXT,"
	"  source_repository TEXT,"
	"  source_branch TEXT,"
	"  source_provider TEXT,"
	"  output_images TEXT,"    /* repository@digest, a line each */
	"  progress TEXT,"         /* JSON: steps and images */
	"  request TEXT NOT NULL," /* JSON: the build, without secrets */
	"  sealed BLOB"
	") STRICT;"
	/* Pages of a listing: each index ends in seq, and status can be tested without the row. */
	"CREATE INDEX run_by_registry ON run (registry, seq, status);"
	"CREATE INDEX run_by_status ON run (registry, status, seq);"
	"CREATE INDEX run_by_task ON run (registry, task, seq, status);"
	"CREATE INDEX run_by_image ON run (registry, seq, output_images)"
	"  WHERE output_images IS NOT NULL;"
	/* The queue itself: these two hold unfinished runs only. */
	"CREATE INDEX run_ready ON run (seq) WHERE status = 0 AND ready = 1;"
	"CREATE INDEX run_order ON run (order_key, seq) WHERE status < 3 AND order_key IS NOT NULL;"
	/* Retention. */
	"CREATE INDEX run_forgettable ON run (finish_ms) WHERE status >= 3 AND archived = 0;"

	"CREATE TABLE delivery ("
	"  seq INTEGER PRIMARY KEY,"
	"  webhook TEXT NOT NULL,"
	"  delivery_id TEXT NOT NULL,"
	"  body_sha256 BLOB NOT NULL,"
	"  received_ms INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL," /* enum event_kind */
	"  event TEXT,"
	"  provider TEXT,"
	"  repository TEXT,"
	"  repository_url TEXT,"
	"  ref TEXT,"
	"  before TEXT,"
	"  after TEXT,"
	"  flags INTEGER NOT NULL," /* 1 created, 2 deleted, 4 forced */
	"  sender TEXT,"
	"  runs TEXT," /* ids, a blank between two */
	"  verdicts TEXT NOT NULL,"
	"  UNIQUE (delivery_id, webhook),"
	"  UNIQUE (body_sha256, webhook)"
	") STRICT;"

	/* The latest accepted event of a ref, when it made a run: what a repeated one is compared
	 * with. */
	"CREATE TABLE ref_event ("
	"  registry TEXT NOT NULL COLLATE NOCASE,"
	"  task TEXT NOT NULL COLLATE NOCASE,"
	"  repository TEXT NOT NULL,"
	"  ref TEXT NOT NULL,"
	"  before TEXT NOT NULL,"
	"  after TEXT NOT NULL,"
	"  event TEXT NOT NULL,"
	"  run_id TEXT NOT NULL,"
	"  PRIMARY KEY (registry, task, repository, ref)"
	") STRICT, WITHOUT ROWID;";

/* Only ever add at the end. */
static const char *const migrations[] = {
	first_tables,
	/* JSON of all events, where there are several or the columns do not say it all. */
	"ALTER TABLE delivery ADD COLUMN events TEXT;",
	/* The id of the delivery that a replay repeats. */
	"ALTER TABLE delivery ADD COLUMN replay_of TEXT;",
};

static int read_header(struct store_db *db, int64_t *version, int64_t *application, int64_t *tables,
		       struct err *err)
{
	if (db_pragma(db, "PRAGMA user_version", version, err) < 0 ||
	    db_pragma(db, "PRAGMA application_id", application, err) < 0 ||
	    db_pragma(db, "SELECT count(*) FROM sqlite_schema", tables, err) < 0)
		return -1;
	return 0;
}

int schema_check(struct store_db *db, struct err *err)
{
	int64_t version = 0, application = 0, tables = 0;

	if (read_header(db, &version, &application, &tables, err) < 0)
		return -1;
	if (application != APPLICATION_ID && (application || version || tables))
		return err_set(err, ERR_INVALID, "storage",
			       "%s is a database of another program: name another file", db->path);
	if (version > (int64_t)ARRAY_LEN(migrations))
		return err_set(err, ERR_CONFLICT, "storage_newer",
			       "%s was written by a newer version (schema %lld, this program knows "
			       "%zu): install that version, or restore a backup",
			       db->path, (long long)version, ARRAY_LEN(migrations));
	return 0;
}

static int migrate_to(struct store_db *db, size_t version, struct err *err)
{
	cleanup_free char *header =
		xasprintf("PRAGMA user_version = %zu; PRAGMA application_id = %d", version,
			  APPLICATION_ID);

	if (db_exec(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (db_exec(db, migrations[version - 1], err) < 0 || db_exec(db, header, err) < 0 ||
	    db_exec(db, "COMMIT", err) < 0) {
		db_exec(db, "ROLLBACK", NULL);
		return err_wrap(err, "migration %zu", version);
	}
	return 0;
}

int schema_migrate(struct store_db *db, struct err *err)
{
	int64_t version = 0;

	if (db_pragma(db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	for (size_t next = (size_t)version + 1; next <= ARRAY_LEN(migrations); next++)
		if (migrate_to(db, next, err) < 0)
			return -1;
	return 0;
}
