#include "tests/unit/store/faults.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

/* The lanes call from their threads, the test from its own. */
static struct {
	sqlite3_vfs vfs;
	_Atomic int kind, until, left, hit, syncs, opens;
} faults;

struct faulty_file {
	sqlite3_file base;
	bool is_wal;
};

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct faulty_file *)file + 1);
}

static sqlite3_vfs *real_vfs(void)
{
	return faults.vfs.pAppData;
}

static bool fails(enum fault kind)
{
	int wanted = faults.kind;
	bool io = kind != FAULT_LOCK && wanted == FAULT_ANY;
	bool write = kind == FAULT_WRITE && wanted == FAULT_FULL;

	if (wanted != (int)kind && !io && !write)
		return false;
	if (--faults.until > 0)
		return false;
	if (--faults.left < 0)
		return false;
	faults.hit++;
	return true;
}

static int write_file(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	if (fails(FAULT_WRITE))
		return faults.kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return real(file)->pMethods->xWrite(real(file), data, len, at);
}

static int sync_file(sqlite3_file *file, int flags)
{
	if (fails(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	if (((struct faulty_file *)file)->is_wal)
		faults.syncs++;
	return real(file)->pMethods->xSync(real(file), flags);
}

static int read_file(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	if (fails(FAULT_READ))
		return SQLITE_IOERR_READ;
	return real(file)->pMethods->xRead(real(file), data, len, at);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
	if (fails(FAULT_WRITE))
		return SQLITE_IOERR_TRUNCATE;
	return real(file)->pMethods->xTruncate(real(file), size);
}

static int shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	enum { WRITE_LOCK = 0 };

	if (offset == WRITE_LOCK && (flags & SQLITE_SHM_LOCK) && fails(FAULT_LOCK))
		return SQLITE_BUSY;
	return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

/* ---- passed on ---- */

static int close_file(sqlite3_file *file)
{
	return real(file)->pMethods->xClose(real(file));
}
static int size_file(sqlite3_file *file, sqlite3_int64 *size)
{
	return real(file)->pMethods->xFileSize(real(file), size);
}
static int lock_file(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}
static int unlock_file(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}
static int check_lock(sqlite3_file *file, int *out)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
static int control_file(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}
static int sector_size(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}
static int device(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
static void shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}
static int shm_unmap(sqlite3_file *file, int delete)
{
	return real(file)->pMethods->xShmUnmap(real(file), delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = size_file,
	.xLock = lock_file,
	.xUnlock = unlock_file,
	.xCheckReservedLock = check_lock,
	.xFileControl = control_file,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = device,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct faulty_file *f = (struct faulty_file *)file;

	(void)vfs;
	memset(f, 0, sizeof *f);
	if (fails(FAULT_OPEN))
		return SQLITE_CANTOPEN;
	int rc = real_vfs()->xOpen(real_vfs(), name, real(file), flags, out);
	if (rc != SQLITE_OK)
		return rc;
	f->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	faults.opens += f->is_wal;
	f->base.pMethods = &methods;
	return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	return real_vfs()->xDelete(real_vfs(), name, sync_folder);
}
static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	return real_vfs()->xAccess(real_vfs(), name, flags, out);
}
static int full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	(void)vfs;
	return real_vfs()->xFullPathname(real_vfs(), name, len, out);
}
static int randomness(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	return real_vfs()->xRandomness(real_vfs(), len, out);
}
static int no_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}
static int current_time(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	return real_vfs()->xCurrentTime(real_vfs(), out);
}
static int last_error(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs, (void)len, (void)out;
	return 0;
}

void faults_install(void)
{
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);

	faults.vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = below->szOsFile + (int)sizeof(struct faulty_file),
		.mxPathname = below->mxPathname,
		.zName = "faults",
		.pAppData = below,
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = access_file,
		.xFullPathname = full_path,
		.xRandomness = randomness,
		.xSleep = no_sleep,
		.xCurrentTime = current_time,
		.xGetLastError = last_error,
	};
	faults_clear();
	faults.syncs = faults.opens = 0;
	sqlite3_vfs_register(&faults.vfs, 1);
}

void faults_uninstall(void)
{
	sqlite3_vfs_unregister(&faults.vfs);
}

void faults_fail(enum fault kind, int nth, int times)
{
	faults.hit = 0;
	faults.left = times;
	faults.until = nth;
	faults.kind = (int)kind;
}

void faults_clear(void)
{
	faults.kind = FAULT_NONE;
}

int faults_hit(void)
{
	return faults.hit;
}

int faults_syncs(void)
{
	return faults.syncs;
}

int faults_opens(void)
{
	return faults.opens;
}
