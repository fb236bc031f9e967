#include "runner/exec/git_advert.h"

#include "common/crypto.h"

enum {
	ADVERT_BYTES = 64 * 1024 * 1024,
	LINE_BYTES = 4 * 1024, /* an id, a name of at most 1 KiB, and the capabilities */
};

/* "001e": the length of a line with these four digits; 0000 ends a part. */
static int start_line(struct git_advert *a, struct err *err)
{
	unsigned char length[2];

	a->digits_len = 0;
	if (!hex_decode(length, sizeof length, (struct str){ a->digits, sizeof a->digits }))
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server does not speak the git protocol");
	size_t whole = (size_t)length[0] << 8 | length[1];
	if (whole > LINE_BYTES)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the server sent a ref with a name of over %d bytes", LINE_BYTES);
	a->left = whole > sizeof a->digits ? whole - sizeof a->digits : 0;
	return 0;
}

int git_advert_feed(struct git_advert *a, struct str bytes, struct err *err)
{
	a->bytes += (int64_t)bytes.len;
	if (a->bytes > ADVERT_BYTES)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the server sent a list of refs of over %d MiB",
			       ADVERT_BYTES / (1024 * 1024));
	while (bytes.len) {
		size_t n = a->left < bytes.len ? a->left : bytes.len;
		a->left -= n;
		bytes = str_after(bytes, n);
		if (!bytes.len)
			break;
		a->digits[a->digits_len++] = bytes.ptr[0];
		bytes = str_after(bytes, 1);
		if (a->digits_len == sizeof a->digits && start_line(a, err) < 0)
			return -1;
	}
	return 0;
}
