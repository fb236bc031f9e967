/*
 * slipway-server: takes deliveries and builds in, keeps them, starts their runners, and shows what
 * became of them. See service.h for its parts and ARCHITECTURE.md for the walk through them.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/log.h"
#include "server/service.h"

enum { EXIT_USAGE = 2, EXIT_SERVICE = 3, FILES_WANTED = 65536 };

/* What the whole process is like. A core dump or a debugger would show secrets. */
static void harden(void)
{
	struct rlimit files;

	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
#ifndef __SANITIZE_ADDRESS__ /* the leak checker is a debugger */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_WANTED) {
		files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The operator's move, or something that may pass? */
static int exit_code_of(const struct err *err)
{
	bool operators = err->code == ERR_INVALID || err->code == ERR_DENIED ||
			 strncmp(err->word, "config", 6) == 0;
	return operators ? EXIT_USAGE : EXIT_SERVICE;
}

int main(int argc, char **argv)
{
	static struct service service;
	struct options options = { 0 };
	struct err err = { 0 };
	int code = 0;

	if (!options_read(&options, argc, argv, &code))
		return code;
	if (options.verbose)
		log_set_level(LOG_DEBUG);
	harden();
	if (service_start(&service, &options, &err) < 0) {
		fprintf(stderr, "slipway-server: %s (%s)\n", err.msg, err.word);
		code = exit_code_of(&err);
		service_close(&service);
	}
	uv_run(&service.loop, UV_RUN_DEFAULT);
	uv_loop_close(&service.loop);
	if (code == 0)
		log_info("service.ended", "pid=%d", (int)getpid());
	return code;
}
