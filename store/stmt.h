/*
 * stmt: SQL statements, prepared once per connection, with parameters and columns in their order.
 *
 *   struct stmt *s = stmt_get(db, "SELECT letters, runs FROM registry WHERE name = ?");
 *   stmt_bind_text(s, name);
 *   int rc = stmt_step(s, err);             1: a row, 0: no more rows, -1: failed
 *   if (rc == 1) {
 *           letters = stmt_text(s);         owned copies, NULL for NULL
 *           runs = stmt_int(s);
 *   }
 *   stmt_end(s);
 *
 * Text and blobs are bound without a copy and must live until stmt_end(). A failure to prepare or
 * to bind waits in the statement for stmt_step(), so that only the step has to be looked at.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct sqlite3_stmt;
struct store_db;

struct stmt {
	const char *sql; /* a literal: its address is the key; NULL when built at run time */
	struct store_db *db;
	struct sqlite3_stmt *handle;
	int rc;   /* the first failure of preparing or binding */
	int next; /* the parameter or column whose turn it is */
	bool in_use;
};

enum { STMT_CACHE_SLOTS = 256 };
struct stmt_cache {
	struct stmt *slots[STMT_CACHE_SLOTS];
};

struct stmt *stmt_get(struct store_db *db, const char *literal); /* never NULL */
struct stmt *stmt_build(struct store_db *db, const char *text);  /* not kept after stmt_end() */
int stmt_step(struct stmt *s, struct err *err);
void stmt_end(struct stmt *s);
void stmt_cache_clear(struct stmt_cache *cache); /* before the connection closes */

/* For statements without rows: step to the end, then stmt_end(). */
int stmt_run(struct stmt *s, struct err *err);
/* The same, and how many rows it changed. */
int stmt_run_changes(struct stmt *s, int *changes, struct err *err);
/* The same, and the integer key of the row that it inserted. */
int stmt_run_insert(struct stmt *s, int64_t *key, struct err *err);

void stmt_bind_text(struct stmt *s, const char *text); /* NULL binds NULL */
void stmt_bind_str(struct stmt *s, struct str text);
void stmt_bind_blob(struct stmt *s, struct str bytes); /* an empty one binds NULL */
void stmt_bind_int(struct stmt *s, int64_t value);
void stmt_bind_time(struct stmt *s, int64_t ms); /* 0 binds NULL */

char *stmt_text(struct stmt *s);        /* owned by the caller, NULL for NULL */
struct str stmt_borrow(struct stmt *s); /* text or blob, until the next step or the end */
int64_t stmt_int(struct stmt *s);       /* 0 for NULL */
