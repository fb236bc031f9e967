/* clean: a path made shortest by its text alone, as Go's filepath.Clean does. */
#pragma once
#include "common/str.h"

/* "a//b/./c/../d/" gives "a/b/d"; "" gives "."; "/.." gives "/". Owned by the caller. */
char *path_clean(struct str path);
