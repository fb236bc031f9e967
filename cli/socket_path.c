#include "cli/socket_path.h"

#include "common/fs.h"
#include "common/mem.h"
#include "config/config.h"

char *socket_path(void)
{
	const char *given = getenv("SLIPWAY_SOCKET");
	struct config config = { 0 };
	struct err err;

	if (given && *given)
		return xstrdup(given);
	/* A file that we may not read, or that is wrong, is for the service to complain about. */
	if (config_load(&config, NULL, &err) < 0)
		config_defaults(&config);
	char *path = fs_join(config.data_dir, "slipway.sock");
	config_release(&config);
	return path;
}
