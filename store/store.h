/*
 * store: the embedded database (SQLite, WAL, synchronous=FULL), off the loop.
 *
 * Two lanes, each a worker thread with its own connection and a FIFO of requests: the writer
 * groups the requests that wait into one transaction (each under a savepoint, so that one failure
 * undoes only its own request) and commits once; the reader serves listings. `work` runs on the
 * lane's thread and may touch only its request and the connection; `done` runs on the loop, for a
 * write only after the commit is on disk.
 *
 * Calling sequence: store_open(); store_write() / store_read(); store_close().
 * The interface hides SQLite from all folders but store/ and queue/'s row functions, so that
 * PostgreSQL can come in later.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct uv_loop_s;
struct store;
struct store_db; /* one lane's connection: see stmt.h */

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
void store_write(struct store *s, struct store_req *req);
void store_read(struct store *s, struct store_req *req);
/* Finishes what was submitted, then closes; `closed` is called on the loop. */
void store_close(struct store *s, void (*closed)(void *data), void *data);
