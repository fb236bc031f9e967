#include "runner/exec/tidy.h"

#include <git2/common.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/git_fetch.h"
#include "runner/exec/tidy_collect.h"
#include "runner/exec/tidy_list.h"
#include "runner/exec/tidy_repack.h"

enum {
	LOWEST_PRIORITY = 19,
	MAPPED_BYTES = 64 << 20,
	WINDOW_BYTES = 8 << 20,
	CACHE_BYTES = 16 << 20,
};

/* ioprio_set(2) has no header of its own. */
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_IDLE = 3, IOPRIO_CLASS_SHIFT = 13 };

/* Runs come first; and nobody is left to hear the answer when the server is gone. */
static void step_back(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
}

static void configure_git(void)
{
	git_fetch_configure(0, 0);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_BYTES);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

/* The first one is what people hear of; what comes after it was tried all the same. */
static void note(struct tidy_answer *answer, const struct err *err)
{
	if (!answer->problem)
		answer->problem = xstrdup(err->msg);
}

/* Its packs and the new one are there at the same time. */
static bool has_room(const struct tidy_item *mirror, const struct tidy_order *order)
{
	uint64_t free_bytes;

	return fs_free_bytes(mirror->path, &free_bytes, NULL) == 0 &&
	       free_bytes > (uint64_t)order->min_free_bytes + (uint64_t)mirror->bytes;
}

static void repack(struct tidy_answer *answer, struct tidy_item *mirror, const char *dir)
{
	struct err err = { 0 };
	int rc = tidy_repack(dir, mirror->key, &err);

	if (rc < 0) {
		err_wrap(&err, "mirror %.12s", mirror->key);
		note(answer, &err);
	}
	if (rc != TIDY_REPACKED)
		return;
	answer->repacked++;
	mirror->bytes = tidy_disk_usage(mirror->path);
}

static void repack_all(struct tidy_answer *answer, struct tidy_list *list,
		       const struct tidy_order *order)
{
	for (size_t i = 0; i < list->len; i++) {
		struct tidy_item *item = &list->items[i];
		if (item->kind != TIDY_MIRROR || item->gone || item->bytes == 0)
			continue;
		answer->mirrors++;
		if (has_room(item, order))
			repack(answer, item, list->dir);
	}
}

static void tidy(struct tidy_answer *answer, const char *dir, const struct tidy_order *order)
{
	struct tidy_list list = { 0 };
	struct err err = { 0 };

	if (tidy_leftovers_remove(dir, &err) < 0)
		note(answer, &err);
	if (tidy_list_read(&list, dir, &err) < 0) {
		note(answer, &err);
		return;
	}
	if (tidy_collect(answer, &list, order, &err) < 0)
		note(answer, &err);
	repack_all(answer, &list, order);
	answer->bytes = tidy_list_bytes(&list);
	tidy_list_release(&list);
}

static int say(const struct tidy_answer *answer)
{
	json_t *object = tidy_answer_to_json(answer);
	cleanup_free char *text = json_text(object);
	cleanup_free char *line = xasprintf("%s\n", text);

	json_decref(object);
	return fs_write_all(STDOUT_FILENO, str_from(line), NULL) < 0 ? 1 : 0;
}

int tidy_main(const struct tidy_order *order)
{
	cleanup_free char *dir = fs_join(order->data_dir, "git");
	cleanup_free char *lock_path = fs_join(dir, ".tidy.lock");
	cleanup_fd int lock = -1;
	struct tidy_answer answer = { 0 };
	struct err err = { 0 };

	step_back();
	configure_git();
	if (fs_mkdirs(dir, 0700, &err) == 0 && fs_lock(&lock, lock_path, NULL, &err) == 0)
		tidy(&answer, dir, order);
	else
		note(&answer, &err);
	int code = say(&answer);
	tidy_answer_release(&answer);
	return code;
}
