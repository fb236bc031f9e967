/*
 * tidy_list: what lies in data_dir/git, how much of the disk each thing takes, and when it was
 * used last. The least recently used comes first.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum tidy_kind { TIDY_LFS_FILE, TIDY_CHECKOUT, TIDY_MIRROR };

struct tidy_item {
	enum tidy_kind kind;
	char *key;
	char *path;      /* absolute; for a mirror without its checkouts and LFS files */
	int64_t bytes;   /* of blocks on the disk */
	int64_t used_ms; /* since 1970; a mirror is used whenever one of its parts is */
	bool gone;
};

struct tidy_list {
	char *dir; /* data_dir/git */
	struct tidy_item *items;
	size_t len, cap;
};

/* A folder that does not exist is empty. Words: "storage". */
int tidy_list_read(struct tidy_list *out, const char *dir, struct err *err);
void tidy_list_release(struct tidy_list *list);

int64_t tidy_list_bytes(const struct tidy_list *list);
/* Blocks of everything below, or of a file; 0 when it is missing. Links are not followed. */
int64_t tidy_disk_usage(const char *path);
