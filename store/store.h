/*
 * store: the embedded database (SQLite, WAL, synchronous=FULL), off the loop.
 *
 * Two lanes, each a worker thread with its own connection and a FIFO of requests: the writer
 * groups the requests that wait into one transaction (each under a savepoint, so that one failure
 * undoes only its own request) and commits once; the reader serves listings. `work` runs on the
 * lane's thread and may touch only its request and the connection; `done` runs on the loop, for a
 * write only after the commit is on disk.
 *
 * Calling sequence: store_open(); store_now() while starting; store_write() / store_read();
 * store_close(). Loop thread only. SQL stays in this folder: `work` calls the functions of
 * *_rows.h, a header for each table, so that PostgreSQL can come in later.
 *
 * When a transaction cannot be kept (no space, a failed fsync, the file locked by somebody else for
 * 5 s), every request of the group comes back with ERR_UNAVAILABLE, "disk_full" or "storage", and
 * nothing of it is in the database; the next group starts on a fresh connection.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct uv_loop_s;
struct store;
struct store_db; /* one lane's connection: the *_rows.h functions take it */

/* Embed it in a request of your own; the request lives until `done` returns. */
struct store_req {
	int (*work)(struct store_db *db, struct store_req *req, struct err *err);
	void (*done)(struct store_req *req);
	int rc; /* of `work`, or -1 when the commit failed */
	struct err err;
	struct store_req *next; /* the lane's */
};

/*
 * Open or create the database, apply the ordered migrations. A newer schema is refused and not
 * touched ("storage_newer"). Words: "storage", "disk_full", "config_locked" (somebody else has it).
 */
int store_open(struct store **out, struct uv_loop_s *loop, const char *path, struct err *err);
/* One transaction here and now, blocking, without `done`: only before the first store_write(). */
int store_now(struct store *s, struct store_req *req, struct err *err);
void store_write(struct store *s, struct store_req *req);
void store_read(struct store *s, struct store_req *req);
/*
 * Finishes what was submitted, then closes; `closed` is called on the loop. A request that comes
 * in meanwhile is refused through its `done`, as ERR_UNAVAILABLE.
 */
void store_close(struct store *s, void (*closed)(void *data), void *data);
