#include "store/wal_vfs.h"

#include "common/buf.h"

enum {
	GATHERED_MAX_BYTES = 1 << 20,
	PIECE_BYTES = 64 << 10, /* SQLite's own file layer cannot write 128 KiB at once */
};

/* The system's file comes right behind it, in the memory that SQLite has given us. */
struct wal_file {
	sqlite3_file base;
	struct buf gathered;
	sqlite3_int64 at; /* where `gathered` begins in the file */
};

static sqlite3_file *real_file(sqlite3_file *file)
{
	return (sqlite3_file *)((struct wal_file *)file + 1);
}

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* ---- writing ---- */

/* Whatever comes of it, the bytes go: SQLite does not write a page again after a failure. */
static int flush(sqlite3_file *file)
{
	struct wal_file *w = (struct wal_file *)file;
	struct str rest = buf_str(&w->gathered);
	sqlite3_int64 at = w->at;
	int rc = SQLITE_OK;

	while (rest.len && rc == SQLITE_OK) {
		struct str piece = str_slice(rest, 0, PIECE_BYTES);
		rc = real_file(file)->pMethods->xWrite(real_file(file), piece.ptr, (int)piece.len,
						       at);
		rest = str_after(rest, piece.len);
		at += (sqlite3_int64)piece.len;
	}
	buf_clear(&w->gathered);
	return rc;
}

static int wal_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct wal_file *w = (struct wal_file *)file;
	bool follows = at == w->at + (sqlite3_int64)w->gathered.len;

	if (!follows || w->gathered.len + (size_t)len > GATHERED_MAX_BYTES) {
		int rc = flush(file);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (w->gathered.len == 0)
		w->at = at;
	buf_add(&w->gathered, data, (size_t)len);
	return SQLITE_OK;
}

static int wal_sync(sqlite3_file *file, int flags)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? real_file(file)->pMethods->xSync(real_file(file), flags) : rc;
}

/* ---- looking ---- */

static int wal_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? real_file(file)->pMethods->xRead(real_file(file), data, len, at)
			       : rc;
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? real_file(file)->pMethods->xTruncate(real_file(file), size) : rc;
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? real_file(file)->pMethods->xFileSize(real_file(file), size) : rc;
}

/* What was not synced was not committed, and nobody will miss it. */
static int wal_close(sqlite3_file *file)
{
	buf_release(&((struct wal_file *)file)->gathered);
	return real_file(file)->pMethods->xClose(real_file(file));
}

/* ---- passed on ---- */

static int wal_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int wal_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int wal_check_lock(sqlite3_file *file, int *out)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int wal_control(sqlite3_file *file, int op, void *arg)
{
	return real_file(file)->pMethods->xFileControl(real_file(file), op, arg);
}

static int wal_sector(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int wal_device(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static const sqlite3_io_methods wal_methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = wal_lock,
	.xUnlock = wal_unlock,
	.xCheckReservedLock = wal_check_lock,
	.xFileControl = wal_control,
	.xSectorSize = wal_sector,
	.xDeviceCharacteristics = wal_device,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		     int *out_flags)
{
	sqlite3_vfs *real = real_vfs(vfs);

	if (!(flags & SQLITE_OPEN_WAL))
		return real->xOpen(real, name, file, flags, out_flags);

	struct wal_file *w = (struct wal_file *)file;
	*w = (struct wal_file){ .base.pMethods = NULL };
	int rc = real->xOpen(real, name, real_file(file), flags, out_flags);
	if (rc == SQLITE_OK)
		w->base.pMethods = &wal_methods;
	return rc;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_folder);
}

static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, out);
}

static int full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, len, out);
}

static int randomness(sqlite3_vfs *vfs, int len, char *out)
{
	return real_vfs(vfs)->xRandomness(real_vfs(vfs), len, out);
}

static int sleep_us(sqlite3_vfs *vfs, int us)
{
	return real_vfs(vfs)->xSleep(real_vfs(vfs), us);
}

static int current_time(sqlite3_vfs *vfs, double *out)
{
	return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), out);
}

static int last_error(sqlite3_vfs *vfs, int len, char *out)
{
	return real_vfs(vfs)->xGetLastError(real_vfs(vfs), len, out);
}

void wal_vfs_init(struct wal_vfs *v)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	snprintf(v->name, sizeof v->name, "slipway-%p", (void *)v);
	v->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = real->szOsFile + (int)sizeof(struct wal_file),
		.mxPathname = real->mxPathname,
		.zName = v->name,
		.pAppData = real,
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = access_file,
		.xFullPathname = full_path,
		.xRandomness = randomness,
		.xSleep = sleep_us,
		.xCurrentTime = current_time,
		.xGetLastError = last_error,
	};
	sqlite3_vfs_register(&v->vfs, 0);
}

void wal_vfs_release(struct wal_vfs *v)
{
	sqlite3_vfs_unregister(&v->vfs);
}
