/*
 * Report lines: what is read and written again is read as the same, and a run that any lines are
 * folded into can be shown and stays within its bounds.
 */
#include "tests/fuzz/fuzz.h"

#include "common/json.h"
#include "runner/contract/report.h"

static void must(bool good)
{
	if (!good)
		abort();
}

static void write_and_read(const struct report_line *line)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct report_line again = { 0 };

	if (line->type == REPORT_UNKNOWN)
		return;
	report_format(&first, line);
	must(first.len <= 8192 && str_find(buf_str(&first), '\n', 0) == first.len - 1);
	must(report_parse(&again, str_slice(buf_str(&first), 0, first.len - 1), NULL) == 0);
	report_format(&second, &again);
	must(again.type == line->type && str_eq(buf_str(&first), buf_str(&second)));
	report_line_release(&again);
	buf_release(&first);
	buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, text;
	struct run run = { .id = xstrdup("ca1"), .attempt = 1 };
	bool ended = false;

	while (str_split(&rest, '\n', &text)) {
		struct report_line line = { 0 };
		struct err err = { 0 };
		if (report_parse(&line, text, &err) < 0) {
			must(err_is(&err, "report_invalid"));
			continue;
		}
		write_and_read(&line);
		enum run_status before = run.status;
		report_apply(&run, &line);
		must(!ended || run.status == before);
		ended = run_status_is_terminal(run.status);
		report_line_release(&line);
	}
	must(run.steps_len <= 100 && run.images_len <= BUILD_IMAGES_MAX);
	json_decref(run_properties_to_json(&run));
	run_release(&run);
	return 0;
}
