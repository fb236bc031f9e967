/*
 * schema: the tables, as an ordered list of migrations. PRAGMA user_version says how many of them
 * a file has had. A stored row never changes its meaning without a migration at the end of the
 * list.
 */
#pragma once
#include "common/err.h"

struct store_db;

/*
 * May this program write this file? ERR_CONFLICT "storage_newer" when a newer one has been at it,
 * ERR_INVALID "storage" when it is no database of ours. Only reads.
 */
int schema_check(struct store_db *db, struct err *err);
/* Apply what is missing, each migration in a transaction of its own. */
int schema_migrate(struct store_db *db, struct err *err);
