#include "runner/exec/dockerfile.h"

#include <ctype.h>

#include "common/buf.h"
#include "common/scope.h"

static const char *const instructions[] = {
	"ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
	"EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
	"RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR",
};

/* Where the scan stands. */
struct scan {
	struct dockerfile *d;
	struct str rest; /* lines not read yet */
	int line;        /* number of the one read last */
	char escape;     /* '\\', or '`' by directive */
	bool directives; /* only comments of the form "# key=value" so far */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Cut the first word off, with the blanks around it. */
static struct str next_word(struct str *rest)
{
	size_t from = 0, to;

	while (from < rest->len && is_blank(rest->ptr[from]))
		from++;
	to = from;
	while (to < rest->len && !is_blank(rest->ptr[to]))
		to++;
	struct str word = str_slice(*rest, from, to);
	*rest = str_after(*rest, to);
	return word;
}

static bool is_instruction(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
		if (str_is_i(word, instructions[i]))
			return true;
	}
	return false;
}

static bool next_line(struct scan *s, struct str *line)
{
	if (!str_split(&s->rest, '\n', line))
		return false;
	s->line++;
	while (line->len && is_blank(line->ptr[line->len - 1]))
		line->len--;
	return true;
}

/* "# escape=`" and "# syntax=docker/dockerfile:1", which only count before anything else. */
static void take_directive(struct scan *s, struct str comment)
{
	struct str value = str_after(comment, 1), key;

	if (!str_split(&value, '=', &key) || !value.ptr)
		return;
	key = str_trim(key);
	value = str_trim(value);
	if (str_is_i(key, "escape") && str_is(value, "`"))
		s->escape = '`';
	else if (str_is_i(key, "syntax") && !s->d->syntax && value.len)
		s->d->syntax = str_dup(value);
}

static bool is_directive(struct str comment)
{
	struct str rest = str_after(comment, 1), key;

	if (str_find(rest, '=', 0) == rest.len)
		return false;
	str_split(&rest, '=', &key);
	key = str_trim(key);
	for (size_t i = 0; i < key.len; i++) {
		if (!isalpha((unsigned char)key.ptr[i]))
			return false;
	}
	return key.len > 0;
}

static bool is_comment(struct str line)
{
	line = str_trim(line);
	return line.len && line.ptr[0] == '#';
}

/*
 * Add the lines that continue this one, as they are. Comments and empty lines between them do not
 * end it, as in Docker.
 */
static void join_lines(struct scan *s, struct buf *text, struct str line)
{
	while (line.len && line.ptr[line.len - 1] == s->escape) {
		buf_addstr(text, str_slice(line, 0, line.len - 1));
		do {
			if (!next_line(s, &line))
				return;
		} while (line.len == 0 || is_comment(line));
	}
	buf_addstr(text, line);
}

/* A word like <<EOF, <<-EOF, 3<<"EOF" opens a here-document; <<< does not. */
static bool opens_heredoc(struct str word)
{
	size_t i = 0;

	while (i < word.len && isdigit((unsigned char)word.ptr[i]))
		i++;
	if (!str_starts(str_after(word, i), "<<"))
		return false;
	i += 2;
	if (i < word.len && word.ptr[i] == '-')
		i++;
	char c = i < word.len ? word.ptr[i] : '\0';
	return isalpha((unsigned char)c) || c == '_' || c == '"' || c == '\'';
}

/* Powers that reach beyond the build. Engines that know these options would grant them. */
static int check_run_options(struct str words, int line, struct err *err)
{
	static const char *const denied[] = { "--security=insecure", "--network=host", "--device" };
	struct str word;

	while (word = next_word(&words), str_starts(word, "--")) {
		for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
			struct str start = str_slice(word, 0, strlen(denied[i]));
			if (str_is_i(start, denied[i]))
				return err_set(err, ERR_INVALID, "feature_denied",
					       "Dockerfile line %d: RUN %.60s is not permitted: "
					       "builds get no powers over the host",
					       line, denied[i]);
		}
	}
	return 0;
}

static int take_step(struct scan *s, struct str text, int line, struct err *err)
{
	struct dockerfile *d = s->d;
	struct str words = text, word = next_word(&words);

	if (str_is_i(word, "ONBUILD"))
		word = next_word(&words);
	if (!is_instruction(word))
		return 0;
	if (d->len == DOCKERFILE_INSTRUCTIONS_MAX)
		return err_set(err, ERR_LIMIT, "dockerfile_limit",
			       "Dockerfile line %d: more than %d instructions; join some, or split "
			       "the image",
			       line, DOCKERFILE_INSTRUCTIONS_MAX);
	d->steps = xreallocarray(d->steps, d->len + 1, sizeof *d->steps);
	d->steps[d->len++] = (struct dockerfile_step){ .line = line, .text = str_dup(text) };
	if (str_is_i(word, "RUN")) {
		d->runs = true;
		if (check_run_options(words, line, err) < 0)
			return -1;
	}
	while (word = next_word(&words), word.len)
		d->heredoc |= opens_heredoc(word);
	return 0;
}

static int scan_lines(struct scan *s, struct err *err)
{
	struct str line;

	while (next_line(s, &line)) {
		cleanup_buf struct buf text = BUF_INIT;
		int first = s->line;

		line = str_trim(line);
		if (is_comment(line)) {
			s->directives = s->directives && is_directive(line);
			if (s->directives)
				take_directive(s, line);
			continue;
		}
		s->directives = false;
		if (line.len == 0)
			continue;
		join_lines(s, &text, line);
		if (take_step(s, buf_str(&text), first, err) < 0)
			return -1;
	}
	return 0;
}

int dockerfile_scan(struct dockerfile *out, struct str text, struct err *err)
{
	struct dockerfile d = { 0 };
	struct scan s = { .d = &d, .rest = text, .escape = '\\', .directives = true };

	if (text.len && memchr(text.ptr, '\0', text.len))
		return err_set(err, ERR_INVALID, "dockerfile_invalid",
			       "the Dockerfile holds NUL bytes: it is not a text file");
	if (str_starts(s.rest, "\xef\xbb\xbf"))
		s.rest = str_after(s.rest, 3);
	if (scan_lines(&s, err) < 0) {
		dockerfile_release(&d);
		return -1;
	}
	if (d.len == 0) {
		dockerfile_release(&d);
		return err_set(err, ERR_INVALID, "dockerfile_invalid",
			       "the Dockerfile holds no instruction: it begins with FROM");
	}
	*out = d;
	return 0;
}

void dockerfile_release(struct dockerfile *d)
{
	for (size_t i = 0; i < d->len; i++)
		free(d->steps[i].text);
	free(d->steps);
	free(d->syntax);
	*d = (struct dockerfile){ 0 };
}

/* The next byte that counts, in lower case: blanks and the signs of JSON lists do not. -1: none. */
static int next_byte(struct str *s)
{
	while (s->len) {
		char c = s->ptr[0];
		*s = str_after(*s, 1);
		if (!is_blank(c) && !strchr("[]\",", c))
			return tolower((unsigned char)c);
	}
	return -1;
}

/* The engine prints RUN ["make", "all"] as RUN make all. */
static bool is_same(struct str a, struct str b)
{
	int x, y;

	do {
		x = next_byte(&a);
		y = next_byte(&b);
	} while (x == y && x >= 0);
	return x == y;
}

int dockerfile_line_of(const struct dockerfile *d, struct str text)
{
	int line = 0;

	for (size_t i = 0; i < d->len; i++) {
		if (!is_same(str_from(d->steps[i].text), text))
			continue;
		if (line)
			return 0;
		line = d->steps[i].line;
	}
	return line;
}
