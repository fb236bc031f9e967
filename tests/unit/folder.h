/*
 * folder: a temporary folder for one test.
 *
 *   cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
 *
 * *state is its path, absolute. The folder is removed whatever the test left in it.
 */
#pragma once
#include "tests/unit/unit.h"

#include "common/fs.h"

static inline int folder_setup(void **state)
{
	const char *base = getenv("TMPDIR");
	char *path = xasprintf("%s/slipway-test.XXXXXX", base && *base ? base : "/tmp");
	*state = mkdtemp(path);
	return *state ? 0 : -1;
}

static inline int folder_teardown(void **state)
{
	struct err err = { 0 };
	int rc = fs_remove_tree(*state, &err);
	free(*state);
	return rc;
}

/* FOLDER/NAME, owned by the caller. */
static inline char *folder_path(void **state, const char *name)
{
	return fs_join(*state, name);
}

/* Write a file of this mode in the folder; returns its path, owned by the caller. */
static inline char *folder_file(void **state, const char *name, const char *text, unsigned mode)
{
	struct err err = { 0 };
	char *path = folder_path(state, name);
	assert_works(fs_write_atomic(path, str_from(text), mode, &err));
	return path;
}
