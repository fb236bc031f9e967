#include "cli/filter_text.h"

#include "model/run.h"

static void add_quoted(struct buf *filter, const char *value)
{
	buf_addc(filter, '\'');
	for (; *value; value++) {
		if (*value == '\'')
			buf_addc(filter, '\'');
		buf_addc(filter, *value);
	}
	buf_addc(filter, '\'');
}

static void join(struct buf *filter)
{
	if (filter->len)
		buf_adds(filter, " and ");
}

void filter_text_add(struct buf *filter, const char *prefix, const char *value)
{
	if (!value)
		return;
	join(filter);
	buf_adds(filter, prefix);
	add_quoted(filter, value);
}

void filter_text_contains(struct buf *filter, const char *property, const char *value)
{
	if (!value)
		return;
	join(filter);
	buf_addf(filter, "contains(%s,", property);
	add_quoted(filter, value);
	buf_addc(filter, ')');
}

int filter_text_status(struct buf *filter, const char *status, struct err *err)
{
	enum run_status value;

	if (!status)
		return 0;
	if (run_status_parse(&value, str_from(status)) < 0)
		return err_set(
			err, ERR_INVALID, "usage",
			"--run-status wants Queued, Started, Running, Succeeded, Failed, Canceled, Error or "
			"Timeout, not '%.40s'",
			status);
	filter_text_add(filter, "Status eq ", run_status_name(value));
	return 0;
}
