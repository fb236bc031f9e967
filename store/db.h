/*
 * db: one connection to the database file, with the pragmas that our promises need. A lane owns
 * one and uses it on its own thread; store.h is the way in for everybody else.
 *
 * An error after which SQLite's view of the file cannot be trusted (a failed read, write or fsync,
 * no space, no memory) marks the connection `broken`. A broken connection is closed and opened
 * again before the next request and never asked to write the same pages a second time: after a
 * failed fsync the kernel may have forgotten that they are dirty.
 */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>

#include "common/err.h"
#include "store/stmt.h"
#include "store/store.h"
#include "store/wal_vfs.h"

enum db_mode { DB_WRITER, DB_READER };

struct store_db {
	char *path;
	enum db_mode mode;
	struct wal_vfs vfs; /* the writer's */
	sqlite3 *sqlite;    /* NULL: closed */
	bool broken;
	int wal_pages; /* in the write-ahead log after the last commit */
	struct stmt_cache cache;
};

void db_init(struct store_db *db, const char *path, enum db_mode mode);
/* Words "storage", "disk_full"; the writer makes the file (0600) if there is none. Writes nothing
 * into a file that is there, so that its schema can be looked at first. */
int db_open(struct store_db *db, struct err *err);
/* The writer's pragmas: WAL, synchronous=FULL, foreign keys. */
int db_prepare_writer(struct store_db *db, struct err *err);
/* Whole again after a failure: both of the above when the connection is closed or broken. */
int db_ensure(struct store_db *db, struct err *err);
void db_close(struct store_db *db);
void db_release(struct store_db *db);

/* Statements without parameters and rows, for transactions, pragmas and migrations. */
int db_exec(struct store_db *db, const char *sql, struct err *err);
/* The first column of the only row of a pragma. */
int db_pragma(struct store_db *db, const char *sql, int64_t *out, struct err *err);

/*
 * What the last call on the connection said (`rc`), as an err: disk_full when the file system has
 * no room, else storage. Always ERR_UNAVAILABLE: the caller may try again. Returns -1.
 */
int db_fail(struct store_db *db, int rc, struct err *err);

/*
 * Copy what has been committed from the write-ahead log into the database file. Its cost comes
 * after the commits were answered; a failure costs nothing, for the log still has it all.
 */
void db_checkpoint_if_due(struct store_db *db);
