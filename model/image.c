#include "model/image.h"

#include <ctype.h>

enum {
	NAME_MAX_BYTES = 255, /* registry and repository together, as the distribution has it */
	TAG_MAX_BYTES = 128,
	DIGEST_HEX = 64,
};

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* [A-Za-z0-9] with '-' inside. */
static bool is_host_label(struct str s)
{
	if (s.len == 0 || !alnum(s.ptr[0]) || !alnum(s.ptr[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!alnum(s.ptr[i]) && s.ptr[i] != '-')
			return false;
	return true;
}

static bool is_host(struct str s)
{
	struct str label;

	if (s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']') {
		for (size_t i = 1; i + 1 < s.len; i++)
			if (!isxdigit((unsigned char)s.ptr[i]) && s.ptr[i] != ':')
				return false;
		return true;
	}
	while (str_split(&s, '.', &label))
		if (!is_host_label(label))
			return false;
	return true;
}

/* host[:port] */
static bool is_registry(struct str s)
{
	size_t colon = s.len;
	uint64_t port;

	while (colon > 0 && s.ptr[colon - 1] != ':' && s.ptr[colon - 1] != ']')
		colon--;
	if (colon == 0 || s.ptr[colon - 1] == ']')
		return is_host(s);
	return str_to_u64(str_after(s, colon), 65535, &port) && port > 0 &&
	       is_host(str_slice(s, 0, colon - 1));
}

/* How many bytes of a separator stand at s: one '.', one or two '_', or any number of '-'. */
static size_t separator_length(struct str s)
{
	size_t n = 0;

	if (s.len && s.ptr[0] == '.')
		return 1;
	if (s.len && s.ptr[0] == '_')
		return s.len > 1 && s.ptr[1] == '_' ? 2 : 1;
	while (n < s.len && s.ptr[n] == '-')
		n++;
	return n;
}

/* Runs of [a-z0-9] with one separator between two of them. */
static bool is_path_component(struct str s)
{
	for (;;) {
		size_t n = 0;
		while (n < s.len && lower_or_digit(s.ptr[n]))
			n++;
		if (n == 0)
			return false;
		if (n == s.len)
			return true;
		s = str_after(s, n);
		n = separator_length(s);
		if (n == 0)
			return false;
		s = str_after(s, n);
	}
}

static bool is_repository(struct str s)
{
	struct str component;

	while (str_split(&s, '/', &component))
		if (!is_path_component(component))
			return false;
	return true;
}

static bool in_tag(char c)
{
	return alnum(c) || c == '_' || c == '.' || c == '-';
}

static bool is_tag(struct str s)
{
	if (s.len == 0 || s.len > TAG_MAX_BYTES || s.ptr[0] == '.' || s.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!in_tag(s.ptr[i]))
			return false;
	return true;
}

static bool is_digest(struct str s)
{
	if (!str_starts(s, "sha256:") || s.len != strlen("sha256:") + DIGEST_HEX)
		return false;
	for (size_t i = strlen("sha256:"); i < s.len; i++)
		if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
			return false;
	return true;
}

static bool names_registry(struct str first)
{
	return str_find(first, '.', 0) < first.len || str_find(first, ':', 0) < first.len ||
	       str_is(first, "localhost");
}

struct parts {
	struct str registry, repository, tag, digest;
	bool has_tag, has_digest;
};

/* Cut the text where the grammar cuts it; whether the parts are right is asked afterwards. */
static struct parts cut(struct str text)
{
	struct parts p = { 0 };
	size_t at = str_find(text, '@', 0);
	size_t slash, colon;

	if (at < text.len) {
		p.has_digest = true;
		p.digest = str_after(text, at + 1);
		text = str_slice(text, 0, at);
	}
	slash = str_find(text, '/', 0);
	if (slash < text.len && names_registry(str_slice(text, 0, slash))) {
		p.registry = str_slice(text, 0, slash);
		text = str_after(text, slash + 1);
	}
	colon = str_find(text, ':', 0);
	if (colon < text.len) {
		p.has_tag = true;
		p.tag = str_after(text, colon + 1);
	}
	p.repository = str_slice(text, 0, colon);
	return p;
}

static const char *whats_wrong(struct str text, const struct parts *p)
{
	if (text.len == 0)
		return "it is empty";
	if (text.ptr[0] == '-')
		return "it may not start with '-'";
	if (p->registry.len && !is_registry(p->registry))
		return "the registry must be a host name or address, with an optional :port";
	if (!is_repository(p->repository))
		return "the repository must be lower-case letters and digits, with '.', '_', '-' "
		       "or '/' between them";
	if (p->registry.len + 1 + p->repository.len > NAME_MAX_BYTES)
		return "registry and repository are longer than 255 bytes";
	if (p->has_tag && !is_tag(p->tag))
		return "the tag must be 1 to 128 of [A-Za-z0-9_.-] and may not start with '.' or "
		       "'-'";
	if (p->has_digest && !is_digest(p->digest))
		return "the digest must be sha256: and 64 lower-case hex digits";
	return NULL;
}

int image_parse(struct image *out, struct str text, struct err *err)
{
	struct parts p = cut(text);
	const char *wrong = whats_wrong(text, &p);

	if (wrong)
		return err_set(err, ERR_INVALID, "image_invalid", "'%.*s' is no image name: %s",
			       (int)(text.len > 200 ? 200 : text.len), text.ptr, wrong);
	*out = (struct image){
		.registry = p.registry.len ? str_dup(p.registry) : NULL,
		.repository = str_dup(p.repository),
		.tag = p.has_tag ? str_dup(p.tag) : NULL,
		.digest = p.has_digest ? str_dup(p.digest) : NULL,
	};
	return 0;
}

void image_copy(struct image *to, const struct image *from)
{
	struct image copy = {
		.registry = xstrdup(from->registry),
		.repository = xstrdup(from->repository),
		.tag = xstrdup(from->tag),
		.digest = xstrdup(from->digest),
	};
	image_release(to);
	*to = copy;
}

void image_release(struct image *image)
{
	if (!image)
		return;
	free(image->registry);
	free(image->repository);
	free(image->tag);
	free(image->digest);
	*image = (struct image){ 0 };
}

char *image_text(const struct image *i)
{
	return xasprintf("%s%s%s%s%s%s%s", i->registry ? i->registry : "", i->registry ? "/" : "",
			 i->repository, i->tag ? ":" : "", i->tag ? i->tag : "",
			 i->digest ? "@" : "", i->digest ? i->digest : "");
}
