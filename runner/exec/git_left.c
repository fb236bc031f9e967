#include "runner/exec/git_left.h"

#include <stdlib.h>

#include "common/crypto.h"
#include "common/mem.h"

enum { POINTER_BYTES = 1024 }; /* pointers are shorter */

void git_left_add_pointer(struct git_left *left, const struct git_pointer *p)
{
	left->pointers = xreallocarray(left->pointers, left->pointers_len + 1, sizeof *p);
	left->pointers[left->pointers_len++] = *p;
}

void git_left_add_gitlink(struct git_left *left, const struct git_gitlink *l)
{
	left->gitlinks = xreallocarray(left->gitlinks, left->gitlinks_len + 1, sizeof *l);
	left->gitlinks[left->gitlinks_len++] = *l;
}

void git_left_release(struct git_left *left)
{
	for (size_t i = 0; i < left->pointers_len; i++)
		free(left->pointers[i].path);
	for (size_t i = 0; i < left->gitlinks_len; i++)
		free(left->gitlinks[i].path);
	free(left->pointers);
	free(left->gitlinks);
	*left = (struct git_left){ 0 };
}

/* ---- reading a pointer ---- */

/* The next line that is not empty, without a CR at its end: git-lfs is as lenient. */
static bool take_line(struct str *rest, struct str *line)
{
	do {
		if (!str_split(rest, '\n', line))
			return false;
		*line = str_trim(*line);
	} while (line->len == 0);
	return true;
}

static bool read_oid(struct git_pointer *out, struct str line)
{
	return str_starts(line, "oid sha256:") &&
	       hex_decode(out->sha256, sizeof out->sha256, str_after(line, strlen("oid sha256:")));
}

static bool read_size(struct git_pointer *out, struct str line)
{
	uint64_t size;

	if (!str_starts(line, "size ") ||
	    !str_to_u64(str_after(line, strlen("size ")), INT64_MAX, &size))
		return false;
	out->size = (int64_t)size;
	return true;
}

bool git_pointer_read(struct git_pointer *out, struct str content)
{
	struct git_pointer p = { 0 };
	struct str rest = str_trim(content), line;

	if (content.len >= POINTER_BYTES || !take_line(&rest, &line) ||
	    !str_is(line, "version https://git-lfs.github.com/spec/v1"))
		return false;
	bool more = take_line(&rest, &line);
	for (; more && str_starts(line, "ext-"); more = take_line(&rest, &line))
		p.extended = true;
	if (!more || !read_oid(&p, line) || !take_line(&rest, &line) || !read_size(&p, line) ||
	    rest.len)
		return false;
	*out = p;
	return true;
}
