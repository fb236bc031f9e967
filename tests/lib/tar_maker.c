#include "tests/lib/tar_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

enum { BLOCK = 512 };

/* All but the last byte of the field, from its end. */
static void put_octal(char *field, size_t width, size_t value)
{
	for (size_t i = width - 1; i-- > 0; value /= 8)
		field[i] = (char)('0' + value % 8);
}

void tar_header(struct buf *tar, char type, struct str name, size_t size, unsigned mode,
		const char *link)
{
	char block[BLOCK] = { 0 };
	unsigned sum = 0;

	memcpy(block, name.ptr, name.len < 100 ? name.len : 100);
	put_octal(block + 100, 8, mode);
	put_octal(block + 108, 8, 0);
	put_octal(block + 116, 8, 0);
	put_octal(block + 124, 12, size);
	put_octal(block + 136, 12, 1700000000);
	memset(block + 148, ' ', 8);
	block[156] = type;
	if (link)
		memcpy(block + 157, link, strlen(link) < 100 ? strlen(link) : 100);
	memcpy(block + 257,
	       "ustar\0"
	       "00",
	       8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 7, sum);
	buf_add(tar, block, BLOCK);
}

void tar_data(struct buf *tar, struct str data)
{
	static const char zeros[BLOCK] = { 0 };

	buf_addstr(tar, data);
	if (data.len % BLOCK)
		buf_add(tar, zeros, BLOCK - data.len % BLOCK);
}

void tar_file(struct buf *tar, const char *name, const char *text)
{
	tar_header(tar, '0', str_from(name), strlen(text), 0644, NULL);
	tar_data(tar, str_from(text));
}

void tar_folder(struct buf *tar, const char *name)
{
	tar_header(tar, '5', str_from(name), 0, 0755, NULL);
}

void tar_symlink(struct buf *tar, const char *name, const char *target)
{
	tar_header(tar, '2', str_from(name), 0, 0777, target);
}

void tar_hard_link(struct buf *tar, const char *name, const char *target)
{
	tar_header(tar, '1', str_from(name), 0, 0644, target);
}

void tar_pax(struct buf *tar, char type, const char *key, struct str value)
{
	struct buf record = BUF_INIT;
	size_t rest = strlen(key) + value.len + 3, len = rest + 1;

	/* The length counts its own digits. */
	while ((size_t)snprintf(NULL, 0, "%zu", len) + rest != len)
		len++;
	buf_addf(&record, "%zu %s=", len, key);
	buf_addstr(&record, value);
	buf_addc(&record, '\n');
	tar_header(tar, type, STR("pax"), record.len, 0644, NULL);
	tar_data(tar, buf_str(&record));
	buf_release(&record);
}

void tar_gnu_long(struct buf *tar, char type, struct str text)
{
	struct buf terminated = BUF_INIT;

	buf_addstr(&terminated, text);
	buf_addc(&terminated, '\0');
	tar_header(tar, type, STR("././@LongLink"), terminated.len, 0644, NULL);
	tar_data(tar, buf_str(&terminated));
	buf_release(&terminated);
}

void tar_end(struct buf *tar)
{
	static const char zeros[2 * BLOCK] = { 0 };
	buf_add(tar, zeros, sizeof zeros);
}

static la_ssize_t on_write(struct archive *archive, void *out, const void *bytes, size_t len)
{
	(void)archive;
	buf_add(out, bytes, len);
	return (la_ssize_t)len;
}

void tar_compress(struct buf *out, struct str tar, const char *filter)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	archive_write_set_format_raw(archive);
	if (archive_write_add_filter_by_name(archive, filter) != ARCHIVE_OK)
		abort();
	archive_write_set_bytes_per_block(archive, 0);
	if (archive_write_open(archive, out, NULL, on_write, NULL) != ARCHIVE_OK)
		abort();
	archive_entry_set_pathname(entry, "tar");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(archive, entry);
	if (archive_write_data(archive, tar.ptr, tar.len) != (la_ssize_t)tar.len ||
	    archive_write_close(archive) != ARCHIVE_OK)
		abort();
	archive_entry_free(entry);
	archive_write_free(archive);
}
