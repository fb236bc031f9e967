/* registry_rows: the table `registry`: the two letters and the run counter of each name ever seen.
 */
#pragma once
#include "common/err.h"
#include "model/run.h"

struct store_db;

/* Give `name` letters if it has none. ERR_LIMIT "storage" when all letters are taken. */
int registry_ensure(struct store_db *db, const char *name, struct err *err);
/* The next run id of a registry; ERR_NOTFOUND "not_found" when there is no such registry. */
int registry_next_run_id(struct store_db *db, const char *name, char out[RUN_ID_BYTES],
			 struct err *err);
