/* upload: a local folder, packed by its ignore rules and streamed to the service, without a copy on
 * disk. */
#pragma once
#include "cli/cli.h"

struct uploaded {
	char *location;   /* sourceLocation: "source/<id>.tar.gz" */
	char *dockerfile; /* dockerFilePath in the archive */
};

/* `dockerfile` as given with -f, or NULL. Both strings of *out are the caller's. */
int upload_folder(struct uploaded *out, struct cli *cli, const char *folder, const char *dockerfile,
		  struct err *err);
