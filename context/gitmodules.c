#include "context/gitmodules.h"

#include "common/buf.h"
#include "common/scope.h"
#include "context/submodule_url.h"

/* Where the reader is. `line` is that of the byte that was read last. */
struct reader {
	struct str text;
	size_t at;
	int line;
	bool ended_line; /* by the byte that was read last */
	bool at_end;
	struct buf section;       /* "submodule.NAME", as git joins it */
	struct gitmodule *module; /* that the section is about, or NULL */
};

static int refuse(const struct reader *r, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "git_unsafe_submodule", ".gitmodules line %d: %s", r->line,
		       why);
}

/* ---- bytes: config.c of git, function by function ---- */

/* CR LF is one LF, and the end of the file ends its last line. */
static int next(struct reader *r)
{
	r->line += r->ended_line;
	r->ended_line = false;
	if (r->at >= r->text.len) {
		r->at_end = true;
		return '\n';
	}
	unsigned char c = (unsigned char)r->text.ptr[r->at++];
	if (c == '\r' && r->at < r->text.len && r->text.ptr[r->at] == '\n')
		c = (unsigned char)r->text.ptr[r->at++];
	r->ended_line = c == '\n';
	return c;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key_byte(int c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

static char lower(int c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* ---- [section "extension"] ---- */

static int read_extension(struct reader *r, int c, struct err *err)
{
	while (is_blank(c) && c != '\n')
		c = next(r);
	if (c != '"')
		return refuse(r, "the name of a section must stand in quotes", err);
	buf_addc(&r->section, '.');
	while ((c = next(r)) != '"') {
		if (c == '\\')
			c = next(r);
		if (c == '\n')
			return refuse(r, "the name of the section does not end in this line", err);
		buf_addc(&r->section, (char)c);
	}
	return next(r) == ']' ? 0 : refuse(r, "the section does not end with ']'", err);
}

static int read_section(struct reader *r, struct err *err)
{
	int c;

	buf_clear(&r->section);
	while ((c = next(r)) != ']') {
		if (is_blank(c))
			return read_extension(r, c, err);
		if (!is_key_byte(c) && c != '.')
			return refuse(r, "this is no section of a git configuration", err);
		buf_addc(&r->section, lower(c));
	}
	return 0;
}

/* ---- key = value ---- */

/* What stands behind a backslash means; 0 for what may not stand there. */
static char escaped(int c)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const char *found = c ? strchr(from, c) : NULL;

	return found ? to[found - from] : 0;
}

/* Blanks at both ends go, unless they are quoted; so does a comment. */
static int read_value(struct reader *r, struct buf *value, struct err *err)
{
	bool quoted = false, comment = false;
	size_t end = 0;
	int c;

	while ((c = next(r)) != '\n' || quoted) {
		if (c == '\n')
			return refuse(r, "the quotes do not end in this line", err);
		comment |= !quoted && (c == '#' || c == ';');
		if (comment || (is_blank(c) && !quoted && value->len == 0))
			continue;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		bool blank = is_blank(c) && !quoted;
		if (c == '\\') {
			c = next(r);
			if (c == '\n')
				continue; /* the value goes on in the next line */
			c = escaped(c);
			if (!c)
				return refuse(r, "an escape that git does not know", err);
		}
		buf_addc(value, (char)c);
		end = blank ? end : value->len;
	}
	buf_truncate(value, end);
	return 0;
}

/* *has_value: a key alone is a switch that is on. */
static int read_entry(struct reader *r, int c, struct buf *key, struct buf *value, bool *has_value,
		      struct err *err)
{
	for (; is_key_byte(c); c = next(r))
		buf_addc(key, lower(c));
	while (c == ' ' || c == '\t')
		c = next(r);
	*has_value = c == '=';
	if (*has_value)
		return read_value(r, value, err);
	return c == '\n' ? 0 : refuse(r, "a key must be followed by '='", err);
}

/* ---- what it means ---- */

/* git's check_submodule_name(), and what nobody writes but to do harm. */
static const char *wrong_with_path(struct str path)
{
	struct str part;
	bool has_up = false;
	size_t from = 0;

	for (size_t i = 0; i <= path.len; i++) {
		if (i < path.len && path.ptr[i] != '/' && path.ptr[i] != '\\')
			continue;
		part = str_slice(path, from, i);
		has_up |= str_is(part, "..");
		from = i + 1;
	}
	if (path.len == 0)
		return "is empty";
	if (path.ptr[0] == '-')
		return "begins with '-'";
	if (path.ptr[0] == '/' || path.ptr[0] == '\\')
		return "is absolute";
	if (str_has_control(path))
		return "holds a control character";
	return has_up ? "holds '..'" : NULL;
}

static int check_path(const struct reader *r, const char *what, struct str path, struct err *err)
{
	const char *wrong = wrong_with_path(path);

	if (!wrong)
		return 0;
	return err_set(err, ERR_INVALID, "git_unsafe_submodule",
		       ".gitmodules line %d: the %s \"%.*s\" %s", r->line, what,
		       (int)(path.len > 200 ? 200 : path.len), path.ptr, wrong);
}

static struct gitmodule *find_name(const struct gitmodules *m, struct str name)
{
	for (size_t i = 0; i < m->len; i++) {
		if (str_is(name, m->items[i].name))
			return &m->items[i];
	}
	return NULL;
}

/* Sections of one name are one entry. */
static int enter_section(struct reader *r, struct gitmodules *m, struct err *err)
{
	static const char prefix[] = "submodule.";
	struct str section = buf_str(&r->section);

	r->module = NULL;
	if (!str_starts(section, prefix))
		return 0;
	struct str name = str_after(section, sizeof prefix - 1);
	if (check_path(r, "name", name, err) < 0)
		return -1;
	r->module = find_name(m, name);
	if (r->module)
		return 0;
	if (m->len >= GITMODULES_ENTRIES)
		return err_set(err, ERR_LIMIT, "git_unsafe_submodule",
			       ".gitmodules has more than %d entries", GITMODULES_ENTRIES);
	if (m->len == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->items = xreallocarray(m->items, m->cap, sizeof *m->items);
	}
	r->module = &m->items[m->len++];
	*r->module = (struct gitmodule){ .name = str_dup(name) };
	return 0;
}

static int set_path(struct reader *r, struct str value, struct err *err)
{
	if (check_path(r, "path", value, err) < 0)
		return -1;
	free(r->module->path);
	r->module->path = str_dup(value);
	r->module->path_line = r->line;
	return 0;
}

static int set_url(struct reader *r, struct str value, struct err *err)
{
	if (submodule_url_check(value, err) < 0)
		return err_wrap(err, ".gitmodules line %d", r->line);
	free(r->module->url);
	r->module->url = str_dup(value);
	r->module->url_line = r->line;
	return 0;
}

static int set_update(struct reader *r, struct str value, struct err *err)
{
	(void)err;
	r->module->skip = str_is(value, "none");
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct reader *r, struct str value, struct err *err);
} keys[] = {
	{ "path", set_path },
	{ "url", set_url },
	{ "update", set_update },
};

static int apply(struct reader *r, struct str key, struct str value, bool has_value,
		 struct err *err)
{
	for (size_t i = 0; r->module && i < ARRAY_LEN(keys); i++) {
		if (!str_is(key, keys[i].key))
			continue;
		return has_value ? keys[i].set(r, value, err)
				 : refuse(r, "path, url and update need a value", err);
	}
	return 0;
}

/* ---- the whole ---- */

static int read_key(struct reader *r, int c, struct err *err)
{
	cleanup_buf struct buf key = BUF_INIT, value = BUF_INIT;
	bool has_value;

	if (!is_letter(c))
		return refuse(r, "this is no key of a git configuration", err);
	if (read_entry(r, c, &key, &value, &has_value, err) < 0)
		return -1;
	return apply(r, buf_str(&key), buf_str(&value), has_value, err);
}

static int read_all(struct reader *r, struct gitmodules *m, struct err *err)
{
	int c, rc = 0;

	while (rc == 0) {
		c = next(r);
		if (c == '#' || c == ';') {
			while (c != '\n')
				c = next(r);
		}
		if (r->at_end)
			return 0;
		if (is_blank(c))
			continue;
		if (c != '[')
			rc = read_key(r, c, err);
		else if ((rc = read_section(r, err)) == 0)
			rc = enter_section(r, m, err);
	}
	return rc;
}

int gitmodules_read(struct gitmodules *out, struct str text, struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct gitmodules m = { 0 };

	if (text.len > GITMODULES_BYTES)
		return err_set(err, ERR_LIMIT, "git_unsafe_submodule",
			       ".gitmodules has more than %d bytes", GITMODULES_BYTES);
	struct reader r = {
		.text = str_starts(text, bom) ? str_after(text, sizeof bom - 1) : text,
		.line = 1,
	};
	int rc = read_all(&r, &m, err);
	buf_release(&r.section);
	if (rc < 0)
		gitmodules_release(&m);
	else
		*out = m;
	return rc;
}

void gitmodules_release(struct gitmodules *m)
{
	for (size_t i = 0; i < m->len; i++) {
		free(m->items[i].name);
		free(m->items[i].path);
		free(m->items[i].url);
	}
	free(m->items);
	*m = (struct gitmodules){ 0 };
}

const struct gitmodule *gitmodules_find(const struct gitmodules *m, struct str path)
{
	const struct gitmodule *found = NULL;

	for (size_t i = 0; i < m->len; i++) {
		const struct gitmodule *one = &m->items[i];
		if (one->path && str_is(path, one->path) &&
		    (!found || one->path_line > found->path_line))
			found = one;
	}
	return found;
}
