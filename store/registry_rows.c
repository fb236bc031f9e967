#include "store/registry_rows.h"

#include "store/stmt.h"

enum { REGISTRIES_MAX = 600 }; /* run_id_letters() has no more */

static int insert(struct store_db *db, const char *name, int number, struct err *err)
{
	char letters[3];
	struct stmt *s = stmt_get(db, "INSERT INTO registry (name, letters) VALUES (?, ?)");

	run_id_letters(letters, number);
	stmt_bind_text(s, name);
	stmt_bind_text(s, letters);
	return stmt_run(s, err);
}

/* Rows are never deleted, so their count is the number of the next one. */
static int count(struct store_db *db, int *out, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT count(*) FROM registry");
	int rc = stmt_step(s, err);

	if (rc == 1)
		*out = (int)stmt_int(s);
	stmt_end(s);
	return rc < 0 ? -1 : 0;
}

int registry_ensure(struct store_db *db, const char *name, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT 1 FROM registry WHERE name = ?");
	int number = 0;

	stmt_bind_text(s, name);
	int rc = stmt_step(s, err);
	stmt_end(s);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (count(db, &number, err) < 0)
		return -1;
	if (number >= REGISTRIES_MAX)
		return err_set(err, ERR_LIMIT, "storage",
			       "no letters are left for the registry '%.100s': this database has "
			       "known %d",
			       name, number);
	return insert(db, name, number, err);
}

/* Two plain statements take half the time of one UPDATE … RETURNING, and every accept is here. */
static int read_counter(struct store_db *db, const char *name, char out[RUN_ID_BYTES],
			int64_t *next, struct err *err)
{
	struct stmt *s = stmt_get(db, "SELECT letters, runs + 1 FROM registry WHERE name = ?");

	stmt_bind_text(s, name);
	int rc = stmt_step(s, err);
	if (rc == 1) {
		char letters[3];
		struct str stored = stmt_borrow(s);
		snprintf(letters, sizeof letters, STR_FMT, STR_ARG(stored));
		*next = stmt_int(s);
		run_id_format(out, letters, *next);
	}
	stmt_end(s);
	return rc;
}

int registry_next_run_id(struct store_db *db, const char *name, char out[RUN_ID_BYTES],
			 struct err *err)
{
	int64_t next = 0;
	int rc = read_counter(db, name, out, &next, err);

	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "not_found", "there is no registry '%.100s'",
			       name);
	if (rc < 0)
		return -1;
	struct stmt *s = stmt_get(db, "UPDATE registry SET runs = ? WHERE name = ?");
	stmt_bind_int(s, next);
	stmt_bind_text(s, name);
	return stmt_run(s, err);
}
