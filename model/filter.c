/*
 * filter: recursive descent over
 *
 *   expr  := or
 *   or    := and ("or" and)*
 *   and   := term ("and" term)*
 *   term  := "(" expr ")" | "contains" "(" field "," string ")" | field compare value
 */
#include "model/filter.h"

#include <ctype.h>

#include "common/buf.h"
#include "common/clock.h"
#include "model/run.h"

enum { TEXT_MAX_BYTES = 2048, DEPTH_MAX = 32, TERMS_MAX = 64 };

enum value_kind { TEXT, STATUS, TYPE, TIME, BOOLEAN, IMAGES };

static const struct {
	const char *name;
	enum filter_field field;
	enum value_kind kind;
} fields[] = {
	{ "runId", FILTER_RUN_ID, TEXT },
	{ "runType", FILTER_RUN_TYPE, TYPE },
	{ "status", FILTER_STATUS, STATUS },
	{ "createTime", FILTER_CREATE_TIME, TIME },
	{ "finishTime", FILTER_FINISH_TIME, TIME },
	{ "outputImageManifests", FILTER_OUTPUT_IMAGES, IMAGES },
	{ "isArchiveEnabled", FILTER_ARCHIVED, BOOLEAN },
	{ "taskName", FILTER_TASK_NAME, TEXT },
	{ "branchName", FILTER_BRANCH, TEXT },
};

static const struct {
	const char *name;
	enum filter_op op;
} compares[] = {
	{ "eq", FILTER_EQ }, { "ne", FILTER_NE }, { "gt", FILTER_GT },
	{ "ge", FILTER_GE }, { "lt", FILTER_LT }, { "le", FILTER_LE },
};

struct parser {
	struct str text;
	size_t at;
	int depth, terms;
	struct err *err;
};

static int wrong(struct parser *p, size_t at, const char *what)
{
	return err_set(p->err, ERR_INVALID, "bad_filter", "$filter, column %zu: %s", at + 1, what);
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->text.len && (p->text.ptr[p->at] == ' ' || p->text.ptr[p->at] == '\t'))
		p->at++;
}

/* What names, keywords, times and numbers are made of. */
static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_.:+-", c));
}

/* May be empty. */
static struct str peek_word(struct parser *p)
{
	skip_blanks(p);
	size_t end = p->at;
	while (end < p->text.len && in_word(p->text.ptr[end]))
		end++;
	return str_slice(p->text, p->at, end);
}

static struct str take_word(struct parser *p)
{
	struct str word = peek_word(p);
	p->at += word.len;
	return word;
}

static bool take_char(struct parser *p, char c)
{
	skip_blanks(p);
	if (p->at == p->text.len || p->text.ptr[p->at] != c)
		return false;
	p->at++;
	return true;
}

/* 'text', with '' for a quote. *out is the caller's. */
static int take_string(struct parser *p, char **out)
{
	struct buf text = BUF_INIT;
	size_t start = p->at;

	if (!take_char(p, '\''))
		return wrong(p, p->at, "expected a value in single quotes");
	for (;;) {
		size_t end = str_find(p->text, '\'', p->at);
		if (end == p->text.len) {
			buf_release(&text);
			return wrong(p, start, "the quote is not closed");
		}
		buf_addstr(&text, str_slice(p->text, p->at, end));
		p->at = end + 1;
		if (p->at == p->text.len || p->text.ptr[p->at] != '\'')
			break;
		buf_addc(&text, '\'');
		p->at++;
	}
	if (memchr(text.ptr ? text.ptr : "", '\0', text.len)) {
		buf_release(&text);
		return wrong(p, start, "a value may not hold a NUL");
	}
	*out = buf_detach(&text);
	return 0;
}

static int take_field(struct parser *p, size_t *out)
{
	const char *names[ARRAY_LEN(fields) + 1] = { 0 };
	size_t start = p->at;
	struct str word = take_word(p);

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		names[i] = fields[i].name;
		if (str_is_i(word, fields[i].name)) {
			*out = i;
			return 0;
		}
	}
	const char *nearest = str_nearest(word, names);
	struct buf known = BUF_INIT;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		buf_addf(&known, "%s%s", i ? ", " : "", fields[i].name);
	err_set(p->err, ERR_INVALID, "bad_filter",
		"$filter, column %zu: '%.*s' is no property%s%s%s; there are %s", start + 1,
		(int)(word.len > 60 ? 60 : word.len), word.ptr, nearest ? " (did you mean " : "",
		nearest ? nearest : "", nearest ? "?)" : "", known.ptr);
	buf_release(&known);
	return -1;
}

/* ---- values ---- */

static int take_status(struct parser *p, struct filter *f, enum value_kind kind, size_t at)
{
	char *text = NULL;
	enum run_status status;
	enum run_type type;

	if (take_string(p, &text) < 0)
		return -1;
	const char *name = NULL;
	if (kind == STATUS && run_status_parse(&status, str_from(text)) == 0)
		name = run_status_name(status);
	if (kind == TYPE && run_type_parse(&type, str_from(text)) == 0)
		name = run_type_name(type);
	free(text);
	if (!name)
		return wrong(p, at,
			     kind == STATUS ? "a status is one of Queued, Started, Running, "
					      "Succeeded, Failed, Canceled, Error, Timeout"
					    : "a run type is one of QuickBuild, QuickRun, "
					      "AutoBuild, AutoRun");
	f->text = xstrdup(name);
	return 0;
}

/* A bare ISO literal; in quotes as well, because people write it so. */
static int take_time(struct parser *p, struct filter *f, size_t at)
{
	char *text = NULL;

	if (p->at < p->text.len && p->text.ptr[p->at] == '\'') {
		if (take_string(p, &text) < 0)
			return -1;
	} else {
		text = str_dup(take_word(p));
	}
	int rc = clock_parse(text, &f->number);
	free(text);
	return rc == 0 ? 0 : wrong(p, at, "a time looks like 2024-01-31T12:00:00Z");
}

static int take_boolean(struct parser *p, struct filter *f, size_t at)
{
	struct str word = take_word(p);

	f->number = str_is_i(word, "true");
	if (!f->number && !str_is_i(word, "false"))
		return wrong(p, at, "expected true or false");
	return 0;
}

static int take_value(struct parser *p, struct filter *f, enum value_kind kind)
{
	skip_blanks(p);
	switch (kind) {
	case TEXT: return take_string(p, &f->text);
	case TIME: return take_time(p, f, p->at);
	case BOOLEAN: return take_boolean(p, f, p->at);
	default: return take_status(p, f, kind, p->at);
	}
}

/* ---- terms ---- */

static int take_compare(struct parser *p, struct filter *f, size_t field)
{
	enum value_kind kind = fields[field].kind;
	skip_blanks(p);
	size_t at = p->at;
	struct str word = take_word(p);
	size_t i = 0;

	while (i < ARRAY_LEN(compares) && !str_is_i(word, compares[i].name))
		i++;
	if (i == ARRAY_LEN(compares))
		return wrong(p, at, "expected eq, ne, gt, ge, lt or le");
	if (kind == IMAGES)
		return wrong(p, at,
			     "outputImageManifests is searched with "
			     "contains(outputImageManifests, 'repository@sha256:…')");
	f->op = compares[i].op;
	if (kind != TIME && f->op != FILTER_EQ && f->op != FILTER_NE)
		return wrong(p, at, "only times have an order: use eq or ne");
	return take_value(p, f, kind);
}

static int take_contains(struct parser *p, struct filter *f)
{
	size_t field;

	f->op = FILTER_CONTAINS;
	if (!take_char(p, '('))
		return wrong(p, p->at, "expected '(' after contains");
	skip_blanks(p);
	size_t at = p->at;
	if (take_field(p, &field) < 0)
		return -1;
	if (fields[field].kind != IMAGES)
		return wrong(p, at, "contains() searches outputImageManifests only");
	f->field = fields[field].field;
	if (!take_char(p, ','))
		return wrong(p, p->at, "expected ','");
	skip_blanks(p);
	if (take_string(p, &f->text) < 0)
		return -1;
	return take_char(p, ')') ? 0 : wrong(p, p->at, "expected ')'");
}

static int take_expr(struct parser *p, struct filter **out);

static int take_group(struct parser *p, struct filter **out)
{
	if (p->depth == DEPTH_MAX)
		return wrong(p, p->at, "parentheses are nested more than 32 deep");
	p->depth++;
	if (take_expr(p, out) < 0)
		return -1;
	p->depth--;
	if (take_char(p, ')'))
		return 0;
	filter_destroy(*out);
	*out = NULL;
	return wrong(p, p->at, "expected ')', and or or");
}

static int take_term(struct parser *p, struct filter **out)
{
	if (take_char(p, '('))
		return take_group(p, out);
	if (p->terms++ == TERMS_MAX)
		return wrong(p, p->at, "there are more than 64 comparisons");

	struct filter *f = xnew(struct filter);
	size_t field;
	int rc;
	if (str_is_i(peek_word(p), "contains")) {
		take_word(p);
		rc = take_contains(p, f);
	} else {
		rc = take_field(p, &field);
		if (rc == 0) {
			f->field = fields[field].field;
			rc = take_compare(p, f, field);
		}
	}
	if (rc < 0)
		filter_destroy(f);
	else
		*out = f;
	return rc;
}

/* One or more of `part`, with `word` between them. */
static int take_chain(struct parser *p, struct filter **out, const char *word, enum filter_op op,
		      int (*part)(struct parser *, struct filter **))
{
	struct filter *left = NULL;

	if (part(p, &left) < 0)
		return -1;
	while (str_is_i(peek_word(p), word)) {
		struct filter *right = NULL;
		take_word(p);
		if (part(p, &right) < 0) {
			filter_destroy(left);
			return -1;
		}
		struct filter *both = xnew(struct filter);
		*both = (struct filter){ .op = op, .left = left, .right = right };
		left = both;
	}
	*out = left;
	return 0;
}

static int take_and(struct parser *p, struct filter **out)
{
	return take_chain(p, out, "and", FILTER_AND, take_term);
}

static int take_expr(struct parser *p, struct filter **out)
{
	return take_chain(p, out, "or", FILTER_OR, take_and);
}

int filter_parse(struct filter **out, struct str text, struct err *err)
{
	struct parser p = { .text = text, .err = err };
	struct filter *f = NULL;

	if (text.len > TEXT_MAX_BYTES)
		return err_set(err, ERR_INVALID, "bad_filter", "$filter is longer than 2048 bytes");
	if (take_expr(&p, &f) < 0)
		return -1;
	skip_blanks(&p);
	if (p.at < text.len) {
		filter_destroy(f);
		return wrong(&p, p.at, "expected and, or or the end");
	}
	*out = f;
	return 0;
}

void filter_destroy(struct filter *f)
{
	if (!f)
		return;
	filter_destroy(f->left);
	filter_destroy(f->right);
	free(f->text);
	free(f);
}
