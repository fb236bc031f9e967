#include "server/disk.h"

#include "common/fs.h"
#include "config/config.h"
#include "server/app.h"
#include "server/tidy.h"

int disk_check_floor(const struct app *app, struct err *err)
{
	uint64_t free_bytes;
	int64_t floor_bytes = app->config->retention.min_free_bytes;

	if (fs_free_bytes(app->data_dir, &free_bytes, err) < 0)
		return -1;
	if (floor_bytes > 0 && free_bytes < (uint64_t)floor_bytes) {
		tidy_for_room(app->tidy);
		return err_set(
			err, ERR_UNAVAILABLE, "disk_full",
			"only %llu MiB are free below %s, and retention.min_free_bytes wants %lld MiB: free some space",
			(unsigned long long)(free_bytes >> 20), app->data_dir,
			(long long)(floor_bytes >> 20));
	}
	return 0;
}
