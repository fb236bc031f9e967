/*
 * task_rows: the table `task`. Secrets are apart, sealed by the caller; this folder never sees them
 * open. Lane threads only.
 */
#pragma once
#include "model/task.h"

struct store_db;

/*
 * Create or replace. A task that is there keeps its created_ms and the spelling of its name, which
 * are then in *task.
 */
int task_put(struct store_db *db, struct task *task, struct str sealed, struct err *err);
/* 1 when it was there, 0 when not. The ref events of the task go with it; its runs stay. */
int task_delete(struct store_db *db, const char *registry, const char *name, struct err *err);

/* Each task with its box, until `each` returns -1, by registry and name. Both are borrowed. */
int task_each(struct store_db *db,
	      int (*each)(struct task *task, struct str sealed, void *data, struct err *err),
	      void *data, struct err *err);
