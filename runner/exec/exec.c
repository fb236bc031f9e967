#include "runner/exec/exec.h"

#include <poll.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"

int exec_may_go_on(const struct exec *x, struct err *err)
{
	struct pollfd stop = { .fd = x->stop_fd, .events = POLLIN };

	if (poll(&stop, 1, 0) > 0)
		return err_set(err, ERR_CANCELED, "canceled", "a cancel was asked for");
	if (clock_monotonic_ms() >= x->deadline_ms)
		return err_set(err, ERR_TIMEOUT, "timeout",
			       "the run did not end within its time of %lld s",
			       (long long)(x->spec.timeout_ms / 1000));
	return 0;
}

int exec_pause(const struct exec *x, int64_t ms, struct err *err)
{
	struct pollfd stop = { .fd = x->stop_fd, .events = POLLIN };
	int64_t left = x->deadline_ms - clock_monotonic_ms();

	ms = ms < left ? ms : left;
	if (ms > 0)
		poll(&stop, 1, (int)ms);
	return exec_may_go_on(x, err);
}

void exec_report(const struct exec *x, struct report_line line)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err err;

	line.time_ms = clock_now_ms();
	line.attempt = x->spec.attempt;
	report_format(&text, &line);
	bool is_result = line.type == REPORT_RESULT;
	if (fs_write_all(x->report_fd, buf_str(&text), &err) < 0 ||
	    (is_result && fdatasync(x->report_fd) < 0)) {
		log_error("report.failed", "run=%s error=\"%s\"", x->spec.run_id, err.msg);
		_exit(1);
	}
}
