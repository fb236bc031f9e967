#include "model/run.h"

static const char *const statuses[RUN_STATUSES] = {
	[RUN_QUEUED] = "Queued",       [RUN_STARTED] = "Started", [RUN_RUNNING] = "Running",
	[RUN_SUCCEEDED] = "Succeeded", [RUN_FAILED] = "Failed",   [RUN_CANCELED] = "Canceled",
	[RUN_ERROR] = "Error",         [RUN_TIMEOUT] = "Timeout",
};

static const char *const types[] = {
	[RUN_QUICK_BUILD] = "QuickBuild",
	[RUN_QUICK_RUN] = "QuickRun",
	[RUN_AUTO_BUILD] = "AutoBuild",
	[RUN_AUTO_RUN] = "AutoRun",
};

static void release_source(struct source_event *s)
{
	free(s->id);
	free(s->event_type);
	free(s->commit_id);
	free(s->repository_url);
	free(s->branch);
	free(s->provider);
}

void run_release(struct run *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->steps_len; i++)
		free(r->steps[i].name);
	for (size_t i = 0; i < r->images_len; i++)
		image_release(&r->images[i]);
	free(r->steps);
	free(r->images);
	free(r->id);
	free(r->registry);
	free(r->task);
	build_release(&r->build);
	release_source(&r->source);
	free(r->order_key);
	free(r->reason);
	free(r->error_code);
	free(r->error_message);
	free(r->commit);
	free(r->superseded_by);
	*r = (struct run){ 0 };
}

bool run_status_is_terminal(enum run_status s)
{
	return s >= RUN_SUCCEEDED;
}

const char *run_status_name(enum run_status s)
{
	return statuses[s];
}

static int find(const char *const *names, size_t len, struct str name)
{
	for (size_t i = 0; i < len; i++)
		if (str_is_i(name, names[i]))
			return (int)i;
	return -1;
}

int run_status_parse(enum run_status *out, struct str name)
{
	int i = find(statuses, ARRAY_LEN(statuses), name);
	if (i < 0)
		return -1;
	*out = (enum run_status)i;
	return 0;
}

const char *run_type_name(enum run_type t)
{
	return types[t];
}

int run_type_parse(enum run_type *out, struct str name)
{
	int i = find(types, ARRAY_LEN(types), name);
	if (i < 0)
		return -1;
	*out = (enum run_type)i;
	return 0;
}

void run_id_format(char out[RUN_ID_BYTES], const char *letters, int64_t counter)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char text[16]; /* 13 digits of base 36 hold 63 bits */
	size_t at = sizeof text;
	uint64_t rest = (uint64_t)counter;

	text[--at] = '\0';
	do {
		text[--at] = digits[rest % 36];
		rest /= 36;
	} while (rest);
	snprintf(out, RUN_ID_BYTES, "%.2s%s", letters, text + at);
}

void run_id_letters(char out[3], int n)
{
	out[0] = (char)('c' + n / 26);
	out[1] = (char)('a' + n % 26);
	out[2] = '\0';
}

bool run_id_is_valid(struct str text)
{
	if (text.len < 3 || text.len > 15)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(i >= 2 && c >= '0' && c <= '9'))
			return false;
	}
	return true;
}
