/*
 * tidy_lock: take a lock that runs take too, if nobody has it.
 */
#pragma once

/*
 * The descriptor, which is the lock until it is closed; or -1 when it is busy. The file is made if
 * it is missing. Whoever holds it may unlink it: others look, when they have the lock, whether the
 * file of that name is still the one that they locked.
 */
int tidy_lock(const char *path);
