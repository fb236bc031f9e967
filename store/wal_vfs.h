/*
 * wal_vfs: one write for a commit.
 *
 * SQLite writes each page of a commit into the write-ahead log by itself, its header before it: at
 * sixteen deliveries in a commit more than a hundred small writes, which cost more than the fsync
 * that follows. This layer between SQLite and the file system keeps what is appended to the log
 * in memory until it is synced or looked at, and then writes it in one piece.
 *
 * It is safe because with synchronous=FULL a commit syncs the log before anybody is told where
 * its end is now; until then nobody reads these bytes but the connection that wrote them, and its
 * own reads see them because they write them out first. All other files are the system's own.
 */
#pragma once
#include <sqlite3.h>

struct wal_vfs {
	sqlite3_vfs vfs;
	char name[40];
};

/* Known to SQLite by v->name until wal_vfs_release(). Over the default VFS of this moment. */
void wal_vfs_init(struct wal_vfs *v);
void wal_vfs_release(struct wal_vfs *v);
