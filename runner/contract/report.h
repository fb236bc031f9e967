/*
 * report: what a runner tells: JSON lines appended to the run directory's `report`. The result is
 * the line, not the exit code. Version 1: {"v":1,"type":…,"time":ms,"attempt":n,…}.
 *
 *   started      {"pid"}
 *   step         {"name","status":"Running|Succeeded|Failed|Canceled|Error|Timeout"}
 *   commit       {"id"}                  the exact commit that is built
 *   push-wanted  {}                      waits for the file `grant` beside the report
 *   image        {"registry","repository","tag","digest"}   pushed and read back
 *   result       {"status","errorCode","message"}           last line, synced to disk
 */
#pragma once
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "model/run.h"

enum report_type {
	REPORT_STARTED,
	REPORT_STEP,
	REPORT_COMMIT,
	REPORT_PUSH_WANTED,
	REPORT_IMAGE,
	REPORT_RESULT,
	REPORT_UNKNOWN, /* a later version's: skipped */
};

struct report_line {
	enum report_type type;
	int64_t time_ms;
	int attempt;
	int64_t pid;            /* started: as the host sees it */
	char *name;             /* step */
	enum run_status status; /* step, result */
	char *commit;
	struct image image;
	char *error_code, *message; /* result */
};

/* One line with its newline, at most 8 KiB: longer texts are cut. `line` is no REPORT_UNKNOWN. */
void report_format(struct buf *out, const struct report_line *line);
/* `text` without the newline. Word "report_invalid". */
int report_parse(struct report_line *out, struct str text, struct err *err);
void report_line_release(struct report_line *line);

/*
 * Fold a line into the run's record: steps, commit, images, status, error. Used by the server for
 * runs that it follows and for runs that it finds again alike: the record of a run is the fold of
 * the lines of its latest attempt: a line of an earlier one than run->attempt is ignored, the first
 * of a later one (and any "started") forgets what was told before. A terminal run is left as it is.
 */
void report_apply(struct run *run, const struct report_line *line);
