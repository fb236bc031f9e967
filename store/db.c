#include "store/db.h"

#include <errno.h>
#include <fcntl.h>

#include "common/scope.h"

enum {
	BUSY_MS = 5000, /* another program holds the file: a backup, a curious operator */
	/* 64 MiB of log: many commits share the price of a checkpoint, and a log of this size is
	 * read again in a tenth of a second after a crash. */
	CHECKPOINT_PAGES = 16384,
	WAL_KEPT_BYTES =
		96 << 20, /* overwriting a log is cheaper than growing one: keep its file */
};

void db_init(struct store_db *db, const char *path, enum db_mode mode)
{
	*db = (struct store_db){ .path = xstrdup(path), .mode = mode };
	wal_vfs_init(&db->vfs);
}

void db_release(struct store_db *db)
{
	db_close(db);
	wal_vfs_release(&db->vfs);
	free(db->path);
	*db = (struct store_db){ 0 };
}

int db_fail(struct store_db *db, int rc, struct err *err)
{
	static const int distrusted[] = { SQLITE_IOERR,    SQLITE_FULL,    SQLITE_NOMEM,
					  SQLITE_CORRUPT,  SQLITE_NOTADB,  SQLITE_CANTOPEN,
					  SQLITE_READONLY, SQLITE_PROTOCOL };
	int errnum = db->sqlite ? sqlite3_system_errno(db->sqlite) : 0;
	const char *said = db->sqlite ? sqlite3_errmsg(db->sqlite) : sqlite3_errstr(rc);
	int primary = rc & 0xff;

	for (size_t i = 0; i < ARRAY_LEN(distrusted); i++)
		if (primary == distrusted[i])
			db->broken = true;

	bool no_room = errnum == ENOSPC || errnum == EDQUOT;
	if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && no_room))
		return err_set(err, ERR_UNAVAILABLE, "disk_full",
			       "no room left for the database %s", db->path);
	if (primary == SQLITE_BUSY)
		return err_set(err, ERR_UNAVAILABLE, "storage",
			       "the database %s is locked by another program", db->path);
	return err_set(err, ERR_UNAVAILABLE, "storage", "the database %s: %s (SQLite %d)", db->path,
		       said, rc);
}

int db_exec(struct store_db *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc, err);
}

int db_pragma(struct store_db *db, const char *sql, int64_t *out, struct err *err)
{
	struct stmt *s = stmt_build(db, sql);
	int rc = stmt_step(s, err);

	if (rc == 1)
		*out = stmt_int(s);
	stmt_end(s);
	return rc < 0 ? -1 : 0;
}

/* SQLite gives its other files the mode of the first, which it would make readable for all. */
static int make_file(const char *path, struct err *err)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set_errno(err, ERR_UNAVAILABLE,
				     errno == ENOSPC || errno == EDQUOT ? "disk_full" : "storage",
				     errno, "cannot open the database %s", path);
	return 0;
}

/* Is it in WAL mode now? Some network file systems cannot do it, and say so only here. */
static int enter_wal(struct store_db *db, struct err *err)
{
	struct stmt *s = stmt_build(db, "PRAGMA journal_mode = WAL");
	int rc = stmt_step(s, err);
	bool is_wal = rc == 1 && str_is(stmt_borrow(s), "wal");

	stmt_end(s);
	if (rc < 0)
		return -1;
	if (!is_wal)
		return err_set(
			err, ERR_UNAVAILABLE, "storage",
			"the file system of %s cannot hold a write-ahead log; use a local one",
			db->path);
	return 0;
}

static int remember_wal_pages(void *data, sqlite3 *sqlite, const char *name, int pages)
{
	struct store_db *db = data;

	(void)sqlite, (void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static int open_connection(struct store_db *db, struct err *err)
{
	int access = db->mode == DB_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	const char *vfs = db->mode == DB_WRITER ? db->vfs.name : NULL;
	int rc = sqlite3_open_v2(db->path, &db->sqlite, access | SQLITE_OPEN_NOMUTEX, vfs);

	if (rc != SQLITE_OK)
		return db_fail(db, rc, err);
	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Until the schema was looked at, closing must not write: it may be a newer one. */
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return 0;
}

int db_open(struct store_db *db, struct err *err)
{
	if (db->mode == DB_WRITER && make_file(db->path, err) < 0)
		return -1;
	if (open_connection(db, err) < 0) {
		db_close(db);
		return -1;
	}
	return 0;
}

int db_prepare_writer(struct store_db *db, struct err *err)
{
	cleanup_free char *limit = xasprintf("PRAGMA journal_size_limit = %d", WAL_KEPT_BYTES);

	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (enter_wal(db, err) < 0 || db_exec(db, "PRAGMA synchronous = FULL", err) < 0 ||
	    db_exec(db, "PRAGMA foreign_keys = ON", err) < 0 ||
	    db_exec(db, "PRAGMA cache_size = -8192", err) < 0 ||
	    db_exec(db, "PRAGMA temp_store = MEMORY", err) < 0 || db_exec(db, limit, err) < 0)
		return -1;
	/* In the place of the automatic checkpoint, which would keep commits waiting. */
	sqlite3_wal_hook(db->sqlite, remember_wal_pages, db);
	return 0;
}

int db_ensure(struct store_db *db, struct err *err)
{
	if (db->broken)
		db_close(db);
	if (db->sqlite)
		return 0;
	if (db_open(db, err) < 0)
		return -1;
	if (db->mode == DB_WRITER && db_prepare_writer(db, err) < 0) {
		db_close(db);
		return -1;
	}
	return 0;
}

void db_close(struct store_db *db)
{
	stmt_cache_clear(&db->cache);
	sqlite3_close(db->sqlite);
	db->sqlite = NULL;
	db->broken = false;
	db->wal_pages = 0;
}

void db_checkpoint_if_due(struct store_db *db)
{
	if (!db->sqlite || db->wal_pages < CHECKPOINT_PAGES)
		return;
	db->wal_pages = 0; /* when a reader is in the way, the next commit counts again */
	sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
