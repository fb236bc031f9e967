#include "runner/exec/exec.h"

#include <poll.h>

#include "common/clock.h"

int exec_may_go_on(const struct exec *x, struct err *err)
{
	struct pollfd stop = { .fd = x->stop_fd, .events = POLLIN };

	if (poll(&stop, 1, 0) > 0)
		return err_set(err, ERR_CANCELED, "canceled", "the run was canceled");
	if (clock_monotonic_ms() >= x->deadline_ms)
		return err_set(err, ERR_TIMEOUT, "timeout",
			       "the run did not end within its time of %lld s",
			       (long long)(x->spec.timeout_ms / 1000));
	return 0;
}
