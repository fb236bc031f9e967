/*
 * Answers of a Git LFS server: what is taken from them can be sent as it is, every object that was
 * asked for has a place, and reading the same again takes the same.
 */
#include "tests/fuzz/fuzz.h"

#include "common/mem.h"
#include "context/policy.h"
#include "runner/exec/git_lfs_batch.h"
#include "runner/exec/git_lfs_url.h"

enum { OBJECTS = 3 };

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_headers(const struct git_lfs_object *o)
{
	size_t bytes = 0;

	must(o->headers.len <= 32);
	STRVEC_FOREACH (header, &o->headers) {
		const char *colon = strstr(*header, ": ");
		must(colon && colon > *header && colon[2]);
		must(!str_has_control(str_from(*header)));
		bytes += strlen(*header);
	}
	must(bytes <= 16 * 1024 + o->headers.len * 2);
}

static void check_href(const struct git_lfs_object *o)
{
	struct strvec schemes = { 0 };
	const struct policy policy = { .schemes = &schemes };
	struct err err = { 0 };

	strvec_push(&schemes, "https");
	if (git_lfs_check_href(str_from(o->href), &policy, &err) == 0)
		must(strncasecmp(o->href, "https://", 8) == 0 &&
		     !str_has_control(str_from(o->href)));
	else
		must(err_is(&err, "git_protocol") || strstr(err.word, "_denied"));
	strvec_release(&schemes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct git_lfs_object objects[OBJECTS] = { 0 }, *pointers[OBJECTS];
	struct err err = { 0 };

	for (int i = 0; i < OBJECTS; i++) {
		memset(objects[i].sha256, 0x11 * (i + 1), sizeof objects[i].sha256);
		objects[i].path = "file";
		pointers[i] = &objects[i];
	}
	int rc = git_lfs_batch_read(pointers, OBJECTS, text, 0, &err);
	must(rc == 0 || strncmp(err.word, "git_", 4) == 0);
	for (int i = 0; i < OBJECTS; i++) {
		must(rc < 0 || objects[i].href);
		if (objects[i].href)
			check_href(&objects[i]);
		check_headers(&objects[i]);
	}
	must(git_lfs_batch_read(pointers, OBJECTS, text, 0, &err) == rc);
	for (int i = 0; i < OBJECTS; i++)
		git_lfs_object_release(&objects[i]);
	free(git_lfs_batch_message(text));
	must(git_lfs_config_url(text).len <= size);
	return 0;
}
