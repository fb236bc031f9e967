/* The other half of value.h: from values back to text, and their end. */
#include "common/secret.h"
#include "common/strvec.h"
#include "config/value.h"
#include "model/address.h"

static void *field(const void *base, size_t offset)
{
	return (char *)base + offset;
}

void size_print(struct buf *out, int64_t bytes, bool units)
{
	static const char names[] = "KMG";
	int unit = -1;

	while (units && unit < 2 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	buf_addf(out, "%lld", (long long)bytes);
	if (unit >= 0)
		buf_addc(out, names[unit]);
}

/* Bare where YAML cannot misread it, else in single quotes. Texts hold no control characters. */
static void print_text(struct buf *out, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/";
	size_t bare = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789/._:@%+-");

	if (strchr(letters, text[0]) && text[bare] == '\0' && !str_ends(str_from(text), ":") &&
	    strcmp(text, "null") != 0) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '\'');
	for (; *text; text++)
		buf_adds(out, *text == '\'' ? "''" : (char[]){ *text, '\0' });
	buf_addc(out, '\'');
}

static void print_texts(struct buf *out, const struct strvec *list)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < list->len; i++) {
		buf_adds(out, i ? ", " : " ");
		print_text(out, list->items[i]);
	}
	buf_adds(out, list->len ? " ]" : "]");
}

static void print_cidrs(struct buf *out, const struct cidr *list, size_t len)
{
	struct strvec texts = { 0 };
	char text[CIDR_TEXT_BYTES];

	for (size_t i = 0; i < len; i++)
		strvec_push(&texts, cidr_format(text, &list[i]));
	print_texts(out, &texts);
	strvec_release(&texts);
}

static void print_ports(struct buf *out, const uint16_t *list, size_t len)
{
	struct strvec texts = { 0 };

	for (size_t i = 0; i < len; i++)
		strvec_pushf(&texts, "%u", list[i]);
	print_texts(out, &texts);
	strvec_release(&texts);
}

bool value_is_set(const void *base, const struct key *key)
{
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_CHOICE:
	case KEY_PATH: return *(char **)field(base, key->offset) != NULL;
	case KEY_SECRET: return *(char **)field(base, key->from) != NULL;
	case KEY_SECRETS: return *(size_t *)field(base, key->len) > 0;
	default: return true;
	}
}

void value_print(const void *base, const struct key *key, struct buf *out)
{
	const void *at = field(base, key->offset);

	if (!value_is_set(base, key))
		return;
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_CHOICE:
	case KEY_PATH: print_text(out, *(char *const *)at); break;
	case KEY_COUNT: size_print(out, *(const int64_t *)at, false); break;
	case KEY_SIZE: size_print(out, *(const int64_t *)at, true); break;
	case KEY_DECIMAL: buf_addf(out, "%.10g", *(const double *)at); break;
	case KEY_BOOL: buf_adds(out, *(const bool *)at ? "true" : "false"); break;
	case KEY_SECRET: print_text(out, *(char **)field(base, key->from)); break;
	case KEY_SECRETS: print_texts(out, field(base, key->from)); break;
	case KEY_TEXTS:
	case KEY_CHOICES: print_texts(out, at); break;
	case KEY_PORTS:
		print_ports(out, *(uint16_t *const *)at, *(size_t *)field(base, key->len));
		break;
	case KEY_CIDRS:
		print_cidrs(out, *(struct cidr *const *)at, *(size_t *)field(base, key->len));
		break;
	case KEY_SECTION:
	case KEY_LIST: break;
	}
}

void value_release(void *base, const struct key *key)
{
	void *at = field(base, key->offset);

	switch (key->kind) {
	case KEY_TEXT:
	case KEY_CHOICE:
	case KEY_PATH:
	case KEY_PORTS:
	case KEY_CIDRS: free(*(void **)at); break;
	case KEY_SECRET:
		secret_release(at);
		free(*(char **)field(base, key->from));
		break;
	case KEY_SECRETS:
		for (size_t i = 0; i < *(size_t *)field(base, key->len); i++)
			secret_release(&(*(struct secret **)at)[i]);
		free(*(void **)at);
		strvec_release(field(base, key->from));
		break;
	case KEY_TEXTS:
	case KEY_CHOICES: strvec_release(at); break;
	case KEY_COUNT:
	case KEY_SIZE:
	case KEY_DECIMAL:
	case KEY_BOOL:
	case KEY_SECTION:
	case KEY_LIST: break;
	}
}
