#include "store/stmt.h"

#include <assert.h>

#include "store/db.h"

static struct stmt *create(struct store_db *db, const char *literal, const char *text)
{
	struct stmt *s = xnew(struct stmt);

	*s = (struct stmt){ .sql = literal, .db = db };
	s->rc = sqlite3_prepare_v3(db->sqlite, text, -1, literal ? SQLITE_PREPARE_PERSISTENT : 0,
				   &s->handle, NULL);
	return s;
}

static void destroy(struct stmt *s)
{
	sqlite3_finalize(s->handle);
	free(s);
}

/* Open addressing over the addresses of the literals: no text is compared or hashed. */
static struct stmt **find_slot(struct stmt_cache *cache, const char *literal)
{
	size_t at = ((uintptr_t)literal >> 3) % STMT_CACHE_SLOTS;

	for (size_t tried = 0; tried < STMT_CACHE_SLOTS; tried++) {
		struct stmt **slot = &cache->slots[at];
		if (!*slot || (*slot)->sql == literal)
			return slot;
		at = (at + 1) % STMT_CACHE_SLOTS;
	}
	abort(); /* there are not that many statements in this program */
}

static struct stmt *begin(struct stmt *s)
{
	assert(!s->in_use);
	s->in_use = true;
	s->next = 1;
	return s;
}

struct stmt *stmt_get(struct store_db *db, const char *literal)
{
	struct stmt **slot = find_slot(&db->cache, literal);

	if (*slot && (*slot)->rc != SQLITE_OK) { /* it failed the last time: perhaps not today */
		destroy(*slot);
		*slot = create(db, literal, literal);
	} else if (!*slot) {
		*slot = create(db, literal, literal);
	}
	return begin(*slot);
}

struct stmt *stmt_build(struct store_db *db, const char *text)
{
	return begin(create(db, NULL, text));
}

int stmt_step(struct stmt *s, struct err *err)
{
	if (s->rc != SQLITE_OK)
		return db_fail(s->db, s->rc, err);
	s->next = 0; /* columns count from 0 */
	int rc = sqlite3_step(s->handle);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : db_fail(s->db, rc, err);
}

void stmt_end(struct stmt *s)
{
	assert(s->in_use);
	if (!s->sql) {
		destroy(s);
		return;
	}
	if (s->handle) { /* there is none when preparing failed */
		sqlite3_reset(s->handle);
		sqlite3_clear_bindings(s->handle);
	}
	s->in_use = false;
}

int stmt_run(struct stmt *s, struct err *err)
{
	int rc;

	while ((rc = stmt_step(s, err)) == 1)
		;
	stmt_end(s);
	return rc;
}

int stmt_run_changes(struct stmt *s, int *changes, struct err *err)
{
	struct store_db *db = s->db;

	if (stmt_run(s, err) < 0)
		return -1;
	*changes = sqlite3_changes(db->sqlite);
	return 0;
}

int stmt_run_insert(struct stmt *s, int64_t *key, struct err *err)
{
	struct store_db *db = s->db;

	if (stmt_run(s, err) < 0)
		return -1;
	*key = sqlite3_last_insert_rowid(db->sqlite);
	return 0;
}

void stmt_cache_clear(struct stmt_cache *cache)
{
	for (size_t i = 0; i < STMT_CACHE_SLOTS; i++) {
		if (cache->slots[i])
			destroy(cache->slots[i]);
		cache->slots[i] = NULL;
	}
}

static void bound(struct stmt *s, int rc)
{
	if (s->rc == SQLITE_OK)
		s->rc = rc;
	s->next++;
}

void stmt_bind_text(struct stmt *s, const char *text)
{
	bound(s, sqlite3_bind_text(s->handle, s->next, text, -1, SQLITE_STATIC));
}

void stmt_bind_str(struct stmt *s, struct str text)
{
	bound(s, sqlite3_bind_text64(s->handle, s->next, text.ptr, text.len, SQLITE_STATIC,
				     SQLITE_UTF8));
}

void stmt_bind_blob(struct stmt *s, struct str bytes)
{
	bound(s, sqlite3_bind_blob64(s->handle, s->next, bytes.len ? bytes.ptr : NULL, bytes.len,
				     SQLITE_STATIC));
}

void stmt_bind_int(struct stmt *s, int64_t value)
{
	bound(s, sqlite3_bind_int64(s->handle, s->next, value));
}

void stmt_bind_time(struct stmt *s, int64_t ms)
{
	bound(s, ms ? sqlite3_bind_int64(s->handle, s->next, ms)
		    : sqlite3_bind_null(s->handle, s->next));
}

struct str stmt_borrow(struct stmt *s)
{
	int column = s->next++;
	const char *bytes = sqlite3_column_blob(s->handle, column);
	size_t len = (size_t)sqlite3_column_bytes(s->handle, column);

	return (struct str){ bytes ? bytes : "", bytes ? len : 0 };
}

char *stmt_text(struct stmt *s)
{
	bool is_null = sqlite3_column_type(s->handle, s->next) == SQLITE_NULL;
	struct str text = stmt_borrow(s);

	return is_null ? NULL : str_dup(text);
}

int64_t stmt_int(struct stmt *s)
{
	return sqlite3_column_int64(s->handle, s->next++);
}
