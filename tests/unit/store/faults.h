/*
 * faults: a file system under SQLite that fails when it is told to, and counts.
 *
 *   faults_install();                     before a store is opened
 *   faults_fail(FAULT_FULL, 3, 1);        the third write from now fails, then all is well
 *   faults_fail(FAULT_SYNC, 1, FAULTS_FOREVER);
 *   faults_clear();
 */
#pragma once
#include <stdbool.h>

enum fault {
	FAULT_NONE,
	FAULT_FULL,  /* writing: no space left on device */
	FAULT_WRITE, /* writing: input/output error */
	FAULT_SYNC,  /* fsync: input/output error */
	FAULT_READ,
	FAULT_OPEN,
	FAULT_LOCK, /* somebody else holds the lock; waiting for it takes no time */
	FAULT_ANY,  /* any of writing, syncing, reading, truncating, opening */
};

enum { FAULTS_FOREVER = 1 << 30 };

void faults_install(void);
void faults_uninstall(void);
/* From the `nth` call of that kind on, `times` of them fail. */
void faults_fail(enum fault kind, int nth, int times);
void faults_clear(void);
int faults_hit(void);   /* calls that have failed since faults_fail() */
int faults_syncs(void); /* successful fsyncs of a write-ahead log since faults_install() */
int faults_opens(void); /* write-ahead logs opened since then */
