#include "server/http/parse.h"

#include <http_parser.h>

struct parsing {
	http_parser parser;
	struct head *head;
	const char *start;
	bool in_value; /* the last callback was for a value */
	bool complete;
};

/* The library may hand out one piece of text in several adjacent parts. */
static void extend(struct parsing *p, struct span *s, const char *at, size_t len)
{
	if (s->len == 0)
		s->at = (uint32_t)(at - p->start);
	s->len += (uint32_t)len;
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
	struct parsing *p = parser->data;
	extend(p, &p->head->target, at, len);
	return 0;
}

static struct head_field *add_field(struct head *h)
{
	if (h->count == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 12;
		h->fields = xreallocarray(h->fields, h->cap, sizeof *h->fields);
	}
	h->fields[h->count] = (struct head_field){ 0 };
	return &h->fields[h->count++];
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
	struct parsing *p = parser->data;
	struct head *h = p->head;

	if (p->in_value || h->count == 0)
		add_field(h);
	p->in_value = false;
	extend(p, &h->fields[h->count - 1].name, at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct parsing *p = parser->data;
	struct head *h = p->head;

	p->in_value = true;
	if (h->count == 0)
		return 1;
	extend(p, &h->fields[h->count - 1].value, at, len);
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct parsing *p = parser->data;
	struct head *h = p->head;

	h->chunked = (parser->flags & F_CHUNKED) != 0;
	h->has_length = (parser->flags & F_CONTENTLENGTH) != 0;
	h->length = h->has_length ? parser->content_length : 0;
	h->http10 = parser->http_minor == 0;
	h->keep_alive = http_should_keep_alive(parser) != 0;
	h->method.len = (uint32_t)strlen(http_method_str((enum http_method)parser->method));
	p->complete = true;
	return 1; /* bodies are not the library's business: see body.c and chunked.c */
}

int head_parse(struct head *h, struct str text)
{
	static const http_parser_settings settings = {
		.on_url = on_url,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_headers_complete = on_headers_complete,
	};
	struct parsing p = { .head = h, .start = text.ptr };

	head_clear(h);
	/* The guard has the ceilings; the library's own is a global that must not be the lower. */
	http_parser_set_max_header_size(UINT32_MAX);
	http_parser_init(&p.parser, HTTP_REQUEST);
	p.parser.data = &p;
	h->method.at = str_starts(text, "\r\n") ? 2 : 0;
	size_t n = http_parser_execute(&p.parser, &settings, text.ptr, text.len);
	return n == text.len && p.complete && HTTP_PARSER_ERRNO(&p.parser) == HPE_OK ? 0 : -1;
}

void head_clear(struct head *h)
{
	*h = (struct head){ .fields = h->fields, .cap = h->cap };
}

void head_release(struct head *h)
{
	free(h->fields);
	*h = (struct head){ 0 };
}

bool head_next(const struct head *h, struct str text, const char *name, size_t *from,
	       struct str *value)
{
	struct str wanted = str_from(name);

	for (; *from < h->count; ++*from) {
		const struct head_field *f = &h->fields[*from];
		if (!str_ieq(span_of(f->name, text), wanted))
			continue;
		*value = str_trim(span_of(f->value, text));
		++*from;
		return true;
	}
	return false;
}

const char *http_reason(int status)
{
	return http_status_str((enum http_status)status);
}
