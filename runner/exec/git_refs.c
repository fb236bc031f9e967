#include "runner/exec/git_refs.h"

#include "common/mem.h"

enum { ADVERT_BYTES = 64 * 1024 * 1024 };

/* ---- a list of refs ---- */

static struct git_ref *add(struct git_refs *refs, const git_oid *id, struct str name)
{
	if (refs->len == refs->cap) {
		refs->cap = refs->cap ? refs->cap * 2 : 16;
		refs->items = xreallocarray(refs->items, refs->cap, sizeof *refs->items);
	}
	struct git_ref *ref = &refs->items[refs->len++];
	*ref = (struct git_ref){ .name = str_dup(name), .id = *id };
	return ref;
}

void git_refs_release(struct git_refs *refs)
{
	for (size_t i = 0; i < refs->len; i++) {
		free(refs->items[i].name);
		free(refs->items[i].target);
	}
	free(refs->items);
	*refs = (struct git_refs){ 0 };
}

static const struct git_ref *find_exact(const struct git_refs *refs, const char *prefix,
					const char *name)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < refs->len; i++) {
		const char *full = refs->items[i].name;
		if (strncmp(full, prefix, n) == 0 && strcmp(full + n, name) == 0)
			return &refs->items[i];
	}
	return NULL;
}

const struct git_ref *git_ref_find(const struct git_refs *refs, const char *text)
{
	static const char *const prefixes[] = { "", "refs/heads/", "refs/tags/", "refs/" };
	const struct git_ref *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(prefixes) && !found; i++)
		found = find_exact(refs, prefixes[i], text);
	return found;
}

/* ---- lines ---- */

static int nonsense(struct err *err, struct str line)
{
	return err_set(err, ERR_INVALID, "git_protocol",
		       "the server does not list its refs as git does: %.*s",
		       (int)(line.len > 80 ? 80 : line.len), line.ptr);
}

/* "0123… name": the id, and what follows it. */
static int read_id(git_oid *id, struct str *rest, struct str line, struct err *err)
{
	if (line.len <= GIT_OID_HEXSZ + 1 || line.ptr[GIT_OID_HEXSZ] != ' ' ||
	    git_oid_fromstrn(id, line.ptr, GIT_OID_HEXSZ) < 0)
		return nonsense(err, line);
	*rest = str_after(line, GIT_OID_HEXSZ + 1);
	return str_has_control(*rest) ? nonsense(err, line) : 0;
}

static int check_error(struct str line, struct err *err)
{
	if (!str_starts(line, "ERR "))
		return 0;
	struct str text = str_after(line, 4);
	return err_set(err, ERR_DENIED, "git_protocol", "the server answers: %.*s",
		       (int)(text.len > 200 ? 200 : text.len), text.ptr);
}

static int read_line(struct git_pkt *pkt, struct git_pkt_reader *lines, size_t *bytes,
		     struct err *err)
{
	if (git_pkt_read(pkt, lines, err) < 0)
		return -1;
	*bytes += pkt->bytes.len;
	if (*bytes > ADVERT_BYTES)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the server sent a list of refs of over %d MiB",
			       ADVERT_BYTES / (1024 * 1024));
	return pkt->kind == GIT_PKT_LINE ? check_error(pkt->text, err) : 0;
}

static int broken_off(struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE, "git_network",
		       "the server broke off in the middle of its list of refs");
}

/* ---- capabilities ---- */

static int check_format(struct str value, struct err *err)
{
	if (str_is(value, "sha1"))
		return 0;
	return err_set(err, ERR_INVALID, "git_protocol",
		       "the repository's ids are %.*s; only repositories with SHA-1 ids can be "
		       "fetched",
		       (int)(value.len > 20 ? 20 : value.len), value.ptr);
}

/* "symref=HEAD:refs/heads/main", which comes before the refs themselves. */
struct symref {
	char *target;
};

static void note_symref(struct symref *out, struct str value)
{
	size_t colon = str_find(value, ':', 0);

	if (!str_is(str_slice(value, 0, colon), "HEAD") || colon == value.len ||
	    str_has_control(value))
		return;
	free(out->target);
	out->target = str_dup(str_after(value, colon + 1));
}

static int take_capability(struct git_advert *a, struct symref *head, struct str word,
			   struct err *err)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "shallow", &a->shallow },
		{ "filter", &a->filter },
		{ "allow-reachable-sha1-in-want", &a->any_want },
		{ "side-band-64k", &a->side_band },
		{ "thin-pack", &a->thin_pack },
		{ "ofs-delta", &a->ofs_delta },
		{ "multi_ack", &a->multi_ack },
		{ "multi_ack_detailed", &a->multi_ack_detailed },
	};
	size_t equals = str_find(word, '=', 0);
	struct str name = str_slice(word, 0, equals), value = str_after(word, equals + 1);

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		*flags[i].flag |= str_is(word, flags[i].name);
	if (str_is(name, "agent"))
		a->is_git = str_starts(value, "git/");
	if (str_is(name, "symref"))
		note_symref(head, value);
	return str_is(name, "object-format") ? check_format(value, err) : 0;
}

static int take_capabilities(struct git_advert *a, struct symref *head, struct str words,
			     struct err *err)
{
	struct str word;

	while (str_split(&words, ' ', &word)) {
		if (take_capability(a, head, word, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- versions 0 and 1 ---- */

static int take_ref(struct git_advert *a, struct symref *head, struct str line, struct err *err)
{
	size_t nul = str_find(line, '\0', 0);
	struct str name;
	git_oid id;

	if (nul < line.len && take_capabilities(a, head, str_after(line, nul + 1), err) < 0)
		return -1;
	if (read_id(&id, &name, str_slice(line, 0, nul), err) < 0)
		return -1;
	/* An empty repository has one line, of capabilities; "^{}" is what a tag points at. */
	if (!str_is(name, "capabilities^{}") && !str_ends(name, "^{}"))
		add(&a->refs, &id, name);
	return 0;
}

static int read_refs(struct git_advert *a, struct git_pkt_reader *lines, struct git_pkt *pkt,
		     size_t *bytes, struct err *err)
{
	struct symref head = { 0 };
	int rc = 0;

	while (rc == 0 && pkt->kind == GIT_PKT_LINE) {
		if (!str_starts(pkt->text, "shallow "))
			rc = take_ref(a, &head, pkt->text, err);
		if (rc == 0)
			rc = read_line(pkt, lines, bytes, err);
	}
	if (rc == 0 && pkt->kind == GIT_PKT_END)
		rc = broken_off(err);
	struct git_ref *ref = (struct git_ref *)git_ref_find(&a->refs, "HEAD");
	if (ref && head.target && strcmp(ref->name, "HEAD") == 0)
		ref->target = head.target;
	else
		free(head.target);
	return rc;
}

/* ---- version 2 ---- */

/* "fetch=shallow wait-for-done filter" */
static int take_v2_capability(struct git_advert *a, struct str line, struct err *err)
{
	struct symref head = { 0 }; /* there is none in version 2, whatever it says */

	int rc = str_starts(line, "fetch=")
			 ? take_capabilities(a, &head, str_after(line, strlen("fetch=")), err)
			 : take_capability(a, &head, line, err);
	free(head.target);
	return rc;
}

static int read_v2(struct git_advert *a, struct git_pkt_reader *lines, size_t *bytes,
		   struct err *err)
{
	struct git_pkt pkt;

	a->v2 = a->side_band = a->thin_pack = a->ofs_delta = a->any_want = true;
	for (;;) {
		if (read_line(&pkt, lines, bytes, err) < 0)
			return -1;
		if (pkt.kind != GIT_PKT_LINE)
			return pkt.kind == GIT_PKT_FLUSH ? 0 : broken_off(err);
		if (take_v2_capability(a, pkt.text, err) < 0)
			return -1;
	}
}

void git_refs_request(struct buf *out, const char *const *prefixes, size_t len)
{
	git_pkt_addf(out, "command=ls-refs");
	git_pkt_addf(out, "agent=slipway/%s", SLIPWAY_VERSION);
	git_pkt_add_delim(out);
	git_pkt_addf(out, "symrefs");
	for (size_t i = 0; i < len; i++)
		git_pkt_addf(out, "ref-prefix %s", prefixes[i]);
	git_pkt_add_flush(out);
}

/* "0123… HEAD symref-target:refs/heads/main" */
static int take_v2_ref(struct git_refs *refs, struct str line, struct err *err)
{
	struct str rest, word;
	git_oid id;

	if (read_id(&id, &rest, line, err) < 0)
		return -1;
	if (!str_split(&rest, ' ', &word))
		return nonsense(err, line);
	struct git_ref *ref = add(refs, &id, word);
	while (str_split(&rest, ' ', &word)) {
		if (!ref->target && str_starts(word, "symref-target:"))
			ref->target = str_dup(str_after(word, strlen("symref-target:")));
	}
	return 0;
}

int git_refs_read(struct git_refs *out, struct git_pkt_reader *lines, struct err *err)
{
	struct git_pkt pkt;
	size_t bytes = 0;

	git_pkt_limit(lines, GIT_PKT_REF_BYTES);
	for (;;) {
		if (read_line(&pkt, lines, &bytes, err) < 0)
			return -1;
		if (pkt.kind != GIT_PKT_LINE)
			return pkt.kind == GIT_PKT_FLUSH ? 0 : broken_off(err);
		if (take_v2_ref(out, pkt.text, err) < 0)
			return -1;
	}
}

/* ---- the whole ---- */

/* Over HTTP the lines may begin with "# service=git-upload-pack" and a flush. */
static int skip_banner(struct git_pkt *pkt, struct git_pkt_reader *lines, size_t *bytes,
		       struct err *err)
{
	if (read_line(pkt, lines, bytes, err) < 0)
		return -1;
	if (pkt->kind != GIT_PKT_LINE || !str_starts(pkt->text, "# service="))
		return 0;
	if (read_line(pkt, lines, bytes, err) < 0)
		return -1;
	return pkt->kind == GIT_PKT_FLUSH ? read_line(pkt, lines, bytes, err) : 0;
}

int git_advert_read(struct git_advert *out, struct git_pkt_reader *lines, struct err *err)
{
	struct git_pkt pkt;
	size_t bytes = 0;

	*out = (struct git_advert){ 0 };
	git_pkt_limit(lines, GIT_PKT_REF_BYTES);
	int rc = skip_banner(&pkt, lines, &bytes, err);
	if (rc == 0 && pkt.kind == GIT_PKT_LINE && str_is(pkt.text, "version 2"))
		rc = read_v2(out, lines, &bytes, err);
	else if (rc == 0 && pkt.kind == GIT_PKT_LINE && str_is(pkt.text, "version 1"))
		rc = read_line(&pkt, lines, &bytes, err);
	if (rc == 0 && !out->v2)
		rc = read_refs(out, lines, &pkt, &bytes, err);
	if (rc < 0)
		git_advert_release(out);
	return rc;
}

void git_advert_release(struct git_advert *a)
{
	git_refs_release(&a->refs);
}
