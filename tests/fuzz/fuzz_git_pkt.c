/*
 * What a git server answers. The first byte says which answer it is, the second how many bytes come
 * at a time. Whatever the bytes are: no name and no message holds a control character, nothing is
 * handed on that was not received, and it ends.
 */
#include "tests/fuzz/fuzz.h"

#include "runner/exec/git_pack.h"
#include "runner/exec/git_refs.h"

struct input {
	struct str left;
	size_t piece;
};

struct seen {
	size_t pack_bytes, message_bytes;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static int read_input(void *data, void *bytes, size_t size, size_t *n, struct err *err)
{
	struct input *in = data;
	(void)err;

	*n = in->left.len < size ? in->left.len : size;
	*n = *n < in->piece ? *n : in->piece;
	if (*n)
		memcpy(bytes, in->left.ptr, *n);
	in->left = str_after(in->left, *n);
	return 0;
}

static void check_error(const struct err *err)
{
	must(err->code != ERR_NONE && *err->word && !str_has_control(str_from(err->msg)));
}

static void check_refs(const struct git_refs *refs)
{
	for (size_t i = 0; i < refs->len; i++) {
		const struct git_ref *ref = &refs->items[i];
		must(!str_has_control(str_from(ref->name)));
		must(!ref->target || !str_has_control(str_from(ref->target)));
	}
	const struct git_ref *found = git_ref_find(refs, "main");
	must(!found || str_ends(str_from(found->name), "main"));
}

static void read_advert(struct git_pkt_reader *lines)
{
	struct git_advert advert;
	struct err err = { 0 };

	if (git_advert_read(&advert, lines, &err) < 0) {
		check_error(&err);
		return;
	}
	check_refs(&advert.refs);
	must(!advert.v2 || advert.refs.len == 0);
	git_advert_release(&advert);
}

static void read_refs(struct git_pkt_reader *lines)
{
	struct git_refs refs = { 0 };
	struct err err = { 0 };

	if (git_refs_read(&refs, lines, &err) < 0)
		check_error(&err);
	else
		check_refs(&refs);
	git_refs_release(&refs);
}

static int on_pack(void *data, struct str bytes, struct err *err)
{
	struct seen *seen = data;
	(void)err;

	must(bytes.len > 0 && bytes.len < GIT_PKT_BYTES);
	seen->pack_bytes += bytes.len;
	return 0;
}

static void on_message(void *data, struct str text)
{
	struct seen *seen = data;

	seen->message_bytes += text.len;
}

static void read_pack(struct git_pkt_reader *lines, size_t size)
{
	struct seen seen = { 0 };
	struct git_pack_sink sink = { .pack = on_pack, .message = on_message, .data = &seen };
	struct err err = { 0 };

	if (git_pack_read(&sink, lines, &err) < 0)
		check_error(&err);
	must(seen.pack_bytes + seen.message_bytes <= size);
	must(sink.shallow.len <= 10000 && sink.unshallow.len <= 10000);
	git_oids_release(&sink.shallow);
	git_oids_release(&sink.unshallow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct input in = {
		.left = { (const char *)data + 2, size - 2 },
		.piece = data[1] ? data[1] : SIZE_MAX,
	};
	struct git_pkt_reader *lines = git_pkt_open(read_input, &in);

	switch (data[0] % 3) {
	case 0: read_advert(lines); break;
	case 1: read_refs(lines); break;
	case 2: read_pack(lines, size); break;
	}
	git_pkt_close(lines);
	return 0;
}
