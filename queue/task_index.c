#include "queue/task_index.h"

#include <strings.h>

static int compare(const char *registry, const char *name, const struct task *task)
{
	int order = strcasecmp(registry, task->registry);
	return order ? order : strcasecmp(name, task->name);
}

/* The first task that is not before (registry, name). */
static size_t find_place(const struct task_index *index, const char *registry, const char *name)
{
	size_t low = 0, high = index->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(registry, name, index->by_name[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct task_index *index, size_t at, const char *registry, const char *name)
{
	return at < index->len && compare(registry, name, index->by_name[at]) == 0;
}

/* ---- who follows a repository ---- */

/* The first follower that is not before (repository, task); task NULL: of the repository. */
static size_t find_follower(const struct task_index *index, const char *repository,
			    const struct task *task)
{
	size_t low = 0, high = index->followers_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(repository, index->followed[middle]);
		if (order == 0 && task)
			order = compare(task->registry, task->name, index->followers[middle]);
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_follower(struct task_index *index, const char *repository, const struct task *task)
{
	size_t at = find_follower(index, repository, task), len = index->followers_len;

	if (at < len && index->followers[at] == task &&
	    strcmp(index->followed[at], repository) == 0)
		return; /* by another of its triggers */
	index->followers = xreallocarray(index->followers, len + 1, sizeof *index->followers);
	index->followed = xreallocarray(index->followed, len + 1, sizeof *index->followed);
	memmove(index->followers + at + 1, index->followers + at,
		(len - at) * sizeof *index->followers);
	memmove(index->followed + at + 1, index->followed + at,
		(len - at) * sizeof *index->followed);
	index->followers[at] = task;
	index->followed[at] = repository;
	index->followers_len++;
}

static void add_followed(struct task_index *index, const struct task *task)
{
	for (size_t i = 0; i < task->triggers_len; i++)
		if (task->triggers[i].repository)
			add_follower(index, task->triggers[i].repository, task);
}

static void remove_follower(struct task_index *index, const struct task *task)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->followers_len; i++) {
		if (index->followers[i] == task)
			continue;
		index->followers[kept] = index->followers[i];
		index->followed[kept++] = index->followed[i];
	}
	index->followers_len = kept;
}

/* ---- changing ---- */

static struct task *insert(struct task_index *index, size_t at)
{
	index->by_name = xreallocarray(index->by_name, index->len + 1, sizeof *index->by_name);
	memmove(index->by_name + at + 1, index->by_name + at,
		(index->len - at) * sizeof *index->by_name);
	index->len++;
	return index->by_name[at] = xnew(struct task);
}

const struct task *task_index_put(struct task_index *index, struct task *task)
{
	size_t at = find_place(index, task->registry, task->name);
	struct task *place;

	if (is_at(index, at, task->registry, task->name)) {
		place = index->by_name[at];
		remove_follower(index, place);
		task_release(place);
	} else {
		place = insert(index, at);
	}
	*place = *task;
	*task = (struct task){ 0 };
	add_followed(index, place);
	return place;
}

bool task_index_remove(struct task_index *index, const char *registry, const char *name,
		       struct task *out)
{
	size_t at = find_place(index, registry, name);

	if (!is_at(index, at, registry, name))
		return false;
	remove_follower(index, index->by_name[at]);
	*out = *index->by_name[at];
	free(index->by_name[at]);
	index->len--;
	memmove(index->by_name + at, index->by_name + at + 1,
		(index->len - at) * sizeof *index->by_name);
	return true;
}

/* ---- looking ---- */

const struct task *task_index_find(const struct task_index *index, const char *registry,
				   const char *name)
{
	size_t at = find_place(index, registry, name);
	return is_at(index, at, registry, name) ? index->by_name[at] : NULL;
}

size_t task_index_list(const struct task_index *index, const char *registry,
		       const struct task *const **out)
{
	size_t from = registry ? find_place(index, registry, "") : 0, to = from;

	while (to < index->len &&
	       (!registry || strcasecmp(index->by_name[to]->registry, registry) == 0))
		to++;
	*out = (const struct task *const *)index->by_name + from;
	return to - from;
}

size_t task_index_following(const struct task_index *index, const char *repository,
			    const struct task *const **out)
{
	size_t from = find_follower(index, repository, NULL), to = from;

	while (to < index->followers_len && strcmp(index->followed[to], repository) == 0)
		to++;
	*out = index->followers + from;
	return to - from;
}

void task_index_release(struct task_index *index)
{
	for (size_t i = 0; i < index->len; i++) {
		task_release(index->by_name[i]);
		free(index->by_name[i]);
	}
	free(index->by_name);
	free(index->followers);
	free(index->followed);
	*index = (struct task_index){ 0 };
}
