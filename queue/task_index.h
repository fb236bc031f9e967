/*
 * task_index: all tasks in memory, in two orders: by registry and name, and by the repository that
 * their source triggers follow. Slices of both are handed out as they are.
 */
#pragma once
#include "model/task.h"

struct task_index {
	struct task **by_name;
	size_t len;
	const struct task **followers; /* by repository, then as by_name */
	const char **followed;         /* the repository of each: text of a trigger of that task */
	size_t followers_len;
};

/* Contents of *task are taken; a task of the same name is replaced. Returns the one in the index.
 */
const struct task *task_index_put(struct task_index *index, struct task *task);
bool task_index_remove(struct task_index *index, const char *registry, const char *name,
		       struct task *out); /* contents of *out are the caller's */
const struct task *task_index_find(const struct task_index *index, const char *registry,
				   const char *name);
/* `registry` NULL: all. */
size_t task_index_list(const struct task_index *index, const char *registry,
		       const struct task *const **out);
size_t task_index_following(const struct task_index *index, const char *repository,
			    const struct task *const **out);
void task_index_release(struct task_index *index);
